"""Files of a tree, and what they agree on."""

import fnmatch
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from fmb import DataError, FmbError
from fmb_surveys.files.units import (
    CONVENIENT,
    WORD_UNITS,
    check_unit,
    refuse_contradiction,
)

__all__ = [
    "agreed",
    "agreed_unit",
    "files_below",
    "looked_at",
    "one_column",
    "readable_unit",
    "whole_ids",
]


T = TypeVar("T")


def files_below(path: Path, *patterns: str) -> list[Path]:
    """The file itself, or those of a folder and of what is below it whose names fit a pattern.

    Links to folders are not followed: a loop of them would have no end. Names that begin with "."
    are no data, and neither is what is in such folders.

    Args:
        path: file or folder.
        patterns: of names, as "spec-*.fits".

    Returns:
        By name, at least one.

    Raises:
        DataError: there is none, or a folder cannot be read.
    """
    if path.is_file():
        return [path]

    def fail(error: OSError) -> None:
        raise DataError(f"{error.filename}: cannot be read: {error.strerror}")

    found: list[Path] = []
    for folder, folders, names in os.walk(path, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [
            Path(folder, name)
            for name in names
            if not name.startswith(".")
            and any(fnmatch.fnmatch(name.lower(), pattern) for pattern in patterns)
        ]
    if not found:
        raise DataError(f"{path}: holds no file called {' or '.join(patterns)}")
    return sorted(found)


def looked_at(
    paths: Sequence[Path],
    look: Callable[[Path], T],
    skip_bad: bool,
    progress: Callable[[int, int], None] | None,
) -> tuple[dict[Path, T], tuple[str, ...]]:
    """What each file says, and lines on the broken that are left out: their number, then each.

    Args:
        paths: of the files, at least one.
        look: what one says; raises FmbError where it is broken.
        skip_bad: leave broken files out.
        progress: called with the files looked at and their number.

    Raises:
        FmbError: a file is broken and none is to be left out, or every one is broken.
    """
    found: dict[Path, T] = {}
    broken: list[str] = []
    for number, path in enumerate(paths):
        try:
            found[path] = look(path)
        except FmbError as error:
            if not skip_bad:
                raise
            broken.append(str(error))
        if progress:
            progress(number + 1, len(paths))
    if not found:
        raise DataError(f"every file is broken, the first by this: {broken[0]}")
    n = len(broken)
    counted = f"{n} file{'' if n == 1 else 's'} left out as broken, with what only they have"
    return found, (counted, *(f"left out: {reason}" for reason in broken)) if n else ()


def agreed(what: str, found: Mapping[Path, str], key: str) -> str:
    """What all files say; "" where none says anything.

    Args:
        what: they speak of, for messages.
        found: file -> what it says.
        key: that a user sets where they disagree.

    Raises:
        DataError: two say different things.
    """
    if not found:
        return ""
    first, *others = found.items()
    other = next((one for one in others if one[1] != first[1]), None)
    if other:
        raise DataError(
            f"{what} is {first[1] or 'not told'!r} in {first[0]} and {other[1] or 'not told'!r} in"
            f" {other[0]}: read them as two surveys, or say what holds with --set {key}=..."
        )
    return first[1]


def agreed_unit(what: str, found: Mapping[Path, str], said: str | None, key: str) -> str:
    """The unit that all files say, as astropy writes it, or the one that a user says.

    Args:
        what: has it, for messages.
        found: file -> unit as it says, "" where it does not.
        said: by the user.
        key: that he says it with.

    Raises:
        DataError: the files disagree with each other or with the user, or nobody says a unit.
    """
    if said is not None:
        for path, told in found.items():
            where = f"{path}: {what}"
            refuse_contradiction(where, readable_unit(told) or told, check_unit(said), key)
        return said
    told = agreed(f"the unit of {what}", found, key)
    first, example = next(iter(found)), f"--set {key}='1e-17 erg / (s cm2 Angstrom)'"
    if not told:
        raise DataError(f"{first}: does not tell the unit of {what}: say it, as in {example}")
    known = readable_unit(told)
    if not known:
        raise DataError(
            f"{first}: {what} is in {told!r}, which astropy does not know: say {example}"
        )
    return known


def readable_unit(told: str) -> str:
    """A unit of a header as astropy reads it, "" where it reads none: SDSS writes Ang for Angstrom.

    Units that many surveys have are written alike, however their headers do.
    """
    from astropy import units

    for text in (told, re.sub(r"\bAng\b", "Angstrom", told)):
        try:
            known = check_unit(text) if text else ""
        except ValueError:
            continue
        if known in ("", *WORD_UNITS):
            return known
        usual = (name for name in CONVENIENT if units.Unit(name).is_equivalent(units.Unit(known)))
        same = (name for name in usual if abs(units.Unit(known).to(units.Unit(name)) - 1) < 1e-9)
        return next(same, known)
    return ""


def one_column(values: Sequence[Any], name: str) -> Any:
    """A column of what each file says, None where none says anything.

    Text that is a whole number in every file becomes whole numbers, as `whole_ids` makes them;
    whole numbers that are text in other files do too.

    Args:
        values: of each file, None where it says nothing.
        name: of the column, for messages.

    Raises:
        DataError: some files have text, others numbers with fractions.
    """
    known = [None if value is None or np.ma.is_masked(value) else value for value in values]
    if all(value is None for value in known):
        return None
    plain = [value.item() if isinstance(value, np.generic) else value for value in known]
    if any(isinstance(value, str) for value in plain):
        if any(isinstance(value, float) for value in plain):
            raise DataError(
                f"{name} is text in some files and a number with a fraction in others: read them as"
                " two surveys"
            )
        texts = [None if value is None else str(value) for value in plain]  # no digit is lost
        there = [text for text in texts if text is not None]
        if len(there) == len(texts):
            return whole_ids(there)
        plain = texts
    import pyarrow as pa

    return pa.array(plain)


def whole_ids(texts: Sequence[str]) -> Any:
    """Ids that files have as text: whole numbers where all are, of 64 bits; else the texts."""
    if all(re.fullmatch(r"-?(0|[1-9][0-9]*)", text.strip()) for text in texts):
        numbers = [int(text) for text in texts]
        for kind in (np.int64, np.uint64):
            limits = np.iinfo(kind)
            if limits.min <= min(numbers) and max(numbers) <= limits.max:
                return np.array(numbers, dtype=kind)
    return list(texts)
