"""Where FMB keeps things: one workspace folder with data, weights, embeddings, figures and runs."""

import os
from pathlib import Path

__all__ = ["workspace"]

FOLDERS = ("data", "weights", "inputs", "embeddings", "lists", "figures", "runs", "labels")
"""What a workspace holds."""


def workspace() -> Path:
    """The folder named by FMB_HOME, else `fmb-runs` in the current folder."""
    home = os.environ.get("FMB_HOME", "")
    return Path(home).expanduser() if home else Path("fmb-runs")
