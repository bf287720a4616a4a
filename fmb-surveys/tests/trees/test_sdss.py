"""SDSS spectra as shipped: read without a word of description, each number as astropy reads it."""

import csv
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from click.testing import CliRunner

from fmb import FmbError
from fmb.cli import main
from fmb_surveys.trees.sdss import SdssConfig, open_sdss

UNIT = "1E-17 erg/cm^2/s/Ang"


def spectrum(folder, fiber=1, n=60, ids=True, row=True, **changes):
    """One spec-*.fits of n pixels; changes: unit, vacuum, drop, or values of the catalogue row."""
    rng = np.random.default_rng(fiber)
    arrays = {
        "flux": rng.normal(5, 1, n).astype(np.float32),
        "loglam": (3.58 + 1e-4 * np.arange(n)).astype(np.float32),
        "ivar": np.where(np.arange(n) % 7, 2.0, 0.0).astype(np.float32),
        "and_mask": np.where(np.arange(n) == 10, 1 << 23, 1 << 17).astype(np.int32),
        "wdisp": np.full(n, 1.5, np.float32),
    }
    primary = fits.PrimaryHDU()
    if changes.get("unit", UNIT):
        primary.header["BUNIT"] = changes.get("unit", UNIT)
    if changes.get("vacuum", True) is not None:
        primary.header["VACUUM"] = changes.get("vacuum", True)
    formats = {"and_mask": "J"}
    coadd = [
        fits.Column(name, formats.get(name, "E"), array=values)
        for name, values in arrays.items()
        if name != changes.get("drop")
    ]
    values = {
        "SPECOBJID": f"{299535582055393280 + fiber}",
        "PLATE": 266,
        "MJD": 51630,
        "FIBERID": fiber,
        "PLUG_RA": 10.0 + fiber,
        "PLUG_DEC": -fiber / 2,
        "CLASS": "GALAXY",
        "Z": np.float32(0.1),
        "SN_MEDIAN_ALL": np.float32(12.5),
        **changes.get("values", {}),
    }
    if not ids:
        del values["SPECOBJID"]
    formats = {"PLATE": "J", "MJD": "J", "FIBERID": "J", "Z": "E", "PLUG_RA": "D", "PLUG_DEC": "D"}
    kinds = {**formats, "SN_MEDIAN_ALL": "E"}
    cells = [
        fits.Column(name, kinds.get(name, "22A"), array=np.array([value]))
        for name, value in values.items()
    ]
    hdus = [primary, fits.BinTableHDU.from_columns(coadd, name="COADD")]
    if row:
        hdus.append(fits.BinTableHDU.from_columns(cells, name="SPECOBJ"))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"spec-0266-51630-{fiber:04d}.fits"
    fits.HDUList(hdus).writeto(path, overwrite=True)
    return path


def opened(path, tmp_path, **said):
    return open_sdss(str(path), SdssConfig(**said), cache=tmp_path / "cache")


def test_spectra_of_several_lengths_are_padded_and_masked(tmp_path):
    for fiber, n in ((1, 60), (2, 50)):
        spectrum(tmp_path / "s", fiber, n)
    dataset = opened(tmp_path / "s", tmp_path)
    spectra = dataset.read(np.arange(2)).inputs["sdss"]
    short = dataset.ids.tolist().index(299535582055393282)
    assert spectra.flux.shape == (2, 60)
    assert np.isnan(spectra.flux[short, 50:]).all()
    assert (spectra.ivar[short, 50:] == 0).all()
    # ivar is 0 in each seventh pixel, from the first; bit 23 is set in pixel 10.
    bad = (np.arange(60) % 7 == 0) | (np.arange(60) == 10)
    assert np.array_equal(spectra.mask[1 - short], bad)
    assert np.array_equal(spectra.mask[short], bad | (np.arange(60) >= 50))
    assert spectra.unit == "1e-17 erg / (s cm2 Angstrom)"


def test_the_width_of_lines_is_told_in_angstrom(tmp_path):
    dataset = opened(spectrum(tmp_path), tmp_path)
    spectra = dataset.read(np.arange(1)).inputs["sdss"]
    # A pixel is 1e-4 in log10, so it is lambda * ln(10) * 1e-4 wide, and sigma is 1.5 of that.
    expected = 1.5e-4 * np.log(10) * spectra.wavelength_aa[0]
    # rtol: loglam is a float32 near 3.6, of which 1e-4 has three digits and a half
    assert np.allclose(spectra.lsf_aa[0, 1:-1], expected[1:-1], rtol=5e-3)


def test_the_user_says_which_bits_are_bad(tmp_path):
    path = spectrum(tmp_path)
    all_of_them = opened(path, tmp_path, bad_bits=(17, 23)).read(np.arange(1)).inputs["sdss"]
    none = opened(path, tmp_path, bad_bits=()).read(np.arange(1)).inputs["sdss"]
    assert all_of_them.mask.all()
    assert np.array_equal(none.mask[0], np.arange(60) % 7 == 0)


