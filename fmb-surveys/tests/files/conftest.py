import os
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tomli_w

from fmb_surveys.files.reader import FilesConfig, FilesDataset, open_survey_file

N, PIXELS = 6, 40


def sound_arrays() -> dict[str, Any]:
    """A small survey: two-band images, spectra on a grid of their own each, a catalogue."""
    rng = np.random.default_rng(7)
    grid = 4000.0 + 2.0 * np.arange(PIXELS) + rng.uniform(0, 1, (N, 1))
    return {
        "id": 4_611_686_018_427_387_904 + np.array([5, 1, 4, 2, 0, 3]),
        "ra": rng.uniform(0, 360, N),
        "dec": rng.uniform(-90, 90, N),
        "mag": rng.uniform(18, 22, N),
        "kind": np.array(["spiral", "elliptical"] * 3, dtype=object),
        "image": rng.normal(size=(N, 2, 8, 9)).astype(np.float32),
        "flux": rng.normal(size=(N, PIXELS)).astype(np.float32),
        "ivar": rng.uniform(1, 2, (N, PIXELS)).astype(np.float32),
        "wave": grid,
    }


SOUND = {
    "name": "sound",
    "file": "data.h5",
    "catalog": {"id": "id", "ra": "ra", "dec": "dec", "columns": ["mag", "kind"]},
    "inputs": {
        "cam": {
            "kind": "images",
            "flux": "image",
            "bands": ["G", "R"],
            "unit": "nmgy",
            "pixel_scale_arcsec": 0.25,
        },
        "spec": {
            "kind": "spectra",
            "flux": "flux",
            "ivar": "ivar",
            "wavelength": "wave",
            "unit": "1e-17 erg / (s cm2 Angstrom)",
        },
    },
}


class Files:
    """A survey in a folder, which a test changes before it is opened."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.arrays = sound_arrays()
        self.toml: dict[str, Any] = tomllib.loads(tomli_w.dumps(SOUND))

    @property
    def cam(self) -> dict[str, Any]:
        return self.toml["inputs"]["cam"]

    @property
    def spec(self) -> dict[str, Any]:
        return self.toml["inputs"]["spec"]

    def write(self) -> Path:
        write_h5(self.folder / "data.h5", self.arrays)
        (self.folder / "survey.toml").write_text(tomli_w.dumps(self.toml))
        return self.folder

    def open(self) -> FilesDataset:
        self.write()
        return self.reopen()

    def reopen(self) -> FilesDataset:
        return open_survey_file(str(self.folder), FilesConfig(), cache=self.folder)


def write_h5(path: Path, arrays: dict[str, Any]) -> None:
    with h5py.File(path, "w") as file:
        for name, value in arrays.items():
            file[name] = value


@pytest.fixture
def files(tmp_path) -> Files:
    folder = tmp_path / "survey"
    folder.mkdir()
    return Files(folder)


@pytest.fixture
def make_h5() -> Callable[[Path, dict[str, Any]], None]:
    return write_h5


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real survey files."""
    folder = os.environ.get("FMB_TEST_DATA", "")
    if not folder:
        pytest.skip("FMB_TEST_DATA does not name the folder of real data")
    return Path(folder)
