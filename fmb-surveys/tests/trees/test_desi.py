"""DESI coadds as shipped: arms merged where they share pixels, objects chosen as DESI says."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from click.testing import CliRunner

from fmb import FmbError
from fmb.cli import main
from fmb_surveys.files.stores.arms import grid_of, merged
from fmb_surveys.trees.desi import DesiConfig, open_desi

UNIT, IVAR_UNIT = "10**-17 erg/(s cm2 Angstrom)", "10**+34 (s2 cm4 Angstrom2) / erg2"
GRIDS = {"B": np.arange(10), "R": np.arange(7, 18), "Z": np.arange(16, 30)}
"""Arm -> pixels of the whole grid: three are shared by B and R, two by R and Z."""
FIRST = 39633345008634465


def coadd(folder, name="a", n=3, redrock=True, change=None, **columns):
    """coadd-NAME.fits of n rows and its redrock; `change` takes the extensions by name."""
    rng = np.random.default_rng(n)
    fibermap = {
        "TARGETID": FIRST + np.arange(n),
        "TARGET_RA": 10.0 + np.arange(n),
        "TARGET_DEC": -1.0 * np.arange(n),
        "OBJTYPE": np.array(["TGT"] * n),
        "COADD_FIBERSTATUS": np.zeros(n, np.int32),
        "COADD_EXPTIME": np.arange(n, dtype=np.float32),
        "EBV": np.full(n, 0.05, np.float32),
        "FLUX_R": np.full(n, 3.0, np.float32),
        **columns,
    }
    hdus = {
        "PRIMARY": fits.PrimaryHDU(),
        "FIBERMAP": table("FIBERMAP", fibermap, FLUX_R="nanomaggy"),
    }
    for arm, pixels in GRIDS.items():
        shape = (n, len(pixels))
        parts = {
            "WAVELENGTH": (3600.0 + 0.8 * pixels, "Angstrom"),
            "FLUX": (rng.normal(5, 1, shape).astype(np.float32), UNIT),
            "IVAR": (rng.uniform(0.5, 2, shape).astype(np.float32), IVAR_UNIT),
            "MASK": ((rng.uniform(size=shape) < 0.2).astype(np.int32), ""),
        }
        for part, (values, unit) in parts.items():
            hdus[f"{arm}_{part}"] = fits.ImageHDU(values, name=f"{arm}_{part}")
            if unit:
                hdus[f"{arm}_{part}"].header["BUNIT"] = unit
    if change:
        change(hdus)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"coadd-{name}.fits"
    fits.HDUList(list(hdus.values())).writeto(path, overwrite=True)
    if redrock:
        order = np.arange(n)[::-1]  # not the order of the coadd
        values = {
            "TARGETID": fibermap["TARGETID"][order],
            "Z": 0.1 + 0.01 * order,
            "ZWARN": np.zeros(n, np.int64),
            "SPECTYPE": np.array(["GALAXY"] * n),
        }
        write_redrock(folder / f"redrock-{name}.fits", values)
    return path


def write_redrock(path, values, extension="REDSHIFTS"):
    fits.HDUList([fits.PrimaryHDU(), table(extension, values)]).writeto(path, overwrite=True)


def table(extension, columns, **units):
    formats = {"i": "K", "f": "D", "U": "8A", "b": "L"}
    made = [
        fits.Column(name, formats[values.dtype.kind], array=values, unit=units.get(name))
        for name, values in columns.items()
    ]
    return fits.BinTableHDU.from_columns(made, name=extension)


def opened(path, tmp_path, **said):
    return open_desi(str(path), DesiConfig(**said), cache=tmp_path / "cache")


def by_hand(path, row):
    """Flux, ivar and bad pixels of a row: pixel by pixel, in Python's own numbers."""
    flux, ivar, bad = [], [], []
    with fits.open(path) as hdus:
        for pixel in range(30):
            seen = []
            for arm, pixels in GRIDS.items():
                if pixel in pixels:
                    at = row, int(pixel - pixels[0])
                    good = hdus[f"{arm}_MASK"].data[at] == 0 and hdus[f"{arm}_IVAR"].data[at] > 0
                    value, weight = (float(hdus[f"{arm}_{p}"].data[at]) for p in ("FLUX", "IVAR"))
                    seen.append((good, value, weight))
            good = [(value, weight) for is_good, value, weight in seen if is_good]
            total = sum(weight for _, weight in good)
            bad.append(not good)
            ivar.append(total)
            flux.append(sum(v * w for v, w in good) / total if good else seen[0][1])
    return np.array(flux), np.array(ivar), np.array(bad)


