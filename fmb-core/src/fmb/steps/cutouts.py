"""Cutouts of a run: what was observed of its strangest objects goes with it."""

import numpy as np

from fmb.datasets.cutouts import write_cutouts
from fmb.plan.records import Plan
from fmb.runs.run import Run
from fmb.store.atomic import ensure_folder

__all__ = ["keep_cutouts"]


def keep_cutouts(run: Run, plan: Plan) -> None:
    """Copy what was observed of the strangest objects of each list into the run folder.

    Also where a run is gone on with: its lists, or how many it shows, may be others now.
    """
    if not plan.dataset.inputs:
        return
    top = plan.request.run.top
    shown = [run.ranked(name)["object_id"].to_numpy()[:top] for name in run.lists]
    rows = np.flatnonzero(np.isin(plan.dataset.ids, np.concatenate(shown)))
    write_cutouts(ensure_folder(run.folder.cutouts), plan.dataset.read(rows))
