"""Catalogue rows of planted objects, measured again on the pixels that changed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from fmb_surveys.planting.following import Following
from fmb_surveys.planting.hosts import Injection
from fmb_surveys.planting.measuring import Aperture, snr_ratio
from fmb_surveys.planting.target import Target

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MEASURING_REVISION", "remeasure"]

MEASURING_REVISION = 1
"""Raised when a number that is measured again changes; part of the identity."""
_AT_ONCE = 32

Pairs = Callable[[Sequence[Injection]], list[tuple[Target, Target]]]
"""Injections of one kind -> host and changed host of each, with the inputs the kind changes."""


def remeasure(
    table: "pd.DataFrame",
    planted: Mapping[int, Injection],
    following: Sequence[Following],
    pairs: Pairs,
    progress: Callable[[int, int], None] | None = None,
) -> "pd.DataFrame":
    """The catalogue in which columns that follow pixels say what was measured on the new ones.

    Each is measured alike on host and copy, and the host's value is changed by the ratio: what one
    would have to know of the survey's own photometry cancels. What an injection says of a column
    itself stays, and so does what is missing.

    Args:
        table: with the host's values in the rows of planted objects.
        planted: row -> injection.
        following: columns and what they follow.
        pairs: gives host and changed host.
        progress: called with the objects measured and their number.
    """
    old = {item.column: table[item.column].to_numpy(np.float64, copy=True) for item in following}
    new = {column: values.copy() for column, values in old.items()}
    mine = {row: changed for row, i in planted.items() if (changed := _changed(i, following))}
    done = 0
    for rows in _parts(planted, mine):
        told = pairs([planted[row] for row in rows])
        for row, (before, after) in zip(rows, told, strict=True):
            for item in mine[row]:
                new[item.column][row] = _measured(old[item.column][row], item, before, after)
        done += len(rows)
        if progress:
            progress(done, len(mine))
    measured = {
        column: values
        for column, values in new.items()
        if not np.array_equal(values, old[column], equal_nan=True)
    }
    # Whole numbers stay such where none changed; float32 stays float32.
    kinds = {c: table[c].dtype for c in measured if table[c].dtype.kind == "f"}
    return table.assign(**measured).astype(kinds)


def _changed(injection: Injection, following: Sequence[Following]) -> list[Following]:
    """Columns to measure again where this is planted."""
    kind = injection.kind
    if kind.family == "control":
        return []  # nothing that ivar, mask or a redshift does not tell: the row is the host's
    return [
        item
        for item in following
        if item.column not in injection.changes
        and item.kind in kind.touches
        # An artefact of one camera is in no other camera's catalogue.
        and (item.own or kind.family != "artefact")
    ]


def _parts(planted: Mapping[int, Injection], rows: Mapping[int, object]) -> Iterator[list[int]]:
    """Rows of one kind, a few at once; strengths of a host together, so that it is read once."""

    def place(row: int) -> tuple[str, int, int]:
        return planted[row].kind.name, planted[row].host, row

    for _, group in groupby(sorted(rows, key=place), lambda row: planted[row].kind.name):
        mine = list(group)
        yield from (mine[start : start + _AT_ONCE] for start in range(0, len(mine), _AT_ONCE))


def _measured(value: float, item: Following, before: Target, after: Target) -> float:
    """The host's value changed by what was measured; NaN stays NaN."""
    if item.kind == "spectra":
        return value * snr_ratio(before.spectra[item.input], after.spectra[item.input])
    aperture = Aperture(before.images[item.input], after.images[item.input])
    if item.what == "magnitude":
        return value - 2.5 * float(np.log10(aperture.flux_ratio(item.band)))
    if item.what == "size":
        return value * aperture.size_ratio(item.band)
    ratio = aperture.snr_ratio if item.what == "snr" else aperture.flux_ratio
    return value * ratio(item.band)