def test_arms_are_merged_by_inverse_variance_where_they_share_pixels(tmp_path):
    path = coadd(tmp_path / "s", n=4)
    dataset = opened(tmp_path / "s", tmp_path)
    rows = np.array([2, 0, 3, 1])
    spectra = dataset.read(rows).inputs["desi"]
    assert np.allclose(spectra.wavelength_aa, 3600 + 0.8 * np.arange(30), rtol=0, atol=1e-9)
    for at, row in enumerate(rows):
        flux, ivar, bad = by_hand(path, row)
        assert np.allclose(spectra.flux[at], flux, rtol=1e-6)  # float32 of a float64 sum
        assert np.allclose(spectra.ivar[at], ivar, rtol=1e-6)
        assert np.array_equal(spectra.mask[at], bad)
    assert spectra.unit == "1e-17 erg / (s cm2 Angstrom)"


def test_where_one_arm_alone_is_good_its_numbers_stay_bit_for_bit():
    flux = [np.float32([[1.1, 2.2, 3.3]]), np.float32([[9.9, 4.4]])]
    ivar = [np.float32([[0.3, 0.7, 0.1]]), np.float32([[0.9, 0.6]])]
    mask = [np.array([[0, 0, 1]]), np.array([[0, 0]])]
    grid = grid_of([np.array([1.0, 2.0, 3.0]), np.array([3.0, 4.0])], "here")
    got_flux, got_ivar, bad = merged(grid, list(zip(flux, ivar, mask, strict=True)))
    assert got_flux.tolist() == np.float32([[1.1, 2.2, 9.9, 4.4]]).tolist()
    assert got_ivar.tolist() == np.float32([[0.3, 0.7, 0.9, 0.6]]).tolist()
    assert not bad.any()


def test_an_infinite_flux_or_variance_of_one_arm_leaves_the_other():
    grid = grid_of([np.array([1.0, 2.0]), np.array([2.0, 3.0])], "here")
    first = np.float32([[1, np.nan]]), np.float32([[1, 1]]), np.zeros((1, 2))
    other = np.float32([[5, 6]]), np.float32([[2, np.inf]]), np.zeros((1, 2))
    flux, ivar, bad = merged(grid, [first, other])
    assert flux[0, :2].tolist() == [1, 5]
    assert ivar.tolist() == [[1, 2, 0]]
    assert bad.tolist() == [[False, False, True]]


def test_rows_are_chosen_as_desi_says_and_the_others_counted(tmp_path):
    coadd(
        tmp_path / "s",
        n=6,
        OBJTYPE=np.array(["TGT", "SKY", "TGT", "TGT", "SKY", "TGT"]),
        COADD_FIBERSTATUS=np.array([0, 0, 512, 0, 8, 0]),
        ZCAT_PRIMARY=np.array([True, True, True, False, True, True]),
    )
    dataset = opened(tmp_path / "s", tmp_path)
    assert dataset.ids.tolist() == [FIRST, FIRST + 5]
    told = "\n".join(dataset.described)
    assert "6 rows of 1 files" in told
    assert "2 rows left out: no target (OBJTYPE)" in told
    assert "1 rows left out: a bad fibre (COADD_FIBERSTATUS)" in told
    assert "1 rows left out: not primary (ZCAT_PRIMARY)" in told
    every = {"targets_only": False, "good_fibers_only": False, "primary_only": False}
    assert len(opened(tmp_path / "s", tmp_path, **every)) == 6


def test_redshifts_are_those_of_the_same_target(tmp_path):
    coadd(tmp_path / "s", "a", n=3)
    coadd(tmp_path / "s", "b", n=2, redrock=False, TARGETID=np.array([7, 5]))
    dataset = opened(tmp_path / "s", tmp_path)
    known = dict(zip(dataset.ids.tolist(), dataset.catalog["redshift"], strict=True))
    expected = {FIRST: 0.1, FIRST + 1: 0.11, FIRST + 2: 0.12}
    assert {k: v for k, v in known.items() if k in expected} == pytest.approx(expected)
    assert np.isnan(known[5])
    assert np.isnan(known[7])
    assert "1 files have no redrock-*: their objects no redshift" in dataset.described
    assert dataset.catalog.attrs["units"]["FLUX_R"] == "nanomaggy"
    assert dataset.catalog.attrs["roles"]["ebv"] == "EBV"


