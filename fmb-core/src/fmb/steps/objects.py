"""The table of objects of a run, and which of them are its reference."""

import pandas as pd

from fmb.contract.arrays import Array
from fmb.datasets.ids import canonical_order
from fmb.datasets.vector_file import OwnSurvey
from fmb.plan.records import Plan
from fmb.runs.folder import RunFolder
from fmb.runs.reference import Reference, find_reference
from fmb.steps.embed import Embedded
from fmb.store.keys import content_key
from fmb.store.tables import read_meta, write_table

__all__ = []


def _objects(plan: Plan, embedded: Embedded | OwnSurvey, folder: RunFolder) -> pd.DataFrame:
    """The table of objects, in canonical order, kept in the run folder."""
    if isinstance(embedded, OwnSurvey):
        objects = embedded.objects
        key = content_key(dict(embedded.identity))
    else:
        dataset = plan.dataset
        assert dataset is not None
        catalog = dataset.catalog.drop(columns="object_id", errors="ignore").reset_index(drop=True)
        objects = pd.concat([pd.DataFrame({"object_id": dataset.ids}), catalog], axis=1)
        objects.attrs["units"] = dataset.catalog.attrs.get("units", {})
        key = content_key(dict(dataset.identity))
    ids = objects["object_id"].to_numpy()
    assert (canonical_order(ids) == range(len(ids))).all()
    if read_meta(folder.objects).get("key") != key:
        write_table(folder.objects, objects, {"key": key})
    return objects


def _reference(plan: Plan, objects: pd.DataFrame, groups: Array) -> Reference | None:
    text = plan.request.run.reference
    return None if text is None else find_reference(text, objects, groups, plan.workspace)
