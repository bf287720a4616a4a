"""A small survey on disk and the command line in this process."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner, Result

# The stranger's package is not installed here; test_wheels.py runs its tests where it is.
collect_ignore = ["third_party", "counting_model"]

SURVEY = """
name = "tiny"
file = "tiny.h5"

[catalog]
id = "object_id"
ra = "ra"
dec = "dec"
redshift = "redshift"
columns = ["mag"]

[inputs.euclid]
kind = "images"
flux = "image/flux"
bands = ["VIS", "NISP-Y", "NISP-J", "NISP-H"]
unit = "uJy"
pixel_scale_arcsec = 0.1

[inputs.desi]
kind = "spectra"
flux = "spectrum/flux"
ivar = "spectrum/ivar"
wavelength = "spectrum/wavelength"
unit = "1e-17 erg / (s cm2 Angstrom)"
"""


def tiny_arrays(n: int) -> dict[str, np.ndarray]:
    """Noise with a blob and a slope: enough for every object to differ."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:32, :32] - 15.5
    blob = np.exp(-(x**2 + y**2) / rng.uniform(10, 40, (n, 1, 1, 1)))
    wavelength = np.linspace(3600, 9824, 800)
    slope = rng.normal(0, 1, (n, 1)) * (wavelength - 6700) / 3000
    return {
        "object_id": np.arange(n, dtype=np.int64) * 7919 - 50_000,
        "ra": rng.uniform(0, 10, n),
        "dec": rng.uniform(-5, 5, n),
        "redshift": rng.uniform(0.05, 0.5, n),
        "mag": rng.uniform(18, 22, n),
        "image/flux": (10 * blob + rng.normal(0, 1, (n, 4, 32, 32))).astype(np.float32),
        "spectrum/flux": (3 + slope + rng.normal(0, 1, (n, 800))).astype(np.float32),
        "spectrum/ivar": np.ones((n, 800), dtype=np.float32),
        "spectrum/wavelength": wavelength,
    }


@pytest.fixture(scope="session")
def make_survey() -> Callable[..., Path]:
    """Write a small survey: make_survey(folder, n=40, toml=..., change=...); gives survey.toml.

    `change` may alter the arrays (a dict by dataset name) before they are written.
    """

    def make(
        folder: Path,
        n: int = 40,
        toml: str = SURVEY,
        change: Callable[[dict[str, np.ndarray]], Any] = lambda arrays: None,
    ) -> Path:
        arrays = tiny_arrays(n)
        change(arrays)
        folder.mkdir(parents=True, exist_ok=True)
        with h5py.File(folder / "tiny.h5", "w") as file:
            for name, values in arrays.items():
                file[name] = values
        path = folder / "survey.toml"
        path.write_text(toml)
        return path

    return make


@pytest.fixture
def survey(tmp_path: Path, make_survey: Callable[..., Path]) -> Path:
    """survey.toml of 40 objects with images and spectra."""
    return make_survey(tmp_path / "tiny")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace; the current folder is its parent."""
    monkeypatch.setenv("FMB_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.fixture
def fmb(home: Path) -> Callable[..., Result]:
    """Run `fmb` in this process: fmb("run", "--model", "astropt", ...)."""
    from fmb.cli import main

    def invoke(*args: Any) -> Result:
        result = CliRunner().invoke(main, [str(a) for a in args], prog_name="fmb")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


@pytest.fixture(scope="session")
def process() -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Run `fmb` as a process of its own, as a shell does, in an environment that is all its own.

    process(words, cwd, FMB_HOME=..., LC_ALL=..., shell="{} | head"): a setting that is
    None is not there. With `shell`, {} stands for the command in that line of bash.
    """

    def run(words: str, cwd: Path, shell: str = "", **environment: str | None) -> Any:
        known = {key: value for key, value in os.environ.items() if not key.startswith("FMB_")}
        known = {**known, "OMP_NUM_THREADS": "1", **environment}
        command = shlex.join([sys.executable, "-m", "fmb", *shlex.split(words)])
        line = shell.format(command) if shell else f"exec {command}"
        return subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            env={key: value for key, value in known.items() if value is not None},
            cwd=cwd,
            capture_output=True,
            stdin=subprocess.DEVNULL,
        )

    return run


@pytest.fixture
def counting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Install the model of `counting_model`, in this process and its children.

    counting(version="1.0") installs it, in place of another version; counting.ids() gives the ids
    of the objects that it has encoded since it was asked last.
    """
    return CountingModel(tmp_path, monkeypatch)


class CountingModel:
    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.site, self.log = folder / "counting-site", folder / "encoded.txt"
        shutil.copytree(Path(__file__).parent / "counting_model", self.site)
        monkeypatch.syspath_prepend(str(self.site))
        monkeypatch.setenv("PYTHONPATH", str(self.site))
        monkeypatch.setenv("COUNTING_LOG", str(self.log))
        self("1.0")

    def __call__(self, version: str) -> None:
        for old in self.site.glob("*.dist-info"):
            shutil.rmtree(old)
        info = self.site / f"fmb_counting-{version}.dist-info"
        info.mkdir()
        name = f"Metadata-Version: 2.1\nName: fmb-counting\nVersion: {version}\n"
        (info / "METADATA").write_text(name)
        (info / "entry_points.txt").write_text("[fmb]\ncounting = counting_plugin\n")

    def ids(self) -> list[str]:
        encoded = self.log.read_text().split() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return encoded


@pytest.fixture
def no_longer_than_a_minute() -> Iterator[None]:
    """A read that waits for ever, as of a pipe, is broken off."""

    def stop(*_: Any) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