def test_of_repeats_the_longest_exposure_is_kept_when_asked_for(tmp_path):
    coadd(tmp_path / "s", "a", n=2, COADD_EXPTIME=np.array([900.0, 100.0]))
    path = coadd(tmp_path / "s", "b", n=2, COADD_EXPTIME=np.array([300.0, 800.0]))
    dataset = opened(tmp_path / "s", tmp_path, repeats="longest")
    assert sorted(dataset.catalog["COADD_EXPTIME"]) == [800, 900]
    at = dataset.ids.tolist().index(FIRST + 1)
    flux = dataset.read(np.array([at])).inputs["desi"].flux[0]
    assert np.allclose(flux, by_hand(path, 1)[0], rtol=1e-6)
    assert "2 rows left out: a longer COADD_EXPTIME of their TARGETID" in dataset.described


def test_an_object_is_told_anew_when_its_file_changes(tmp_path):
    coadd(tmp_path / "s", "a", n=2)
    coadd(tmp_path / "s", "b", n=1, TARGETID=np.array([3]))
    before = opened(tmp_path / "s", tmp_path)
    coadd(tmp_path / "s", "b", n=1, TARGETID=np.array([3]), FLUX_R=np.array([1.0]))
    after = opened(tmp_path / "s", tmp_path)
    same = before.inputs["desi"].origin == after.inputs["desi"].origin
    assert same.tolist() == (before.ids != 3).tolist()
    assert before.identity != after.identity


def no(extension):
    return lambda hdus: hdus.pop(extension)


def put(extension, make):
    def change(hdus):
        header = hdus[extension].header
        hdus[extension] = fits.ImageHDU(make(hdus[extension].data), name=extension)
        if "BUNIT" in header:
            hdus[extension].header["BUNIT"] = header["BUNIT"]

    return change


def unit(extension, text):
    return lambda hdus: hdus[extension].header.update({"BUNIT": text})


def all_units(text):
    return lambda hdus: [h.header.update({"BUNIT": text}) for n, h in hdus.items() if "_FLUX" in n]


def shorter_map(hdus):
    hdus["FIBERMAP"] = table("FIBERMAP", {"TARGETID": np.array([1])})


def other_map(hdus):
    hdus["FIBERMAP"] = table("FIBERMAP", {"TARGET": np.array([1, 2, 3])})


@pytest.mark.parametrize(
    ("change", "pattern"),
    [
        (no("R_FLUX"), r"there are wavelengths between its arms that none of them has"),
        (no("R_IVAR"), r"has no extension 'R_IVAR'"),
        (no("Z_MASK"), r"has no extension 'Z_MASK'"),
        (no("B_WAVELENGTH"), r"has no extension 'B_WAVELENGTH'"),
        (no("FIBERMAP"), r"has no FIBERMAP with TARGETID: not a coadd of DESI"),
        (other_map, r"has no FIBERMAP with TARGETID"),
        (shorter_map, r"FIBERMAP has not the 3 rows of the spectra"),
        (put("R_WAVELENGTH", lambda w: w + 0.3), r"pixels between those of others; none is moved"),
        (put("R_WAVELENGTH", lambda w: w[::-1]), r"no wavelengths in even, ascending steps"),
        (
            put("R_WAVELENGTH", lambda w: w * np.linspace(1, 1.01, 11)),
            r"no wavelengths in even, ascending steps",
        ),
        (put("R_WAVELENGTH", lambda w: w[None]), r"R_WAVELENGTH has shape"),
        (put("R_FLUX", lambda f: f[:, :-1]), r"R_FLUX has shape \(3, 10\), expected \(3, 11\)"),
        (put("Z_IVAR", lambda f: f[:-1]), r"Z_IVAR has shape \(2, 14\), expected \(3, 14\)"),
        (put("B_FLUX", lambda f: f[0]), r"B_FLUX has shape"),
        (unit("R_FLUX", "Jy"), r"arms have flux in .*'R': 'Jy'.*: write them in one unit"),
        (unit("B_IVAR", "erg-2"), r"arms have ivar in"),
        (all_units(""), r"does not tell the unit of flux: say it, as in --set data.inputs.desi"),
        (all_units("florins"), r"flux is in 'florins', which astropy does not know"),
        (all_units("10**-17 W/(m2 Angstrom)"), r"'ivar' is in .* by unit of the survey.toml"),
    ],
)
def test_a_coadd_that_does_not_hold_together_is_refused_in_one_line(tmp_path, change, pattern):
    coadd(tmp_path / "s", change=change)
    refused(tmp_path, pattern)


