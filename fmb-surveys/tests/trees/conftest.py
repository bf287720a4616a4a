import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fmb.cli.app import main
from fmb.datasets import open_dataset


@pytest.fixture(scope="session")
def trees() -> Path:
    """The folder of real trees."""
    folder = os.environ.get("FMB_TEST_DATA", "")
    if not folder or not (Path(folder) / "trees").is_dir():
        pytest.skip("FMB_TEST_DATA does not name the folder of real data")
    return Path(folder) / "trees"


@pytest.fixture
def opened(tmp_path) -> Callable[..., Any]:
    """Opens a tree as the commands do, with settings such as {"inputs": {"image": {...}}}."""

    def open_it(source: Path | str, **settings: Any) -> Any:
        return open_dataset(str(source), settings=settings, cache=tmp_path / "home" / "data")

    return open_it


@pytest.fixture
def fmb(tmp_path, monkeypatch) -> Callable[..., Result]:
    """Runs a command in a workspace of its own."""
    monkeypatch.setenv("FMB_HOME", str(tmp_path / "home"))

    def run(*words: str) -> Result:
        return CliRunner().invoke(main, list(words))

    return run
