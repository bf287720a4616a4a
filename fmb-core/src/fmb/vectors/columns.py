"""Which columns of a table make vectors, which holds the ids, and which are the catalogue."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from fmb.messages.errors import ConfigError, DataError, did_you_mean

__all__ = ["Asked", "Column", "Kind", "Layout", "kind_of", "lay_out"]

Kind = Literal["vector", "number", "truth", "plain", "unfit"]
"""Vectors in one column; a number, yes or no, or another value an object; nothing FMB takes."""

LEAST = 8
"""Numbered columns that make a vector unasked; fewer are magnitudes, colours and the like."""
_NUMBERED = re.compile(r"(.*?)(\d+)", re.DOTALL)
_ID_NAME = re.compile(r"(?i:(?:.*[_. ])?ids?|.*(?:obj|object|target|source|spec|star)ids?)|.*I[Dd]")
_SHOWN = 6


@dataclass(frozen=True)
class Column:
    """What a file says of one of its columns or arrays."""

    kind: Kind
    about: str = ""
    """Its type or shape, for messages."""
    width: int = 1
    """Numbers in each vector; 0 where only reading it tells."""


@dataclass(frozen=True)
class Asked:
    """What a user says of a table of vectors."""

    ids: str | None = None
    """Column of the ids; None = `object_id`, else an index, else the rows are counted."""
    ids_elsewhere: bool = False
    """True when a file of its own has the ids."""
    vectors: tuple[str, ...] = ()
    """Columns that are vectors, as `[VIEW=]NAME`, `f*` or `f0-f255`; () = by the rule."""


@dataclass(frozen=True)
class Layout:
    """Where ids, vectors and catalogue stand in a table."""

    ids: str | None
    views: Mapping[str, tuple[str, ...]]
    """View -> its columns: one that holds vectors, or one a component, in order."""
    catalog: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    """Names and types of what is neither."""


def kind_of(dtype_kind: str, extra_axes: int) -> Kind:
    """The kind of a numpy array with so many axes beside that of the objects."""
    if extra_axes:
        return "vector" if extra_axes == 1 and dtype_kind in "fiub" else "unfit"
    if dtype_kind == "b":
        return "truth"
    return "number" if dtype_kind in "fiu" else "plain" if dtype_kind in "SUOMm" else "unfit"


def lay_out(
    columns: Mapping[str, Column], asked: Asked, where: str, index: Sequence[str] = ()
) -> Layout:
    """Where everything stands, by what was asked for or by the rule.

    The rule: columns that hold vectors, and numbers named alike with consecutive numbers behind
    (`f0`, `f1` ... `f255`; `emb_001` ...), eight or more, are a view each. Yes or no among numbers
    is 1 or 0; any other column that is numbered with them is an error.

    Args:
        columns: of the table, in order.
        asked: what the user says.
        where: names the file in messages.
        index: columns that its writer called an index, which are ids where no others are.

    Raises:
        DataError: there are no such ids, or no vectors.
        ConfigError: what was asked for names no columns, or columns that cannot be vectors.
    """
    ids = _ids(columns, asked, where, index)
    others = {name: column for name, column in columns.items() if name != ids}
    views = _asked_for(others, asked.vectors, where) if asked.vectors else _by_rule(others, where)
    if not views:
        raise DataError(f"{where}: no array of vectors, expected shape (n, d){_choices(others)}")
    taken = {name for names in views.values() for name in names}
    rest = {name: column for name, column in others.items() if name not in taken}
    catalog = tuple(
        name for name, column in rest.items() if column.kind in ("number", "truth", "plain")
    )
    left_out = tuple(f"{n} ({c.about})" for n, c in rest.items() if n not in catalog)
    return Layout(ids, views, catalog, left_out)


Views = dict[str, tuple[str, ...]]
"""View -> its columns."""


def _ids(
    columns: Mapping[str, Column], asked: Asked, where: str, index: Sequence[str]
) -> str | None:
    if asked.ids in columns:
        return asked.ids
    if asked.ids_elsewhere:
        return None
    if asked.ids is None:
        if "object_id" in columns or len(index) == 1:
            return "object_id" if "object_id" in columns else index[0]
        like = [name for name in columns if _ID_NAME.fullmatch(name)]
        if not like:
            return None
        raise DataError(f"{where}: no ids 'object_id'; name them with --ids: {', '.join(like)}")
    hint = did_you_mean(asked.ids, columns)
    raise DataError(f"{where}: no ids {asked.ids!r}{hint}; name them, or a file, with --ids")


def _by_rule(columns: Mapping[str, Column], where: str) -> Views:
    views: Views = {name: (name,) for name, column in columns.items() if column.kind == "vector"}
    numbers = [name for name, column in columns.items() if column.kind == "number"]
    others = _numbered([name for name in columns if columns[name].kind not in ("vector", "number")])
    for prefix, numbered in _numbered(numbers).items():
        if len(numbered) < LEAST:
            continue
        found = sorted([*numbered, *_among(columns, numbered, others.get(prefix, ()), where)])
        at = [number for number, _ in found]
        if at != list(range(at[0], at[0] + len(at))):
            broken = next(i for i, number in enumerate(at) if number != at[0] + i)
            raise DataError(
                f"{where}: columns {found[0][1]} .. {found[-1][1]} are not numbered one by one at"
                f" {found[broken][1]}; say which are a vector, as --vector-columns '{prefix}*'"
            )
        view = _view_of(prefix)
        if view in views:
            raise DataError(
                f"{where}: both {view!r} and {found[0][1]} .. {found[-1][1]} are vectors of that"
                " name; choose with --vector-columns"
            )
        views[view] = tuple(name for _, name in found)
    return views


def _among(
    columns: Mapping[str, Column],
    numbers: Sequence[tuple[int, str]],
    others: Sequence[tuple[int, str]],
    where: str,
) -> list[tuple[int, str]]:
    """Of what is no number but named as numbers are: yes or no within them or next to them.

    Raises:
        DataError: another column stands there, which the vectors would lack without a word.
    """
    first, last = min(numbers), max(numbers)
    near = [one for one in sorted(others) if first[0] - 1 <= one[0] <= last[0] + 1]
    for _, name in near:
        if columns[name].kind != "truth":
            raise DataError(
                f"{where}: {name!r} is {columns[name].about} and named as the numbers {first[1]} .."
                f" {last[1]}; store numbers, or say --vector-columns '{first[1]}-{last[1]}'"
            )
    return near


def _numbered(names: Sequence[str]) -> dict[str, list[tuple[int, str]]]:
    """Prefix -> number and name of the columns that are named by it and a number."""
    groups: dict[str, list[tuple[int, str]]] = {}
    for name in names:
        if match := _NUMBERED.fullmatch(name):
            groups.setdefault(match[1], []).append((int(match[2]), name))
    return groups


def _view_of(prefix: str) -> str:
    return prefix.strip("_-. []") or "vectors"


def _asked_for(columns: Mapping[str, Column], patterns: Sequence[str], where: str) -> Views:
    views: Views = {}
    for text in patterns:
        named, equals, pattern = text.rpartition("=")
        names = [n for part in pattern.split(",") for n in _matching(part.strip(), columns, where)]
        wrong = [n for n in names if columns[n].kind not in ("vector", "number", "truth")]
        if wrong:
            about = columns[wrong[0]].about
            raise ConfigError(f"--vector-columns {text}: {wrong[0]} is {about or 'not a number'}")
        whole = [name for name in names if columns[name].kind == "vector"]
        made: Views = {name: (name,) for name in whole}
        if len(whole) < len(names):
            single = tuple(name for name in names if name not in whole)
            made[_view_of(re.split(r"[*?\[,]|\d+(?:-|,|$)", pattern)[0])] = single
        if equals and len(made) > 1:
            raise ConfigError(f"--vector-columns {text}: {len(made)} vectors have one name")
        if equals:
            made = dict(zip([named], made.values(), strict=True))
        if twice := [view for view in made if view in views]:
            raise ConfigError(
                f"--vector-columns {text}: a view {twice[0]!r} is there; write NAME={pattern}"
            )
        views |= made
    return views


def _matching(part: str, columns: Mapping[str, Column], where: str) -> list[str]:
    """The columns that a name, a pattern or a range names; numbered ones by number."""
    if part in columns:
        return [part]
    span = re.fullmatch(r"(.*?)(\d+)-\1(\d+)", part)
    if span:
        first, last = int(span[2]), int(span[3])
        found = [x for x in _numbered(list(columns)).get(span[1], ()) if first <= x[0] <= last]
        if len(found) == last - first + 1:
            return [name for _, name in sorted(found)]
        raise ConfigError(
            f"--vector-columns {part}: {where} has {len(found)} of these {last - first + 1} columns"
        )
    names = [name for name in columns if fnmatchcase(name, part)]
    if not names:
        known = _shown(list(columns))
        raise ConfigError(f"--vector-columns {part}: {where} has no such column; it has {known}")
    numbers = [_NUMBERED.fullmatch(name) for name in names]
    if all(numbers):
        names.sort(key=lambda name: int(re.findall(r"\d+$", name)[0]))
    elif any(numbers):  # "f*" is meant for f0, f1 ..., and takes fwhm besides
        strays = [name for name, number in zip(names, numbers, strict=True) if number is None]
        raise ConfigError(
            f"--vector-columns {part}: {_shown(strays)} matches too, and is not numbered; say the"
            " range, as f0-f255, or name them one by one"
        )
    return names


def _choices(columns: Mapping[str, Column]) -> str:
    unfit = [f"{name} is {c.about}" for name, c in columns.items() if c.kind == "unfit"]
    numbers = [name for name, column in columns.items() if column.kind == "number"]
    told = f"; {_shown(unfit)}" if unfit else ""
    return f"{told}; of numbers it has {_shown(numbers)}: --vector-columns" if numbers else told


def _shown(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