def test_wavelengths_declared_to_be_in_air_are_read_in_vacuum(tmp_path):
    dataset = opened(spectrum(tmp_path, vacuum=False), tmp_path)
    vacuum = dataset.read(np.arange(1)).inputs["sdss"].wavelength_aa[0]
    air = 10.0 ** (3.58 + 1e-4 * np.arange(60)).astype(np.float32).astype(float)
    s2 = (1e4 / vacuum) ** 2
    index = 1 + 0.0000834254 + 0.02406147 / (130 - s2) + 0.00015998 / (38.9 - s2)
    # Source: Morton 2000, ApJS 130, 403, eq. 8, the other way round.
    assert np.allclose(vacuum / index, air, rtol=0, atol=1e-3)
    assert (vacuum - air).min() > 1


def test_objects_have_the_exact_ids_of_the_survey(tmp_path):
    for fiber in (1, 2):
        spectrum(tmp_path / "whole", fiber)
        spectrum(tmp_path / "none", fiber, ids=False)
    spectrum(tmp_path / "text", 1, values={"SPECOBJID": "0266p51630f1"})
    large = {"SPECOBJID": str(2**64 - 1)}
    spectrum(tmp_path / "large", 1, values=large)
    ids = {p: opened(tmp_path / p, tmp_path).ids for p in ("whole", "none", "text", "large")}
    assert ids["whole"].tolist() == [299535582055393281, 299535582055393282]
    assert ids["none"].tolist() == ["266-51630-1", "266-51630-2"]
    assert ids["text"].tolist() == ["0266p51630f1"]
    assert ids["large"].tolist() == [2**64 - 1]
    named = opened(tmp_path / "whole", tmp_path, ids="plate-mjd-fiberid").ids
    assert named.tolist() == ["266-51630-1", "266-51630-2"]


def test_the_description_is_made_once_and_again_when_a_file_changes(tmp_path):
    looked = []
    folder = tmp_path / "s"
    spectrum(folder)

    def open_it():
        looked.clear()
        told = lambda done, total: looked.append(done)  # noqa: E731  # a test's own
        cache = tmp_path / "cache"
        return open_sdss(str(folder), SdssConfig(), cache=cache, progress=told)

    open_it()
    assert looked == [1]
    open_it()
    assert looked == []
    spectrum(folder, 2)
    assert len(open_it()) == 2
    assert looked == [1, 2]


def replace(**changes):
    return lambda folder: spectrum(folder, 2, **changes)


def twice(folder):
    spectrum(folder / "again", 1)


def bytes_of(fiber, make):
    def change(folder):
        path = folder / f"spec-0266-51630-{fiber:04d}.fits"
        content = make(path.read_bytes())
        path.write_bytes(content)

    return change


def circle(folder):
    path = folder / "spec-0266-51630-0009.fits"
    path.symlink_to(path)


def closed(folder):
    path = spectrum(folder, 2)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("root reads everything")


def image(folder):
    fits.PrimaryHDU(np.zeros((4, 4))).writeto(folder / "spec-0266-51630-0003.fits")


def no_rows(folder):
    spectrum(folder, 2, n=0)


