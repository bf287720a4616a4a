"""A list made of lists, and what is kept of it."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from fmb.contract.arrays import Array
from fmb.contract.names import ListName
from fmb.crossfit.checked import Checked
from fmb.crossfit.scored import IN_SAMPLE
from fmb.lists.fused import fuse
from fmb.lists.fused_reference import Ordinary
from fmb.lists.judged import Survey
from fmb.lists.kept_lists import KeptList
from fmb.lists.kept_table import spread, write_scores
from fmb.plan.records import ListPlan
from fmb.store.atomic import publish_json
from fmb.store.tables import read_table, write_table

__all__ = ["fusion_terms", "make_fused"]


def fusion_terms(one: ListPlan) -> Any:
    """What the key of a fusion holds besides those of its members, whose names rules go by."""
    if one.detector.spec.scope != "fusion":
        return None
    lists = [part for part in one.name.of if isinstance(part, ListName)]
    called = [[part.detector, part.view, one.thresholds.get(part)] for part in lists]
    return {"lists": called, "apart": one.apart}


def make_fused(
    place: KeptList,
    one: ListPlan,
    survey: Survey,
    new: Any,
    kept: Mapping[ListName, KeptList],
    beside: Callable[[Checked, Array], dict[str, Array]] = lambda rule, rows: {},
) -> None:
    """Fuse lists that were made before, by a rule, and write what is kept of it.

    Args:
        place: where it is kept.
        one: the list.
        survey: the objects, with the lists made before.
        new: the rule.
        kept: where its members are kept, some with scores of a reference.
        beside: more columns of the objects at some rows, by the rule.

    Raises:
        FmbError: as `fuse`.
    """
    ordinary = None
    if all(kept[name].reference.exists() for name in one.name.of if isinstance(name, ListName)):
        ordinary = Ordinary(lambda name: read_table(kept[name].reference))
    rule = Checked(new, f"detector {str(one.name)!r}")
    fused = fuse(one, survey, rule.accept(), ordinary)
    rows, n = fused.rows, len(survey.objects)
    fold = np.full(len(rows), IN_SAMPLE)
    standing = write_scores(
        place,
        survey,
        rows,
        (fused.scores, fold, fused.p_values, fused.q_values),
        more=beside(rule, rows),
    )
    table = pd.DataFrame({c: spread(v, rows, n) for c, v in fused.details.items()})
    table.attrs["units"] = dict(one.detector.spec.details)
    write_table(place.details, table, {})
    record = {
        "objects": len(rows),
        **standing,
        "reference_objects": fused.reference_objects,
        "fit": "rule",
        "note": "",
        "folds": 1,
        "shift": None,
        "given": {},
        "judges": [],
        "offsets": [],
        "reports": [rule.report()],
        "notes": list(fused.notes),
    }
    publish_json(place.record, record)
