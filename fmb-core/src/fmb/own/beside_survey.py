"""Own vectors of the objects of a survey, which gives their catalogue and what was observed."""

from copy import copy

import numpy as np

from fmb.contract.arrays import Array
from fmb.datasets.selection import Selection
from fmb.files.ids import locate
from fmb.messages.errors import DataError
from fmb.own.vector_file import VectorFile

__all__ = ["bring"]

_SHOWN = 3


def bring(chosen: Selection, survey: Array, own: VectorFile) -> Selection:
    """The chosen objects with the vectors that have their ids.

    Args:
        chosen: objects of the survey.
        survey: (n,) ids of all its objects; vectors are counted against these.
        own: the vectors; those of no object are left out, and counted.

    Raises:
        DataError: no chosen object has a vector.
    """
    at = locate(chosen.ids, own.ids)
    if not (at >= 0).any():
        raise DataError(
            f"{own.identity['file']}: none of its {len(own):,} vectors, the first of"
            f" {own.ids[0]}, has the id of one of the {len(chosen):,} objects, the first"
            f" {chosen.ids[0] if len(chosen) else 'missing'}"
        )
    both = copy(chosen)
    both.vectors = {name: view.select(at) for name, view in own.vectors.items()}
    both.identity = {**chosen.identity, "vectors": own.identity}
    both.warnings = [*chosen.warnings, *own.warnings, *_matches(survey, own)]
    return both


def _matches(survey: Array, own: VectorFile) -> list[str]:
    """What of the one is not in the other."""
    notes = []
    lost = own.ids[locate(own.ids, survey) < 0]
    if len(lost):
        matched = f"{len(own) - len(lost):,} of {len(own):,} vectors match an object of the survey"
        notes.append(f"{matched}; {len(lost):,} do not and are left out, for instance {_few(lost)}")
    lacking = survey[locate(survey, own.ids) < 0]
    if len(lacking):
        some = f"for instance {_few(lacking)}"
        notes.append(
            f"{len(lacking):,} of {len(survey):,} objects of the survey have no vector, {some}"
        )
    columns = [str(name) for name in own.catalog if name != "object_id"]
    if columns:
        more = " and others" if len(columns) > _SHOWN else ""
        listed = ", ".join(columns[:_SHOWN])
        notes.append(f"the catalogue is the survey's: columns {listed}{more} beside the vectors"
                     " are left out")  # fmt: skip
    return notes


def _few(ids: Array) -> str:
    return ", ".join(str(one) for one in np.sort(ids)[:_SHOWN].tolist())
