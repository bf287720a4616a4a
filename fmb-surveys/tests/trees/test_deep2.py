"""DEEP2 as shipped: two chips laid end to end, two cutouts a galaxy, scale by the WCS."""

import os
import shutil
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from astropy.wcs.utils import proj_plane_pixel_scales
from click.testing import CliRunner

from fmb import FmbError
from fmb.cli import main
from fmb_surveys.planting.airglow import OH_AA
from fmb_surveys.trees.deep2 import Deep2Config, open_deep2
from fmb_surveys.trees.sky_scale import sky_scale

SIDE = 8.33333e-6
"""Degrees a pixel: 0.03 arcsec."""


def chip(name, start, n, rng, header, drop=""):
    wave = np.linspace(start, start + 1300, n, dtype=np.float32)
    columns = {
        "SPEC": rng.normal(20, 3, n),
        "LAMBDA": wave,
        "IVAR": np.where(np.arange(n) % 5, 0.1, 0),
    }
    hdu = fits.BinTableHDU.from_columns(
        [
            fits.Column(key, f"{n}E", array=values[None].astype(np.float32))
            for key, values in columns.items()
            if key != drop
        ],
        name=name,
    )
    hdu.header.update(header)
    return hdu


def spectrum(folder, name, mask="1208", n=40, starts=(6400, 7750), drop="", header=()):
    rng = np.random.default_rng(int(name))
    said = {"OBJNO": str(name), "RA_OBJ": "14:18:5.43", "DEC_OBJ": "+52:34:51.7", "MAGR": 21.5}
    said = {**said, "EXPTIME": 3600.5, **dict(header)}
    hdus = [fits.PrimaryHDU()]
    for extraction in ("Bxspf", "Horne"):
        for letter, start in zip("BR", starts, strict=True):
            hdus.append(chip(f"{extraction}-{letter}", start, n, rng, said, drop))
    folder.mkdir(exist_ok=True)
    path = folder / f"spec1d.{mask}.055.{name}.fits"
    fits.HDUList(hdus).writeto(path, overwrite=True)
    return path


def cutout(folder, name, letter="v", size=20, **header):
    rng = np.random.default_rng(int(name) + ord(letter[0]))
    hdu = fits.PrimaryHDU(rng.normal(0, 0.01, (size, size)).astype(np.float32))
    said = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CD1_1": -SIDE, "CD2_2": SIDE}
    hdu.header.update({k: v for k, v in {**said, **header}.items() if v is not None})
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.acs.{letter}_6ac_.fits"
    hdu.writeto(path, overwrite=True)
    return path


def galaxies(folder, *names):
    for name in names:
        spectrum(folder, name)
        for letter in "vi":
            cutout(folder, name, letter)


def opened(folder, tmp_path, **said):
    return open_deep2(str(folder), Deep2Config(**said), cache=tmp_path / "cache")


def test_chips_and_bands_equal_what_astropy_reads(tmp_path):
    galaxies(tmp_path / "s", 12, 11)
    for extraction, prefix in (("optimal", "Horne"), ("boxcar", "Bxspf")):
        dataset = opened(tmp_path / "s", tmp_path, extraction=extraction)
        assert dataset.ids.tolist() == [11, 12]
        batch = dataset.read(np.arange(2))
        with fits.open(tmp_path / "s" / "spec1d.1208.055.12.fits") as hdus:
            chips = [hdus[f"{prefix}-{letter}"].data[0] for letter in "BR"]
            for field, column in (("flux", "SPEC"), ("ivar", "IVAR")):
                expected = np.concatenate([chip[column] for chip in chips])
                assert np.array_equal(getattr(batch.inputs["deimos"], field)[1], expected)
            assert np.array_equal(batch.inputs["deimos"].mask[1], np.arange(80) % 5 == 0)
    assert dataset.inputs["acs"].bands == ("F606W", "F814W")
    assert dataset.inputs["acs"].pixel_scale_arcsec == pytest.approx(0.03, rel=1e-5)
    for at, letter in enumerate("vi"):
        with fits.open(tmp_path / "s" / f"11.acs.{letter}_6ac_.fits") as hdus:
            assert np.array_equal(batch.inputs["acs"].flux[0, at], hdus[0].data)


def test_what_an_object_does_not_have_is_missing(tmp_path):
    galaxies(tmp_path / "s", 1, 2)
    (tmp_path / "s" / "spec1d.1208.055.1.fits").unlink()
    (tmp_path / "s" / "2.acs.v_6ac_.fits").unlink()
    cutout(tmp_path / "s", 3, "i")
    dataset = opened(tmp_path / "s", tmp_path)
    batch = dataset.read(np.arange(3))
    assert dataset.inputs["deimos"].present.tolist() == [False, True, False]
    images = batch.inputs["acs"]
    assert images.band_valid.tolist() == [[True, True], [False, True], [False, True]]
    assert np.isnan(images.flux[1, 0]).all()
    assert np.isnan(dataset.catalog["ra"][0])


