"""Versions in use: of Python, of the plugins and of what they compute with."""

import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, entry_points, version
from typing import Any

__all__ = ["environment"]

_PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def environment() -> dict[str, Any]:
    """Versions of Python, of FMB's packages and of what these say they depend on."""
    ours = {_normal(one.dist.name): one.dist for one in entry_points(group="fmb") if one.dist}
    needed = {
        _normal(m[0]) for d in ours.values() for m in map(_PROJECT.match, d.requires or ()) if m
    }
    found = {name: _version(name) for name in sorted(needed - set(ours))}
    return {
        "python": sys.version.split()[0],
        "platform": f"{platform.system()} {platform.machine()}",
        "plugins": {name: ours[name].version for name in sorted(ours)},
        "packages": {name: installed for name, installed in found.items() if installed},
    }


def _version(name: str) -> str:
    """The version of a project, "" where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _normal(name: str) -> str:
    """A project's name as the package index compares them."""
    return re.sub(r"[-_.]+", "-", name).lower()
