"""Raw pictures to a ranked list, as a user types it."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from fmb.cli import main

Image = pytest.importorskip("PIL.Image")


def fmb(*args):
    return CliRunner().invoke(main, list(map(str, args)), prog_name="fmb")


MODEL = ["--model", "astropt", "--weights", "random", "--detector", "gaussian"]
MODEL += ["--set", 'model.astropt.bands=["R", "G", "B"]', "--set", "model.astropt.preset=tiny"]


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    """Eight colour pictures, named by their ids."""
    monkeypatch.setenv("FMB_HOME", str(tmp_path / "home"))
    folder = tmp_path / "cutouts"
    folder.mkdir()
    rng = np.random.default_rng(4)
    for row in range(8):
        picture = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(picture).save(folder / f"{row + 1}.png")
    return folder


@pytest.fixture
def real_pairs():
    """Real pairs: a catalogue that names a JPEG picture and a spectrum of each galaxy."""
    if not os.environ.get("FMB_TEST_DATA"):
        pytest.skip("FMB_TEST_DATA does not name the folder of real data")
    return Path(os.environ["FMB_TEST_DATA"]) / "pairs_sdss"


def test_a_folder_of_pictures_ends_in_a_list(pictures):
    scale = "data.inputs.sdss.pixel_scale_arcsec=0.396"
    result = fmb("run", "--data", pictures, *MODEL, "--set", scale)
    assert result.exit_code == 0, result.output
    listed = re.findall(r"^\d +(\d) +top", result.stdout, flags=re.MULTILINE)
    assert len(listed) == len(set(listed)) >= 5
    assert set(listed) <= set("12345678")
    assert "not photometric: display-stretched images carry no flux scale (sdss)" in result.output


def test_a_run_that_skips_broken_pictures_notes_each_and_ranks_the_rest(pictures):
    (pictures / "3.png").write_bytes((pictures / "3.png").read_bytes()[:-40])
    scale = ["--set", "data.inputs.sdss.pixel_scale_arcsec=0.396"]
    result = fmb("run", "--data", pictures, *MODEL, *scale)
    assert result.exit_code == 2
    assert "3.png is damaged" in result.stderr
    result = fmb("run", "--data", pictures, *MODEL, *scale, "--skip-bad")
    assert result.exit_code == 0, result.output
    listed = re.findall(r"^\d +(\d) +top", result.stdout, flags=re.MULTILINE)
    assert len(listed) >= 5
    assert "3" not in listed
    assert "sdss: 1 object left out, whose files are broken" in result.stderr
    [log] = (pictures.parent / "home" / "runs").glob("*/run.log")
    assert re.search(r"sdss: 3 is left out: .*3\.png is damaged", log.read_text())


def test_a_folder_of_pictures_without_a_pixel_scale_names_the_setting(pictures):
    result = fmb("run", "--data", pictures, *MODEL)
    assert result.exit_code == 2
    [line] = result.stderr.splitlines()
    assert "add --set data.inputs.images.pixel_scale_arcsec=ARCSEC" in line


def test_pictures_named_in_a_catalogue_end_in_a_list(real_pairs, tmp_path, monkeypatch):
    monkeypatch.setenv("FMB_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    catalog = ["--catalog", real_pairs / "pairs.csv", "--id", "objid", "--redshift", "z"]
    images = ["--images", f"sdss={real_pairs}/images/{{image}}", "--pixel-scale", "0.396"]
    assert fmb("data", "index", *catalog, *images, "--out", "survey.toml").exit_code == 0
    result = fmb("run", "--data", "survey.toml", *MODEL)
    assert result.exit_code == 0, result.output
    listed = re.findall(r"^\d +(\d{19}) +top", result.stdout, flags=re.MULTILINE)
    there = {path.stem for path in (real_pairs / "images").iterdir()}
    assert len(listed) == len(set(listed)) >= 5
    assert set(listed) <= there
