"""Versions in use: of Python, of the plugins and of what they compute with."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, distributions, version
from typing import Any

__all__ = ["PACKAGES", "environment"]


PACKAGES = ("torch", "numpy", "pandas", "astropy", "h5py", "safetensors", "pydantic", "nflows")
"""Third-party packages whose versions are written into a run's manifest."""


def environment() -> dict[str, Any]:
    """Versions of Python, of FMB's packages and of what they compute with."""
    found = {name: _version(name) for name in PACKAGES}
    ours = {
        dist.name: dist.version
        for dist in distributions()
        if any(entry.group == "fmb" for entry in dist.entry_points)
    }
    return {
        "python": sys.version.split()[0],
        "platform": f"{platform.system()} {platform.machine()}",
        "plugins": dict(sorted(ours.items())),
        "packages": {name: v for name, v in found.items() if v},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
