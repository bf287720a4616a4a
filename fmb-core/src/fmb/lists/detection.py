"""The detect step: every list of a plan, made or kept, and shown in a run."""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from fmb.contract.names import ListName
from fmb.crossfit.scored import IN_SAMPLE
from fmb.crossfit.small_survey import FOLDS
from fmb.lists.devices import present_device
from fmb.lists.fused import OF_FUSED
from fmb.lists.fused_list import make_fused
from fmb.lists.judged import Survey
from fmb.lists.kept_lists import KeptList, KeptLists
from fmb.lists.list_keys import ListKeys
from fmb.lists.scored_list import make_scored, new_detector
from fmb.messages.errors import DataError
from fmb.plan.records import ListPlan, Plan
from fmb.request.record import RunOptions
from fmb.runs.folder import RunFolder
from fmb.store.atomic import publish_json

__all__ = ["make_lists", "show"]

logger = logging.getLogger(__name__)


def make_lists(
    folder: RunFolder, plan: Plan, survey: Survey, devices: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Every list of a plan in the run folder: those that are kept in the workspace, or made now.

    A list that nobody asked for and that these objects are too few for, or alike, is left out.

    Returns:
        One record a list for the manifest: its name, size, folds and what the detector reports.

    Raises:
        FmbError: one source alone, too few for the folds, or a detector that breaks its contract.
    """
    _require_others(survey)
    shelf, keys = KeptLists(plan.workspace), ListKeys(survey, plan.request.run)
    records, left_out = [], set[ListName]()
    meter = _Fits(plan)
    for planned in plan.lists:
        if (one := _without(planned, left_out)) is None:
            continue
        key, device = keys.of(one), devices[one.detector.label]
        try:
            if not shelf.holds(key):
                kept = {name: shelf.of(k) for name, k in keys.known.items()}
                with shelf.making(key) as place:
                    _make(place, one, survey, device, plan.request.run, meter.told, kept)
        except DataError as error:
            if not one.companion:
                raise
            logger.warning("%s is left out: %s", one.name, error)
            left_out.add(one.name)
            continue
        meter.list_done(planned)
        records.append(show(shelf, key, folder, one, plan.request.run.reference))
    return records


def _require_others(survey: Survey) -> None:
    """Refuse objects of one source, which is strange beside nobody.

    Raises:
        DataError: says why they count as one.
    """
    groups = survey.groups[~survey.copies]
    if (groups == groups[0]).all():
        why = "there is one object"
        if len(groups) > 1:
            why = f"all {len(groups):,} objects are one source (one group, or within 1 arcsec)"
        raise DataError(f"{why}, and nothing to rank it among; choose more objects")


def show(
    shelf: KeptLists, key: str, folder: RunFolder, one: ListPlan, reference: str | None
) -> dict[str, Any]:
    """Show a kept list in a run; what the manifest says of it."""
    # Lists made of lists come after all others: they read those in the run folder.
    shelf.put(key, folder, one.name)
    spec = one.detector.spec
    record = {
        "name": one.name.as_dict(),
        "title": str(one.name),
        "reference": reference,
        **shelf.record(key),
        "key": key,
        "aside": spec.aside,
        "first": spec.first,
        "meanings": {**OF_FUSED, **spec.meanings}
        if spec.scope == "fusion"
        else dict(spec.meanings),
    }
    publish_json(folder.record(one.name), record)
    return record


def _without(one: ListPlan, left_out: Collection[ListName]) -> ListPlan | None:
    """The list without members that could not be made; None where a companion has too few left.

    Raises:
        DataError: it was asked for, and cannot be made without them.
    """
    members = tuple(part for part in one.name.of if part not in left_out)
    if len(members) == len(one.name.of):
        return one
    if len(members) > 1:
        return replace(one, name=replace(one.name, of=members))
    if one.companion:
        return None
    raise DataError(f"{one.name}: too few of the lists that it fuses could be made")


def _make(
    place: KeptList,
    one: ListPlan,
    survey: Survey,
    device: str,
    options: RunOptions,
    told: Callable[[int], None],
    kept: Mapping[ListName, KeptList],
) -> None:
    """Make one list; `kept` are those that were made before."""
    if one.detector.spec.scope == "fusion" and not one.detector.spec.fitted:
        new = new_detector(one, IN_SAMPLE, present_device(device), options)
        make_fused(place, one, survey, new, kept)
    else:
        make_scored(place, one, survey, device, options, told)


class _Fits:
    """Tells how many of all fits of a plan are done: one list may take as long as all others."""

    def __init__(self, plan: Plan) -> None:
        self._progress, options = plan.progress, plan.request.run
        crossed = options.fit == "cross-fit"
        self._of = {
            one.name: (options.folds or FOLDS) if crossed and one.detector.spec.fitted else 1
            for one in plan.lists
        }
        self._before = 0
        self.told(0)

    def told(self, fits: int) -> None:
        """So many fits of the present list are done."""
        self._progress("fit detectors", self._before + fits, sum(self._of.values()))

    def list_done(self, one: ListPlan) -> None:
        """All fits of a list are done, or were kept."""
        self._before += self._of[one.name]
        self.told(0)