def test_positions_and_magnitudes_are_those_of_the_header(tmp_path):
    galaxies(tmp_path / "s", 1)
    catalog = opened(tmp_path / "s", tmp_path).catalog
    assert catalog["ra"][0] == pytest.approx(15 * (14 + 18 / 60 + 5.43 / 3600))
    assert catalog["dec"][0] == pytest.approx(52 + 34 / 60 + 51.7 / 3600)
    assert catalog["mag_R"][0] == 21.5
    assert catalog.attrs["roles"]["magnitude"] == "mag_R"


@pytest.mark.parametrize(
    ("matrix", "arcsec", "north", "mirrored"),
    [
        ({"CD1_1": -1e-4, "CD2_2": 1e-4}, 0.36, 0, False),
        ({"CD1_1": 1e-4, "CD2_2": 1e-4}, 0.36, 0, True),
        ({"CD1_1": 1e-4, "CD2_2": -1e-4}, 0.36, 180, False),
        # Turned by 90 degrees: x grows to the north, y to the east.
        ({"CD1_2": 1e-4, "CD2_1": 1e-4}, 0.36, -90, False),
        ({"CDELT1": -2e-4, "CDELT2": 2e-4, "PC1_1": 1.0, "PC2_2": 1.0}, 0.72, 0, False),
        ({"CDELT1": -2e-4, "CDELT2": 2e-4}, 0.72, 0, False),
        ({"CDELT1": -2e-4, "CDELT2": 2e-4, "CROTA2": 30.0}, 0.72, 30, False),
        ({"CD1_1": -1e-4, "CD2_2": 1e-4, "CUNIT1": "deg", "CUNIT2": "deg"}, 0.36, 0, False),
        ({"CDELT1": -0.5, "CDELT2": 0.5, "CUNIT1": "arcsec", "CUNIT2": "arcsec"}, 0.5, 0, False),
    ],
)
def test_scale_and_orientation_are_those_of_the_wcs(matrix, arcsec, north, mirrored):
    header = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", **matrix}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # astropy tells what it makes of CROTA2
        scales = proj_plane_pixel_scales(WCS(fits.Header(header))) * 3600
    if "CUNIT1" not in matrix:
        assert scales == pytest.approx([arcsec, arcsec])
    found = sky_scale(header, Path("x.fits"))
    assert found.arcsec == pytest.approx(arcsec)
    assert abs(found.north_degrees) == pytest.approx(abs(north), abs=1e-9)
    assert found.mirrored == mirrored


def test_a_header_without_a_wcs_of_the_sky_tells_no_scale():
    assert sky_scale({}, Path("x.fits")) is None
    assert sky_scale({"CDELT1": 1.0, "CTYPE1": "WAVE"}, Path("x.fits")) is None


def path_of(folder, name=1):
    return folder / f"spec1d.1208.055.{name}.fits"


def cut(path, size):
    path.write_bytes(path.read_bytes()[:size])