def refused(tmp_path, pattern, **said):
    with pytest.raises(FmbError, match=pattern) as caught:
        opened(tmp_path / "s", tmp_path, **said)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("change", "pattern"),
    [
        (lambda s: (s / "coadd-a.fits").write_bytes(b""), r"coadd-a.fits: not a FITS file"),
        (
            lambda s: (s / "coadd-a.fits").write_bytes((s / "coadd-a.fits").read_bytes()[:20000]),
            r"coadd-a.fits: the FITS file is cut short",
        ),
        (lambda s: (s / "redrock-a.fits").write_bytes(b"x"), r"redrock-a.fits: not a FITS file"),
        (
            lambda s: write_redrock(s / "redrock-a.fits", {"TARGETID": np.array([1])}),
            r"redrock-a.fits: has no REDSHIFTS with TARGETID and Z",
        ),
        (
            lambda s: write_redrock(
                s / "redrock-a.fits", {"TARGETID": np.array([4, 4]), "Z": np.array([0.1, 0.2])}
            ),
            r"redrock-a.fits: TARGETID: 1 ids stand in more than one row",
        ),
        (
            lambda s: write_redrock(
                s / "redrock-a.fits", {"TARGETID": np.array([4.0]), "Z": np.array([0.1])}
            ),
            r"redrock-a.fits: TARGETID: ids are floats",
        ),
        (lambda s: coadd(s, "b"), r"TARGETID \d+ is in row 0 of .*-a.fits and row 0 of .*-b.fits"),
        (lambda s: coadd(s, OBJTYPE=np.array(["SKY"] * 3)), r"no row is left: 3 rows of 1 files"),
        (lambda s: (s / "coadd-c.fits").symlink_to(s / "coadd-c.fits"), r"Too many levels"),
    ],
)
def test_a_folder_that_does_not_hold_together_is_refused_in_one_line(tmp_path, change, pattern):
    coadd(tmp_path / "s")
    change(tmp_path / "s")
    refused(tmp_path, pattern)


@pytest.fixture
def shipped() -> Path:
    folder = os.environ.get("FMB_TEST_DATA", "")
    if not folder:
        pytest.skip("FMB_TEST_DATA does not name the folder of real data")
    return Path(folder) / "desi_spectra" / "as_shipped"


def test_the_shipped_files_equal_what_astropy_reads(shipped, tmp_path):
    dataset = opened(shipped, tmp_path)
    assert dataset.ids.tolist() == [39633345008634465, 39089837499744649]
    spectra = dataset.read(np.arange(2)).inputs["desi"]
    assert spectra.flux.shape == (2, 7781)
    for at, name in enumerate(("4-80613-thru20210324", "special-dark-27247")):
        with fits.open(shipped / f"coadd-{name}.fits") as hdus:
            total, weighted = np.zeros(7781), np.zeros(7781)
            for arm in "BRZ":
                wave = hdus[f"{arm}_WAVELENGTH"].data
                start = int(np.rint((wave[0] - 3600) / 0.8))
                pixels = np.s_[start : start + len(wave)]
                assert np.allclose(spectra.wavelength_aa[pixels], wave, rtol=0, atol=1e-6)
                good = hdus[f"{arm}_MASK"].data[0] == 0
                weight = np.where(good, hdus[f"{arm}_IVAR"].data[0], 0).astype(float)
                total[pixels] += weight
                weighted[pixels] += weight * hdus[f"{arm}_FLUX"].data[0]
        good = total > 0
        assert np.array_equal(spectra.mask[at], ~good)
        assert np.allclose(spectra.ivar[at], total, rtol=1e-6)
        assert np.allclose(spectra.flux[at, good], weighted[good] / total[good], rtol=1e-5)
        with fits.open(shipped / f"redrock-{name}.fits") as hdus:
            assert dataset.catalog["redshift"][at] == hdus["REDSHIFTS"].data["Z"][0]


def ran(tmp_path, monkeypatch, *words):
    monkeypatch.setenv("FMB_HOME", str(tmp_path / "home"))
    result = CliRunner().invoke(main, [*map(str, words), "--model", "aion", "--weights", "random"])
    assert result.exit_code == 0, result.stderr
    return tmp_path / "home"


def test_two_objects_as_shipped_are_embedded(shipped, tmp_path, monkeypatch):
    home = ran(tmp_path, monkeypatch, "embed", "--data", shipped)
    assert list((home / "embeddings").rglob("*.safetensors"))


def test_a_folder_goes_from_files_to_a_list(tmp_path, monkeypatch):
    whole = {"B": np.arange(2751), "R": np.arange(2700, 5026), "Z": np.arange(4900, 7781)}
    monkeypatch.setattr(f"{__name__}.GRIDS", whole)
    coadd(tmp_path / "s", n=12)
    home = ran(tmp_path, monkeypatch, "run", "--data", tmp_path / "s", "--detector", "gaussian")
    [scores] = (home / "runs").glob("*/scores/aion.mean.spectrum.gaussian.parquet")
    assert pd.read_parquet(scores)["score"].notna().sum() == 12
