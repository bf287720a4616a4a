"""The objects of a run: their table in the run folder, and all that lists are made from."""

from collections.abc import Mapping

import pandas as pd

from fmb.contract.arrays import Array
from fmb.datasets.groups import group_keys
from fmb.datasets.objects import object_table
from fmb.lists.judged import Survey
from fmb.messages.errors import DataError
from fmb.plan.records import Plan
from fmb.runs.folder import RunFolder
from fmb.runs.reference import find_reference
from fmb.steps.vectors import Embedded
from fmb.store.keys import content_key
from fmb.store.tables import read_meta, read_table, write_table
from fmb.terminal.progress import stage

__all__ = ["survey_of"]


def survey_of(plan: Plan, embedded: Embedded, folder: RunFolder) -> Survey:
    """The objects of a run, kept in its folder, with their vectors and the reference.

    Raises:
        FmbError: the reference names nothing, or the table cannot be written.
    """
    objects = _kept(plan, folder, embedded.measured)
    with stage(plan.progress, "find repeats"):
        groups = group_keys(objects)
    text = plan.request.run.reference
    reference = text and find_reference(text, objects, groups, plan.workspace)
    return Survey(
        objects=objects,
        groups=groups,
        views=embedded.views,
        scores=lambda name: read_table(folder.scores(name)),
        reference=reference or None,
    )


def _kept(plan: Plan, folder: RunFolder, measured: Mapping[str, Array]) -> pd.DataFrame:
    """The table of objects, in canonical order, written where it is not there yet.

    What was measured on their inputs are columns of it, which play the roles of their names.

    Raises:
        DataError: the run was begun with other objects.
    """
    objects = object_table(plan.dataset).assign(**measured)
    key = content_key(dict(plan.dataset.identity))
    written = read_meta(folder.objects)
    if not written:
        write_table(folder.objects, objects, {"key": key})
    elif written.get("key") != key:
        raise DataError(
            f"the survey has changed since run {folder.name!r} was begun, which stays as it is:"
            " choose another --out"
        )
    return objects
