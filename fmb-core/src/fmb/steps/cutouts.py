"""Cutouts of a run: what was observed of its strangest objects goes with it."""

from collections.abc import Mapping

import numpy as np

from fmb.contract.names import VectorName
from fmb.contract.vector_view import VectorView
from fmb.datasets.cutouts import write_cutouts
from fmb.files.ids import as_ids, locate
from fmb.plan.records import Plan
from fmb.runs.run import Run
from fmb.runs.stored_vectors import keep_shown
from fmb.store.atomic import ensure_folder
from fmb.terminal.progress import stage

__all__ = ["keep_cutouts"]


def keep_cutouts(run: Run, plan: Plan, views: Mapping[VectorName, VectorView]) -> None:
    """Copy what is known of the strangest objects of each list into the run folder.

    What was observed of them, and their vectors, so that a copied run has them.

    Also where a run is gone on with: its lists, or how many it shows, may be others now.
    """
    top = plan.request.run.top
    shown = [run.ranked(name)["object_id"].to_numpy()[:top] for name in run.lists]
    rows = np.unique(locate(as_ids(np.concatenate(shown), "lists"), plan.dataset.ids))
    folder = ensure_folder(run.folder.cutouts)
    for name, view in views.items():
        keep_shown(run.folder.shown(name), view, rows)
    if plan.dataset.inputs:
        with stage(plan.progress, "keep cutouts"):
            write_cutouts(folder, plan.dataset.read(rows, _instruments(plan)))


def _instruments(plan: Plan) -> list[str] | None:
    """What is shown of an object: all inputs; of pixels that are made those that models read."""
    if not (plan.dataset.makes_pixels and plan.models):
        return None
    read = {name for model in plan.models for name in model.sources.values()}
    inputs = plan.dataset.inputs.items()
    return [name for name, info in inputs if name in read or info.kind == "columns"]
