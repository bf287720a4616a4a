"""Lists of new objects by the fits of another run: nothing is fitted."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from fmb.contract.names import ListName
from fmb.crossfit.scored import IN_SAMPLE
from fmb.fitted.new_fused import among_fused
from fmb.fitted.new_list import NewList
from fmb.fitted.shared_objects import Shared
from fmb.lists.detection import show
from fmb.lists.devices import present_device
from fmb.lists.fused_list import make_fused
from fmb.lists.judged import Survey
from fmb.lists.kept_lists import KeptLists
from fmb.lists.list_keys import ListKeys
from fmb.lists.scored_list import new_detector
from fmb.plan.records import ListPlan, Plan
from fmb.runs.folder import RunFolder
from fmb.runs.run import Run
from fmb.store.keys import array_key, content_key

__all__ = ["make_new_lists"]

FORMAT = "fmb-new-list/1"
"""Of what is kept of a list of new objects; part of its key."""


def make_new_lists(
    folder: RunFolder,
    plan: Plan,
    survey: Survey,
    base: Run,
    shared: Shared,
    devices: Mapping[str, str],
) -> list[dict[str, Any]]:
    """Every list of a plan by the fits of another run, kept in the workspace and shown in a run.

    Args:
        folder: of the run that shows them.
        plan: its lists are lists of `base`.
        survey: the new objects.
        base: the run whose fits score them.
        shared: which of the objects `base` has too.
        devices: label of each detector -> where it computes; what was saved chooses itself.

    Returns:
        One record a list for the manifest, as `make_lists` does. "drift" in it tells how far its
        scores lie from those of `base`; None where that cannot be told.

    Raises:
        FmbError: no object can be ranked, fits are damaged, or a detector breaks its contract.
    """
    shelf = KeptLists(plan.workspace)
    keys, known = ListKeys(survey, plan.request.run), dict[ListName, str]()
    records = []

    def new(one: ListPlan) -> Any:
        device = present_device(devices[one.detector.label])
        return new_detector(one, IN_SAMPLE, device, plan.request.run)

    for done, one in enumerate(plan.lists):
        plan.progress("score by kept fits", done, len(plan.lists))
        fused = one.detector.spec.scope == "fusion"
        members = [known[part] for part in one.name.of if isinstance(part, ListName)]
        about = {
            "format": FORMAT,
            "list": keys.of(one),
            "fits": base.record(one.name)["key"],
            "named": base.name,  # by what is kept of the list
            "members": members,
        }
        scored = None if fused else NewList.of(one, survey, base, shared, shelf)
        if scored is not None:
            about["folds"] = array_key(scored.folds)
            about["reference"] = scored.reference is not None
        known[one.name] = key = content_key(about)
        if not shelf.holds(key):
            with shelf.making(key) as place:
                if scored is not None:
                    scored.make(place, partial(new, one))
                else:
                    kept = {name: shelf.of(k) for name, k in known.items()}
                    make_fused(place, one, survey, new(one), kept, among_fused(one, survey, base))
        records.append(show(shelf, key, folder, one, base.record(one.name)["reference"]))
    plan.progress("score by kept fits", len(plan.lists), len(plan.lists))
    return records
