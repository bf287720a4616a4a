"""What a user must know of vectors of their own: what was left out, and who has none."""

from collections.abc import Sequence

import numpy as np

from fmb.vectors.parts import Gathered
from fmb.vectors.table import VectorTable

__all__ = ["of_reading", "without_vector"]

_SHOWN = 3


def of_reading(where: str, tables: Sequence[VectorTable], n: int, *, counted: bool) -> list[str]:
    """How files were read, one line each.

    Args:
        where: names the files.
        tables: what they hold.
        n: how many objects.
        counted: their ids are the numbers of their rows.
    """
    notes = [*dict.fromkeys(text for table in tables for text in table.notes)]
    if counted:
        notes.append(f"object ids are row numbers 0 .. {n - 1}: {where} has none")
    left_out = dict.fromkeys(name for table in tables for name in table.left_out)
    if left_out:
        more = f" and {len(left_out) - _SHOWN} more" if len(left_out) > _SHOWN else ""
        notes.append(f"{where}: left out {', '.join([*left_out][:_SHOWN])}{more}")
    return notes


def without_vector(found: Gathered) -> list[str]:
    """How many objects have no vector in a view, a line a view."""
    notes = []
    for view, rows in found.rows.items():
        lacking = np.setdiff1d(np.arange(len(found.ids)), rows, assume_unique=True)
        if len(lacking):
            first = ", ".join(str(one) for one in found.ids[lacking[:_SHOWN]].tolist())
            s = "object has" if len(lacking) == 1 else "objects have"
            notes.append(f"{len(lacking):,} {s} no {view} vector, missing or not finite: {first}")
    return notes
