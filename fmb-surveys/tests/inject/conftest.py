"""`fmb inject` in this process, and small simulated surveys to inject into."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from fmb.cli import main
from fmb_surveys.demo.survey import DemoSurvey
from fmb_surveys.files.reader import FilesConfig, open_survey_file, write_survey

PICTURES = """
name = "pictures"
file = "pictures.h5"

[catalog]
id = "object_id"

[inputs.cam]
kind = "images"
flux = "image"
bands = ["VIS"]
unit = "display"
pixel_scale_arcsec = 0.1
"""


@pytest.fixture
def fmb(tmp_path, monkeypatch):
    """fmb("inject", ...): the result; a fault that is no user's mistake is raised."""
    monkeypatch.setenv("FMB_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments):
        result = CliRunner().invoke(main, list(map(str, arguments)), prog_name="fmb")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


@pytest.fixture(scope="session")
def sky(tmp_path_factory) -> Path:
    """60 simulated galaxies with images and spectra, as files of a survey of one's own."""
    folder = tmp_path_factory.mktemp("sky") / "survey"
    write_survey(folder, DemoSurvey(60, seed=101, inputs=("euclid", "desi")))
    return folder


@pytest.fixture(scope="session")
def images_alone(tmp_path_factory) -> Path:
    """30 simulated galaxies without spectra."""
    folder = tmp_path_factory.mktemp("images") / "survey"
    write_survey(folder, DemoSurvey(30, seed=102, inputs=("euclid",)))
    return folder


@pytest.fixture(scope="session")
def spectra_alone(tmp_path_factory) -> Path:
    """50 simulated galaxies without images."""
    folder = tmp_path_factory.mktemp("spectra") / "survey"
    write_survey(folder, DemoSurvey(50, seed=103, inputs=("desi",)))
    return folder


@pytest.fixture(scope="session")
def pictures(tmp_path_factory) -> Path:
    """20 pictures of eight bits: a blob on a grey sky."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:64, :64] - 31.5
    blob = 200.0 * np.exp(-(x**2 + y**2) / 30.0) + 40.0
    with h5py.File(folder / "pictures.h5", "w") as file:
        noisy = blob + rng.normal(0.0, 5.0, (20, 64, 64))
        file["image"] = np.clip(noisy, 0, 255).astype(np.uint8)
        file["object_id"] = np.arange(20, dtype=np.int64) + 100
    (folder / "survey.toml").write_text(PICTURES)
    return folder


@pytest.fixture
def opened(tmp_path):
    """The survey in a folder."""
    return lambda folder: open_survey_file(str(folder), FilesConfig(), cache=tmp_path / "cache")
