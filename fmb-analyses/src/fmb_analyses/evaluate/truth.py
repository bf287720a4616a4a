"""What is known of the objects of a run: which of them are of which kind."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from fmb import Array, ConfigError, DataError, ListName, Run, UnknownNameError, did_you_mean
from fmb.datasets import changed_copies, host_texts
from fmb.files import locate
from fmb.store import content_key
from fmb_analyses.evaluate.listed import listed_objects, names_a_file

__all__ = ["COPIES", "Kind", "Truth", "find_truth", "in_view"]

COPIES = "copies"
"""Truth that was planted: each changed copy is judged beside its host."""
FORMS = "give --truth COLUMN=VALUE, class, labels:CLASS, copies, or a file of ids or positions"
FAMILIES = ("science", "pairing", "artefact", "control")
"""The order in which kinds are told; each family is averaged apart."""
MOST_KINDS = 40
"""Values of a column that can be classes; more are names or numbers."""


@dataclass(frozen=True, eq=False)
class Kind:
    """Objects of one kind."""

    name: str
    of_kind: Array
    """(n,), bool: which objects of the run they are."""
    known: Array
    """(n,), bool: objects of which it is known whether they are of the kind."""
    view: str = ""
    """The view that was declared to see the kind; "" = none was."""
    family: str = ""
    """Kinds that are averaged together, for instance "science"; "" = with all."""

    @property
    def digest(self) -> str:
        """Of which objects are of the kind, and of which it is known."""
        masks = [np.packbits(mask).tobytes().hex() for mask in (self.of_kind, self.known)]
        return content_key([self.name, *masks])


@dataclass(frozen=True, eq=False)
class Truth:
    """All kinds that are looked for."""

    text: str
    """What it is, as records say it: "copies", "labels", "listed" or a column."""
    kinds: tuple[Kind, ...]
    host: Array | None = None
    """(n,), int: of planted truth, the row of the host of each copy, its own row elsewhere; -1
    where the run lacks the host. None = nothing is planted."""
    strength: Array | None = None
    """(n,), float64, of each copy; NaN elsewhere."""
    taken_as_ordinary: str = ""
    """The value that is not looked for since most objects have it, in words; "" = all are asked."""


def find_truth(run: Run, text: str | None, *, within_arcsec: float = 1.0) -> Truth:
    """What `--truth` names.

    Args:
        run: whose objects are meant.
        text: as on the command line; None = planted copies, where there are any.
        within_arcsec: how near a position of a file must be to be that of an object.

    Raises:
        ConfigError: nothing is named and nothing was planted.
        DataError: no object, or every object, is of the kind; the file cannot be read.
        UnknownNameError: there is no such column, value or label.
    """
    objects = run.objects
    if text is None:
        if not changed_copies(objects).any():
            raise ConfigError(
                f"run {run.name!r} has no planted copies{_classes_of(objects)}{FORMS}"
            )
        text = COPIES
    word, _, wanted = text.partition("=")
    names = [name for name in wanted.split(",") if name]
    if word == COPIES:
        return _planted(run, names)
    if word.startswith("labels:"):
        return _labelled(run, [name for name in text.removeprefix("labels:").split(",") if name])
    if names_a_file(text):
        rows = listed_objects(objects, text, within_arcsec, run.name)
        return _checked(Truth("listed", (Kind("listed", rows, ~changed_copies(objects)),)), run)
    return _of_column(run, word, names)


def _planted(run: Run, names: Sequence[str]) -> Truth:
    objects = run.objects
    copies = changed_copies(objects)
    if not copies.any():
        raise DataError(f"run {run.name!r} has no planted copies: no injected_from names a host")
    label = _texts(objects, "label") if "label" in objects else np.full(len(objects), "planted")
    ids = objects["object_id"].to_numpy()
    hosts = locate(host_texts(objects).to_numpy(dtype=str), ids.astype(np.str_))
    strength = objects["strength"] if "strength" in objects else pd.Series(np.nan, objects.index)
    kinds = []
    planted = sorted(set(label[copies].tolist()))
    for name in names or planted:
        rows = copies & (label == name)
        if not rows.any():
            raise UnknownNameError(f"no copy is a {name!r}{did_you_mean(name, planted)}")
        view, family = (_one(objects, column, rows) for column in ("declared_view", "family"))
        kinds.append(Kind(name, rows, np.ones(len(objects), dtype=bool), view, family))
    kinds.sort(key=lambda kind: FAMILIES.index(kind.family) if kind.family in FAMILIES else -1)
    return Truth(COPIES, tuple(kinds), hosts, strength.to_numpy(dtype=np.float64, na_value=np.nan))


def _labelled(run: Run, names: Sequence[str]) -> Truth:
    classes = run.labels
    for name in names:
        if not (classes == name).any():
            given = sorted({*classes.tolist()} - {""})
            hint = did_you_mean(name, given) or "; `fmb label RUN CLASS ID` gives labels"
            raise UnknownNameError(f"no object of run {run.name!r} is labelled {name!r}{hint}")
    if not names:
        raise ConfigError("name a class: --truth labels:CLASS")
    known = ~changed_copies(run.objects)  # who looks for a class labels what is of it
    kinds = tuple(Kind(name, (classes == name) & known, known) for name in names)
    return _checked(Truth("labels", kinds), run)


def _of_column(run: Run, word: str, names: Sequence[str]) -> Truth:
    objects = run.objects
    column = objects.attrs.get("roles", {}).get(word, word)
    if column not in objects:
        hint = did_you_mean(word, [str(c) for c in objects]) or f"; {FORMS}"
        raise UnknownNameError(f"run {run.name!r} has no column or file {word!r}{hint}")
    values, own = _texts(objects, column), ~changed_copies(objects)
    known, ordinary = own & (values != ""), ""
    counts = pd.Series(values[known]).value_counts()
    if not names:
        if len(counts) > MOST_KINDS:
            raise DataError(
                f"column {column!r} has {len(counts):,} values, which are no classes; choose some:"
                f" --truth {word}=VALUE,VALUE"
            )
        names = list(counts.index[1:])  # the most frequent is what the others are found among
        ordinary = f"{column} = {counts.index[0]}, which most objects have ({counts.iloc[0]:,})"
    kinds = []
    for name in names:
        if name not in counts:
            raise UnknownNameError(
                f"no object of run {run.name!r} has {column} = {name!r}"
                f"{did_you_mean(name, [str(value) for value in counts.index])}"
            )
        rows = known & (values == name)
        view, family = (_one(objects, kept, rows) for kept in ("declared_view", "family"))
        kinds.append(Kind(name, rows, known, view, family))
    return _checked(Truth(str(column), tuple(kinds), taken_as_ordinary=ordinary), run)


def _classes_of(objects: pd.DataFrame) -> str:
    """Words before `FORMS`: which column tells kinds, where one does."""
    column = objects.attrs.get("roles", {}).get("class", "label")
    if column not in objects:
        return ": "
    return f", but its column {column!r} tells kinds: --truth {column}; or "


def _texts(objects: pd.DataFrame, column: str) -> Array:
    """The values of a column as (n,) str, "" where unknown; whole decimals as integers."""
    values = objects[column]
    if pd.api.types.is_float_dtype(values) and (values.dropna() % 1 == 0).all():
        values = values.astype("Int64")
    return values.astype("string").fillna("").to_numpy(dtype=str)


def _one(objects: pd.DataFrame, column: str, rows: Array) -> str:
    """What a column says of all these rows, "" where it says different things or is not there."""
    if column not in objects:
        return ""
    said = set(_texts(objects, column)[rows].tolist())
    return said.pop() if len(said) == 1 else ""


def _checked(truth: Truth, run: Run) -> Truth:
    """The truth, which names some objects and not all of them."""
    if not truth.kinds:
        raise DataError(f"{truth.text}: all objects of run {run.name!r} are of one kind")
    for kind in truth.kinds:
        if (kind.of_kind | ~kind.known).all():
            raise DataError(f"{truth.text}: every object of run {run.name!r} is {kind.name!r}")
    return truth


def in_view(truth: Truth, view: str | None, lists: Sequence[ListName]) -> Truth:
    """The same truth, said to be seen by `view`; None = as declared.

    Raises:
        ConfigError: the kinds bring a view of their own.
        UnknownNameError: no list has this view.
    """
    if view is None:
        return truth
    own = next((kind for kind in truth.kinds if kind.view), None)
    if own is not None:
        raise ConfigError(
            f"--view {view}: {own.name!r} was declared for {own.view!r} before; choose lists by"
            " --list, or --all-lists"
        )
    views = list(dict.fromkeys(part for name in lists for part in name.view.split("+")))
    if view not in views:
        raise UnknownNameError(f"--view {view}: no list has this view{did_you_mean(view, views)}")
    return replace(truth, kinds=tuple(replace(kind, view=view) for kind in truth.kinds))