@pytest.mark.parametrize(
    ("change", "said", "pattern"),
    [
        (bytes_of(2, lambda b: b[:9000]), {}, "0002.fits: the FITS file is cut short"),
        (bytes_of(2, lambda b: b[:50]), {}, "0002.fits: the FITS file is cut short"),
        (bytes_of(2, lambda b: b""), {}, "0002.fits: not a FITS file"),
        (bytes_of(2, lambda b: b"<html>" + b), {}, "0002.fits: not a FITS file"),
        (replace(unit="erg/cm^2/s/Ang"), {}, "the unit of flux is '1E-17 .* in .*0001.fits and"),
        (replace(unit=""), {}, "the unit of flux is .* and 'not told' in .*0002.fits"),
        (replace(unit="1E-17 erg/cm^2/s/nm"), {}, "'1E-17 erg/cm.2/s/nm' in .*0002.fits"),
        (replace(vacuum=False), {}, "medium of wavelengths is 'vacuum' .*'air' in .*0002.fits"),
        (replace(drop="flux"), {}, "0002.fits: extension 1 has no column flux: not a spectrum as"),
        (replace(drop="ivar"), {}, "0002.fits: extension 1 has no column ivar"),
        (replace(drop="loglam"), {}, "0002.fits: extension 1 has no column loglam"),
        (replace(drop="and_mask"), {}, "0002.fits: extension 1 has no column and_mask"),
        (no_rows, {}, "0002.fits: extension 1 is empty"),
        (image, {}, "0003.fits: extension 1 has no column flux, ivar"),
        (replace(row=False), {}, "0002.fits: tells no PLATE, MJD and FIBERID"),
        (replace(row=False), {"ids": "specobjid"}, "0002.fits: has no SPECOBJID; --set data.ids"),
        (twice, {}, "299535582055393281 is in .*0001.fits and .*remove the files that repeat"),
        (circle, {}, "0009.fits: cannot be read: Too many levels of symbolic links"),
        (closed, {}, "0002.fits: cannot be read: Permission denied"),
        (None, {"inputs": {"sdss": {"unit": "Jy"}}}, "flux is in '1e-17 .* 'Jy' by data.inputs"),
        (None, {"inputs": {"sdss": {"pixels": 50}}}, "has shape .60,.*set pixels = 60 or more"),
        (None, {"inputs": {"sdss": {"fluxx": "1/flux"}}}, "fluxx"),
        (None, {"bad_bits": (40,)}, "holds int32, which has no bit 40"),
        (None, {"inputs": {"sdss": {"flux": "1/flx"}}}, "no column 'flx'; did you mean 'flux'"),
        (None, {"catalog": {"redshift": "zz"}}, "zz"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(tmp_path, change, said, pattern):
    folder = tmp_path / "s"
    for fiber in (1, 2):
        spectrum(folder, fiber)
    if change:
        change(folder)
    with pytest.raises(FmbError, match=pattern) as caught:
        opened(folder, tmp_path, **said).read(np.arange(2))
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_unit_that_no_file_tells_is_asked_for_and_taken(tmp_path):
    folder = tmp_path / "s"
    spectrum(folder, 1, unit="")
    with pytest.raises(
        FmbError, match=r"does not tell the unit of flux: say it, as in --set data\.inputs"
    ):
        opened(folder, tmp_path)
    said = {"sdss": {"unit": "1e-17 erg / (s cm2 Angstrom)"}}
    assert opened(folder, tmp_path, inputs=said).inputs["sdss"].unit == said["sdss"]["unit"]


def test_a_link_of_folders_in_a_circle_is_not_followed(tmp_path):
    folder = tmp_path / "s"
    spectrum(folder, 1)
    (folder / "again").symlink_to(folder)
    assert len(opened(folder, tmp_path)) == 1


@pytest.fixture
def shipped() -> Path:
    folder = os.environ.get("FMB_TEST_DATA", "")
    if not folder:
        pytest.skip("FMB_TEST_DATA does not name the folder of real data")
    return Path(folder) / "pairs_sdss"


def test_the_shipped_files_equal_what_astropy_reads(shipped, tmp_path):
    dataset = opened(shipped / "spectra", tmp_path)
    spectra = dataset.read(np.arange(7)).inputs["sdss"]
    bad_pixels = 0
    for path in (shipped / "spectra").iterdir():
        with fits.open(path) as hdus:
            coadd, row = hdus[1].data, hdus[2].data[0]
            at = dataset.ids.tolist().index(int(row["SPECOBJID"]))
            n = len(coadd)
            assert np.array_equal(spectra.flux[at, :n], coadd["flux"])
            assert np.array_equal(spectra.ivar[at, :n], coadd["ivar"])
            assert np.array_equal(
                spectra.wavelength_aa[at, :n], 10.0 ** coadd["loglam"].astype(np.float64)
            )
            bad = (coadd["ivar"] == 0) | (coadd["and_mask"] & (1 << 23) != 0)
            assert np.array_equal(spectra.mask[at, :n], bad)
            assert spectra.mask[at, n:].all()
            bad_pixels += int(bad.sum())
            assert dataset.catalog["bestobjid"][at] == int(row["BESTOBJID"])
            assert dataset.catalog["redshift"][at] == row["Z"]
    assert bad_pixels == 689 + 10 - 3  # BRIGHTSKY, ivar 0, both
    with (shipped / "pairs.csv").open() as file:
        listed = {int(row["objid"]): row for row in csv.DictReader(file)}
    for _, row in dataset.catalog.iterrows():
        assert row["ra"] == float(listed[row["bestobjid"]]["ra_deg"])
        assert row["redshift"] == pytest.approx(float(listed[row["bestobjid"]]["z"]), abs=1e-9)


def test_a_folder_as_shipped_goes_from_files_to_a_list(shipped, tmp_path, monkeypatch):
    monkeypatch.setenv("FMB_HOME", str(tmp_path / "home"))
    words = ["run", "--model", "aion", "--weights", "random", "--detector", "gaussian"]
    result = CliRunner().invoke(main, [*words, "--data", str(shipped / "spectra")])
    assert result.exit_code == 0, result.stderr
    [scores] = (tmp_path / "home" / "runs").glob("*/scores/aion.mean.spectrum.gaussian.parquet")
    assert pd.read_parquet(scores)["score"].notna().sum() == 7
