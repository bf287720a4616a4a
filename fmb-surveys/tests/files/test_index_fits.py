"""`fmb data index` takes from FITS files of one object each what they say of themselves."""

import json
import re
import shlex
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from click.testing import CliRunner

from fmb.cli import main
from fmb.datasets import open_dataset

DOCS = Path(__file__).parents[3] / "docs" / "read-sdss-spectra.md"
RNG = np.random.default_rng(8)
FLUX = RNG.normal(size=(3, 12)).astype(np.float32)
LENGTHS = (9, 12, 10)
IMAGES = RNG.normal(size=(3, 6, 6)).astype(np.float32)
CATALOG = ["--catalog", "cat.csv", "--id", "name"]
SPECTRA = ["--spectra", "spec/{name}.fits"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A catalogue, a spectrum each of its own length, and an image each."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FMB_HOME", str(tmp_path / "home"))
    pd.DataFrame({"name": ["a1", "b2", "c3"]}).to_csv("cat.csv", index=False)
    for place in ("spec", "cut"):
        (tmp_path / place).mkdir()
    for row, name in enumerate(("a1", "b2", "c3")):
        n = LENGTHS[row]
        columns = [
            fits.Column("FLUX", "E", unit="Jy", array=FLUX[row, :n]),
            fits.Column("IVAR", "E", array=np.full(n, 4.0)),
            fits.Column("LOGLAM", "D", array=3.6 + 1e-3 * np.arange(n)),
        ]
        table = fits.BinTableHDU.from_columns(columns)
        fits.HDUList([fits.PrimaryHDU(), table]).writeto(f"spec/{name}.fits")
        header = fits.Header({"BUNIT": "nJy", "FILTER": "r"})
        header.update({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CD1_1": -0.2 / 3600})
        header.update(
            {"CD2_2": 0.2 / 3600, "CRVAL1": 10.0, "CRVAL2": 0.0, "CRPIX1": 3, "CRPIX2": 3}
        )
        fits.PrimaryHDU(IMAGES[row], header).writeto(f"cut/{name}.fits")
    return tmp_path


def fmb(*words):
    return CliRunner().invoke(main, [*map(str, words)], prog_name="fmb")


def described(*words):
    done = fmb("data", "index", *CATALOG, *words, "--out", "out.toml", "--overwrite")
    assert done.exit_code == 0, done.output
    return tomllib.loads(Path("out.toml").read_text())["inputs"]


def test_spectra_of_several_lengths_are_padded_to_the_longest(folder):
    assert described(*SPECTRA)["spectra"] == {
        "kind": "spectra",
        "files": "out.index.parquet",
        "flux": "flux",
        "ivar": "ivar",
        "loglam": "loglam",
        "unit": "Jy",
        "pixels": 12,
    }
    read = open_dataset("out.toml", cache=folder / "c").read(np.arange(3)).inputs["spectra"]
    for row, n in enumerate(LENGTHS):
        assert np.array_equal(read.flux[row, :n], FLUX[row, :n])
        assert read.mask[row].tolist() == [False] * n + [True] * (12 - n)
        # Doubles of a power of ten are good to a few units of the last of 16 digits.
        expected = 10 ** (3.6 + 1e-3 * np.arange(n))
        assert np.allclose(read.wavelength_aa[row, :n], expected, rtol=1e-12)


def test_what_a_user_says_stands_before_what_files_say(folder):
    longer = ("--set", "inputs.spectra.pixels=20", "--set", "data.inputs.spectra.error=ivar")
    said = described(*SPECTRA, *longer)["spectra"]
    assert (said["pixels"], said["error"]) == (20, "ivar")
    assert "ivar" not in said
    wrong = ("data", "index", *CATALOG, *SPECTRA, "--spectra-unit", "nJy", "--out", "no.toml")
    refused = fmb(*wrong)
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    assert "Jy" in refused.stderr
    assert not (folder / "no.toml").exists()


def test_headers_of_images_tell_band_unit_and_scale(folder):
    said = described("--images", "cut/{name}.fits")["images"]
    assert {key: said[key] for key in ("bands", "unit", "pixel_scale_arcsec", "flux")} == {
        "bands": ["r"],
        "unit": "nJy",
        "pixel_scale_arcsec": 0.2,
        "flux": "0",
    }
    read = open_dataset("out.toml", cache=folder / "c").read(np.arange(3)).inputs["images"]
    assert np.array_equal(read.flux[:, 0], IMAGES)


def test_a_spectrum_of_sdss_is_known_under_any_name(folder, real_data):
    for name, path in zip(
        ("a1", "b2", "c3"), sorted((real_data / "pairs_sdss/spectra").iterdir()), strict=False
    ):
        shutil.copy(path, f"spec/{name}.fits")
    said = described(*SPECTRA)["spectra"]
    assert said["mask_bits"] == [23]
    assert (said["mask"], said["lsf"], said["lsf_unit"]) == ("1/and_mask", "1/wdisp", "pixel")
    assert said["unit"] == "1e-17 erg / (s cm2 Angstrom)"


def listed(data, out):
    bands = ("--set", "model.astropt.bands=['R','G','B']", "--allow-out-of-domain")
    words = ("--model", "astropt", "--weights", "random", "--detector", "gaussian", *bands)
    done = fmb("run", "--data", data, *words, "--out", out)
    assert done.exit_code == 0, done.output
    lists = json.loads(fmb("top", out, "-k", 7, "--json").stdout)
    return {
        name: [(row["object_id"], row["rank"], row["score"]) for row in rows]
        for name, rows in lists.items()
    }


def test_an_index_of_pictures_and_spectra_lists_what_a_join_of_them_does(folder, real_data):
    for name in ("pairs.csv", "images", "spectra"):
        (folder / name).symlink_to(real_data / "pairs_sdss" / name)
    [both] = re.findall(r"^\$ fmb (data index --catalog .*)$", DOCS.read_text(), re.MULTILINE)
    assert fmb(*shlex.split(both)).exit_code == 0
    words = ("--catalog", "pairs.csv", "--id", "objid", "--pixel-scale", 0.396)
    images = ("--images", "images/{image}", "--out", "img.toml")
    assert fmb("data", "index", *words, *images).exit_code == 0
    on = ("--on", "object_id=bestobjid", "--out", "joined.toml")
    assert fmb("data", "join", "img.toml", "spectra", *on).exit_code == 0
    found = listed("survey.toml", "indexed")
    assert {len(rows) for rows in found.values()} == {7}
    assert found == listed("joined.toml", "joined")
