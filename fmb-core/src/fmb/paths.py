"""Where FMB keeps things: one workspace folder with data, weights, embeddings and runs."""

import os
from pathlib import Path

from fmb.contract.errors import FailedError

__all__ = ["ensure_folder", "workspace"]

FOLDERS = ("data", "weights", "embeddings", "runs")
"""What a workspace holds."""


def workspace() -> Path:
    """The folder named by FMB_HOME, else `fmb-runs` in the current folder."""
    home = os.environ.get("FMB_HOME", "")
    return Path(home).expanduser() if home else Path("fmb-runs")


def ensure_folder(folder: Path) -> Path:
    """`folder`, made if it is not there.

    Raises:
        FailedError: it cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FailedError(
            f"cannot make {folder}: {error.strerror}; choose another workspace with FMB_HOME"
        ) from None
    if not os.access(folder, os.W_OK):
        raise FailedError(
            f"no permission to write in {folder}; choose another workspace with FMB_HOME"
        )
    return folder
