import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tomli_w

from fmb_surveys.joined.dataset import JoinedDataset
from fmb_surveys.joined.opening import JoinedConfig, open_joined

N = 6
RA = np.array([10.0, 10.01, 10.02, 359.9999, 200.0, 50.0])
DEC = np.array([0.0, 0.0, 60.0, -30.0, 89.9999, 5.0])


def camera() -> dict[str, Any]:
    """Six objects with text ids and images."""
    rng = np.random.default_rng(3)
    return {
        "id": np.array([f"cam-{k}" for k in range(N)], dtype=object),
        "ra": RA.copy(),
        "dec": DEC.copy(),
        "mag": np.arange(20.0, 26.0),
        "target": 39_627_000_000_000_000 + np.arange(N),
        "image": rng.normal(size=(N, 1, 5, 5)).astype(np.float32),
    }


def spectrograph() -> dict[str, Any]:
    """Objects 4, 3, 0 and 1 of these, 0.3 arcsec to the north, under ids of their own."""
    rng, of = np.random.default_rng(4), np.array([4, 3, 0, 1])
    return {
        "id": 39_627_000_000_000_000 + of,
        "ra": RA[of],
        "dec": DEC[of] + np.array([-0.3, 0.3, 0.3, 0.3]) / 3600,
        "z": np.array([0.4, 0.3, 0.0, 0.1]),
        "rank": np.array([4, 3, 0, 1]),
        "flux": rng.normal(size=(4, 8)).astype(np.float32),
        "wave": 4000.0 + np.arange(8.0),
    }


IMAGES = {
    "kind": "images",
    "flux": "image",
    "bands": ["R"],
    "unit": "nJy",
    "pixel_scale_arcsec": 0.2,
}
SPECTRA = {"kind": "spectra", "flux": "flux", "wavelength": "wave", "unit": "counts"}


class Surveys:
    """Two surveys and the file that joins them, which a test changes before it is opened."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cam, self.spec = camera(), spectrograph()
        self.tables: dict[str, Any] = {
            "cam": {"inputs": {"cam": dict(IMAGES)}},
            "spec": {"inputs": {"spec": dict(SPECTRA)}},
        }
        self.match: dict[str, Any] = {"radius_arcsec": 1.0}
        self.member: dict[str, Any] = {}
        self.first: dict[str, Any] = {}

    def write(self) -> Path:
        extra = {"cam": ["mag", "target"], "spec": ["z", "rank"]}
        for name, arrays in (("cam", self.cam), ("spec", self.spec)):
            folder = self.folder / name
            folder.mkdir(exist_ok=True)
            with h5py.File(folder / "data.h5", "w") as file:
                for key, value in arrays.items():
                    file[key] = value
            positions = {key: key for key in ("ra", "dec") if key in arrays}
            columns = [key for key in extra[name] if key in arrays]
            toml = {
                "name": name,
                "file": "data.h5",
                "catalog": {"id": "id", **positions, "columns": columns},
                **self.tables[name],
            }
            (folder / "survey.toml").write_text(tomli_w.dumps(toml))
        joined = {
            "name": "both",
            "survey": {
                "images": {"path": "cam", **self.first},
                "spectra": {"path": "spec", "match": self.match, **self.member},
            },
        }
        path = self.folder / "survey.toml"
        path.write_text(tomli_w.dumps(joined))
        return path

    def open(self) -> JoinedDataset:
        return open_joined(str(self.write()), JoinedConfig(), cache=self.folder / "cache")


@pytest.fixture
def surveys(tmp_path) -> Surveys:
    return Surveys(tmp_path)


@pytest.fixture
def fmb() -> Callable[..., Any]:
    """The command line in this process."""
    from click.testing import CliRunner

    from fmb.cli import main

    return lambda *arguments: CliRunner().invoke(main, list(map(str, arguments)))


@pytest.fixture(scope="session")
def real_trees() -> Path:
    """The folder of real trees."""
    folder = os.environ.get("FMB_TEST_DATA", "")
    if not folder or not (Path(folder) / "trees").exists():
        pytest.skip("FMB_TEST_DATA does not name the folder of real data")
    return Path(folder) / "trees"
