"""Raw pictures to a ranked list, as a user types it."""

import re

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


def test_a_folder_of_pictures_ends_in_a_list(pictures):
    scale = "data.inputs.sdss.pixel_scale_arcsec=0.396"
    result = fmb("run", "--data", pictures, *MODEL, "--set", scale)
    assert result.exit_code == 0, result.output
    listed = re.findall(r"^\d +(\d) +top", result.stdout, flags=re.MULTILINE)
    assert len(listed) == len(set(listed)) >= 5
    assert set(listed) <= set("12345678")
    assert "not photometric: display-stretched images carry no flux scale (sdss)" in result.output


def test_a_folder_of_pictures_without_a_pixel_scale_names_the_setting(pictures):
    result = fmb("run", "--data", pictures, *MODEL)
    assert result.exit_code == 2
    [line] = result.stderr.splitlines()
    assert "add --set data.inputs.images.pixel_scale_arcsec=ARCSEC" in line
