"""Which object, and which band of it, each file of cutouts is of, by its name."""

import re
from collections.abc import Mapping
from pathlib import Path

from fmb import ConfigError, DataError
from fmb_surveys.trees.cutout_files import CutoutFile

__all__ = ["Cutouts", "grouped", "is_noise", "stem_of"]

_ENDINGS = re.compile(r"\.(fits|fit|fts)(\.gz|\.fz)?$|\.fz$", re.IGNORECASE)
_NOISE = re.compile(r"(^|[._-])(wht|weight|rms|err|ivar|invvar|var|mask|dq|flags?|psf)$", re.I)

Cutouts = dict[str, dict[str, CutoutFile]]
"""Object -> band -> its file; the band is "" where one file has all."""


def stem_of(path: Path) -> str:
    """The name of a file without its ending."""
    return _ENDINGS.sub("", path.name)


def is_noise(path: Path) -> bool:
    """Whether a file by its name goes with a picture in another file."""
    return bool(_NOISE.search(stem_of(path)))


def grouped(files: Mapping[Path, CutoutFile], pattern: str) -> tuple[Cutouts, str]:
    """Files by object and band.

    Args:
        files: what each says.
        pattern: of names, as "{id}_{band}.fits"; "" = a name without the band of its header.

    Returns:
        Them, and in words how objects and bands were told.

    Raises:
        ConfigError: the pattern has no {id}.
        DataError: a name does not fit the pattern, or two files are of one band of one object.
    """
    made: Cutouts = {}
    split = any(
        len(file.bands) == 1 and _without(path, file.bands[0]) for path, file in files.items()
    )
    for path, file in files.items():
        if pattern:
            name, band = _by_pattern(path, pattern)
        elif split:
            name, band = _by_header(path, file)
        else:
            name, band = stem_of(path), ""
        bands = made.setdefault(name, {})
        if band in bands:
            raise DataError(
                f"{bands[band].path} and {path} are both {band or 'the file'} of {name}: tell"
                " objects from bands with --set data.pattern='{id}_{band}.fits'"
            )
        bands[band] = file
    how = f"by the pattern {pattern}" if pattern else "names of files"
    return made, how + (" without the band in their headers" if split and not pattern else "")


def _by_header(path: Path, file: CutoutFile) -> tuple[str, str]:
    band = file.bands[0] if len(file.bands) == 1 else ""
    name = _without(path, band) if band else ""
    if not name:
        told = f"its name has no {band!r}, the band in" if band else "no band is told by"
        raise DataError(
            f"{path}: {told} its header, as in other files: tell objects from bands with"
            " --set data.pattern='{id}_{band}.fits'"
        )
    return name, band


def _without(path: Path, band: str) -> str:
    """The name of a file without the word in it that is the band; "" where there is none."""
    words = re.split(r"([._-])", stem_of(path))
    at = [n for n, word in enumerate(words) if word.lower() == band.lower()]
    if not at or len(words) == 1:
        return ""
    # With the mark before it, or after it where the band comes first.
    first = at[-1]
    left = words[: first - 1] + words[first + 1 :] if first else words[2:]
    return "".join(left)


def _by_pattern(path: Path, pattern: str) -> tuple[str, str]:
    if "{id}" not in pattern:
        raise ConfigError(f"data.pattern {pattern!r} has no {{id}}, as '{{id}}_{{band}}.fits' has")
    parts = re.split(r"(\{id\}|\{band\}|\*)", pattern)
    known = {"{id}": "(?P<id>.+?)", "{band}": "(?P<band>[^._/-]+)", "*": ".*"}
    found = re.fullmatch("".join(known.get(part, re.escape(part)) for part in parts), path.name)
    if not found:
        raise DataError(f"{path}: its name does not fit data.pattern {pattern!r}")
    return found["id"], found.groupdict().get("band", "")