@pytest.mark.parametrize(
    ("change", "pattern"),
    [
        (lambda s: cut(path_of(s), 5000), r"055.1.fits: the FITS file is cut short"),
        (lambda s: cut(path_of(s), 2880), r"055.1.fits: has no extension 'Horne-B'"),
        (lambda s: path_of(s).write_bytes(b""), r"055.1.fits: not a FITS file"),
        (lambda s: spectrum(s, 1, drop="IVAR"), r"'Horne-B' has no column 'IVAR'"),
        (lambda s: spectrum(s, 1, drop="LAMBDA"), r"'Horne-B' has no column 'LAMBDA'"),
        (lambda s: spectrum(s, 1, drop="SPEC"), r"'Horne-B' has no column 'SPEC'"),
        (lambda s: spectrum(s, 1, starts=(7750, 6400)), r"its chips overlap; the blue one"),
        (lambda s: spectrum(s, 1, starts=(6400, 6500)), r"its chips overlap; the blue one"),
        (lambda s: spectrum(s, 1, header={"OBJNO": "7"}), r"is of 7 by OBJNO .* of 1 by its name"),
        (lambda s: spectrum(s, 1, mask="1209"), r"1 is in .*1208.* and .*1209.*: remove the file"),
        (lambda s: shutil.copy(path_of(s), s / "spec1d.9.9.44.fits"), r"is of 1 by OBJNO"),
        (lambda s: cutout(s, 1, "v", size=21), r"shape \(2\d, 2\d\), .* has \(2\d, 2\d\)"),
        (lambda s: cutout(s, 1, "z"), r"no band of AEGIS is called 'z'; one of v, i"),
        (lambda s: cutout(s, 1, CTYPE1=None), r"has no WCS that tells its scale"),
        (lambda s: cutout(s, 1, CD1_1=None, CD2_2=None), r"has no WCS that tells its scale"),
        (lambda s: cutout(s, 1, CD2_2=2 * SIDE), r'its pixels are 0.03" by 0.06", no squares'),
        (lambda s: cutout(s, 1, CD1_1=0.0), r"its WCS makes no sense"),
        (lambda s: cutout(s, 1, CD1_1=-2 * SIDE, CD2_2=2 * SIDE), r"a pixel, .* 0.03"),
        (lambda s: cutout(s, 1, BUNIT="Jy"), r"the unit of an image is 'not told' .* 'Jy'"),
        (lambda s: (s / "1.acs.v_6ac_.fits").write_bytes(b"x"), r"v_6ac_.fits: not a FITS file"),
        (lambda s: (s / "3.acs.v_.fits").symlink_to(s / "3.acs.v_.fits"), r"Too many levels"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(tmp_path, change, pattern):
    galaxies(tmp_path / "s", 1, 2)
    change(tmp_path / "s")
    with pytest.raises(FmbError, match=pattern) as caught:
        opened(tmp_path / "s", tmp_path)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.fixture
def shipped() -> Path:
    folder = os.environ.get("FMB_TEST_DATA", "")
    if not folder:
        pytest.skip("FMB_TEST_DATA does not name the folder of real data")
    return Path(folder) / "pairs_deep2_acs"


def test_lines_of_the_sky_are_where_they_are_in_vacuum(shipped, tmp_path):
    dataset = opened(shipped / "as_shipped", tmp_path)
    grid = dataset.read(np.arange(3)).inputs["deimos"].wavelength_aa[0]
    with fits.open(shipped / "as_shipped" / "spec1d.1208.055.12016058.fits") as hdus:
        sky = np.concatenate([hdus[f"Horne-{c}"].data["SKYSPEC"][0] for c in "BR"]).astype(float)
    offsets = []
    for line in (7916.0, 7966.8, 7995.6, 8829.5, 8888.3):  # bright, alone: OH of airglow
        vacuum = OH_AA[np.argmin(np.abs(OH_AA - line))]
        near = np.flatnonzero(np.abs(grid - vacuum) < 5)
        top = near[np.argmax(sky[near])]
        peak = np.clip(sky[top - 3 : top + 4] - np.median(sky[near]), 0, None)
        offsets.append((grid[top - 3 : top + 4] * peak).sum() / peak.sum() - vacuum)
    assert abs(np.median(offsets)) < 0.15  # as read they would be 2.2 off


def test_the_shipped_files_equal_what_was_repacked_of_them(shipped, tmp_path):
    import h5py

    dataset = opened(shipped / "as_shipped", tmp_path)
    batch = dataset.read(np.arange(3))
    with h5py.File(shipped / "deep2_acs_pairs.h5") as file:
        names = [int(name.removeprefix("DEEP2-")) for name in file["object_id"].asstr()[()]]
        rows = [names.index(name) for name in dataset.ids.tolist()]
        for at, row in enumerate(rows):
            assert np.array_equal(batch.inputs["acs"].flux[at], file["image"][row])
            optimal = file["spectrum/optimal"]
            assert np.array_equal(batch.inputs["deimos"].flux[at], optimal["flux"][row])
            assert np.array_equal(batch.inputs["deimos"].mask[at], optimal["ivar"][row] == 0)
            assert dataset.catalog["ra"][at] == pytest.approx(file["ra"][row], abs=1e-6)


def test_a_folder_as_shipped_goes_from_files_to_a_list(shipped, tmp_path, monkeypatch):
    monkeypatch.setenv("FMB_HOME", str(tmp_path / "home"))
    words = ["run", "--model", "astropt", "--weights", "random", "--detector", "gaussian"]
    words += ["--fit", "in-sample", "--no-companions"]  # there are three objects
    words += ["--set", "model.astropt.bands=['F814W']"]
    result = CliRunner().invoke(main, [*words, "--data", str(shipped / "as_shipped")])
    assert result.exit_code == 0, result.stderr
    for view in ("image", "spectrum", "joint"):
        [scores] = (tmp_path / "home" / "runs").glob(f"*/scores/astropt.mean.{view}.*.parquet")
        assert pd.read_parquet(scores)["score"].notna().sum() == 3
