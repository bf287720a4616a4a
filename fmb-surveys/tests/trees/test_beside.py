"""What else is in the folder of a tree is named in one line, and not read."""

import json
import shutil

import pytest


@pytest.fixture
def pairs(trees, tmp_path):
    """Seven spectra of SDSS, their pictures, and the catalogue of both."""
    folder = tmp_path / "pairs"
    shutil.copytree(trees.parent / "pairs_sdss", folder)
    return folder


def test_data_beside_what_is_read_is_named_with_its_number(pairs, fmb):
    (pairs / "notes.txt").touch()
    (pairs / "plots").mkdir()
    [told] = json.loads(fmb("data", "show", str(pairs), "--json").stdout)["warnings"]
    assert told.startswith("not read: images/ (7 JPEG), pairs.csv; fmb data index")
    shown = fmb("data", "show", str(pairs)).stdout
    assert told in " ".join(shown.split())
    assert max(map(len, shown.splitlines())) <= 80


def test_a_folder_whose_data_is_all_read_says_nothing(pairs, fmb):
    shutil.rmtree(pairs / "images")
    catalog = f"data.catalog.join.pairs.file={pairs}/pairs.csv"
    key = "data.catalog.join.pairs.on={left='bestobjid',right='objid'}"
    found = fmb("data", "show", str(pairs / "spectra"))
    assert "not read" not in found.output
    assert "not read: pairs.csv;" in fmb("data", "show", str(pairs)).stdout
    words = ("--model", "astropt", "--weights", "random", "--detector", "gaussian", "--dry-run")
    done = fmb("run", "--data", str(pairs), *words, "--set", catalog, "--set", key)
    assert done.exit_code == 0, done.output
    assert "not read" not in done.output


def test_pictures_say_what_lies_below_them(pairs, fmb):
    (pairs / "spectra").rename(pairs / "images" / "spectra")
    scale = ("--set", "data.inputs.images.pixel_scale_arcsec=0.396")
    words = ("--model", "astropt", "--weights", "random", "--detector", "gaussian", *scale)
    bands = ("--set", "model.astropt.bands=['R','G','B']", "--dry-run")
    done = fmb("run", "--data", str(pairs / "images"), "--reader", "jpeg-png", *words, *bands)
    assert done.exit_code == 0, done.output
    assert "not read: spectra/ (7 FITS);" in done.output
