"""Versions in use: of Python, of the plugins and of what they compute with."""

import platform
import re
import sys
from importlib.metadata import distributions
from typing import Any

__all__ = ["environment"]

_PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def environment() -> dict[str, Any]:
    """Versions of Python, of FMB's packages and of what these say they depend on."""
    installed = {_normal(dist.name): dist for dist in distributions() if dist.name}
    ours = {
        name: dist
        for name, dist in installed.items()
        if any(entry.group == "fmb" for entry in dist.entry_points)
    }
    needed = {
        _normal(m[0]) for d in ours.values() for m in map(_PROJECT.match, d.requires or ()) if m
    }
    return {
        "python": sys.version.split()[0],
        "platform": f"{platform.system()} {platform.machine()}",
        "plugins": {name: ours[name].version for name in sorted(ours)},
        "packages": {
            name: installed[name].version
            for name in sorted(needed - set(ours))
            if name in installed
        },
    }


def _normal(name: str) -> str:
    """A project's name as the package index compares them."""
    return re.sub(r"[-_.]+", "-", name).lower()
