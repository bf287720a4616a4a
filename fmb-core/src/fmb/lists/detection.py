"""The detect step: cross-fitted scores of every list, ranked and kept."""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pandas as pd

from fmb.blocks.stored import Stored, StoredPairs
from fmb.conditioning.conditioned import REVISION as CONDITIONING
from fmb.contract.arrays import Array
from fmb.contract.names import ListName, VectorName
from fmb.contract.vectors import Judged
from fmb.crossfit.fitted import score_each
from fmb.crossfit.given import Given
from fmb.crossfit.kept_fits import save_fits
from fmb.crossfit.scored import IN_SAMPLE, CrossFit, cross_fit, in_sample, rule
from fmb.crossfit.small_survey import FOLDS, cross_fit_small, is_small
from fmb.datasets.objects import role_columns
from fmb.lists.devices import present_device
from fmb.lists.fused_list import fusion_terms, make_fused
from fmb.lists.judged import Survey
from fmb.lists.kept_lists import KeptList, KeptLists
from fmb.lists.kept_table import spread, write_scores
from fmb.messages.errors import DataError, PluginError
from fmb.plan.records import ListPlan, Plan
from fmb.request.record import RunOptions
from fmb.runs.folder import RunFolder
from fmb.scoring.calibration import p_values_by_fold, q_values
from fmb.scoring.folds import sky_folds
from fmb.scoring.foldshift import FoldShift
from fmb.scoring.strata import on_one_scale
from fmb.store.atomic import publish_json
from fmb.store.keys import array_key, content_key, derive_seed
from fmb.store.tables import write_table

__all__ = ["ListKeys", "make_lists", "new_detector", "show"]

logger = logging.getLogger(__name__)

FORMAT = "fmb-list/4"
"""Of what is kept of a list, folds included; part of its key."""


def make_lists(
    folder: RunFolder, plan: Plan, survey: Survey, devices: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Every list of a plan in the run folder: those that are kept in the workspace, or made now.

    A list that nobody asked for and that these objects are too few for, or alike, is left out.

    Returns:
        One record a list for the manifest: its name, size, folds and what the detector reports.

    Raises:
        FmbError: too few objects for the folds, or a detector that breaks its contract.
    """
    shelf, keys = KeptLists(plan.workspace), ListKeys(survey, plan.request.run)
    records, left_out = [], set[ListName]()
    meter = _Fits(plan)
    for planned in plan.lists:
        if (one := _without(planned, left_out)) is None:
            continue
        key, device = keys.of(one), devices[one.detector.label]
        try:
            if not shelf.holds(key):
                with shelf.making(key) as place:
                    if one.detector.spec.scope == "fusion" and not one.detector.spec.fitted:
                        kept = {name: shelf.of(k) for name, k in keys.known.items()}
                        new = new_detector(one, IN_SAMPLE, present_device(device), plan.request.run)
                        make_fused(place, one, survey, new, kept)
                    else:
                        _make(place, one, survey, device, plan.request.run, meter.told)
        except DataError as error:
            if not one.companion:
                raise
            logger.warning("%s is left out: %s", one.name, error)
            left_out.add(one.name)
            continue
        meter.list_done(planned)
        records.append(show(shelf, key, folder, one, plan.request.run.reference))
    return records


def show(
    shelf: KeptLists, key: str, folder: RunFolder, one: ListPlan, reference: str | None
) -> dict[str, Any]:
    """Show a kept list in a run; what the manifest says of it."""
    # Lists made of lists come after all others: they read those in the run folder.
    shelf.put(key, folder, one.name)
    record = {
        "name": one.name.as_dict(),
        "title": str(one.name),
        "reference": reference,
        **shelf.record(key),
        "key": key,
        "aside": one.detector.spec.aside,
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


class ListKeys:
    """Everything a list depends on, as digests."""

    def __init__(self, survey: Survey, options: RunOptions) -> None:
        self._survey, self._options = survey, options
        self._nuisances = survey.nuisances.key
        self.known: dict[ListName, str] = {}
        """Of the lists asked for so far."""

    def of(self, one: ListPlan) -> str:
        """The key of a list; of one made of lists, after theirs."""
        survey, options, spec = self._survey, self._options, one.detector.spec
        reference = None if survey.reference is None else dict(survey.reference.identity)
        columns = role_columns(survey.objects, spec.columns)
        given = role_columns(survey.objects, (*one.name.given, *one.roles))
        conditioned = {
            "given": [[role, array_key(values)] for role, values in given.items()],
            "conditioning": CONDITIONING,
        }
        self.known[one.name] = content_key(
            {
                "format": FORMAT,
                "of": [self._judged(part) for part in one.name.of],
                "objects": survey.digest,
                "detector": one.detector.identity,
                "columns": {role: array_key(values) for role, values in columns.items()},
                "nuisances": self._nuisances,
                "fit": [options.fit, options.folds, options.fold_by, options.seed],
                "places": survey.places if options.fold_by == "sky" else None,
                "reference": reference,
                "fusion": fusion_terms(one),
                **(conditioned if given else {}),
            }
        )
        return self.known[one.name]

    def _judged(self, part: VectorName | ListName) -> Any:
        if isinstance(part, ListName):
            return self.known[part]
        if part not in self._survey.views:
            return part.stem  # rows of the catalogue, whose values are in the key
        view = self._survey.views[part]
        return [dict(view.identity), array_key(view.rows)]


def _make(
    place: KeptList,
    one: ListPlan,
    survey: Survey,
    device: str,
    options: RunOptions,
    told: Callable[[int], None],
) -> None:
    """Score the objects of one list and write what is kept of it."""
    x, rows = survey.judged(one)
    if survey.reference is not None:
        ranked = ~survey.reference.rows[rows]
        x, rows = x.take(ranked), rows[ranked]
    if not len(x):
        raise DataError(
            f"{one.name}: none of {len(survey.objects):,} objects can be ranked: each lacks one of"
            " the vectors or lists that it judges, or is of the reference"
        )
    groups, copies = survey.groups[rows], survey.copies[rows]
    fitted = _fit(x, survey, rows, one, present_device(device), options, told)
    scores = fitted.scores
    if fitted.stratum is not None:  # of objects that know other roles scores do not compare
        scores = on_one_scale(scores, fitted.stratum, copies)
    n = len(survey.objects)
    ordinary = survey.ordinary(one)
    p, q = np.full((2, len(rows)), np.nan)
    if ordinary is not None:
        by_fit = score_each(fitted.detectors, ordinary, fitted.given)
        p = p_values_by_fold(fitted.scores, fitted.fold, by_fit)
        own = np.flatnonzero(~copies)  # a copy is no discovery, and none of the tests
        q[own] = q_values(p[own], groups[own])
        of_fits = {f"fit_{fit}": scores for fit, scores in enumerate(by_fit)}
        write_table(place.reference, pd.DataFrame({"object_id": ordinary.ids, **of_fits}), {})
    numbers = (scores, fitted.fold, p, q)
    standing = write_scores(place, survey, rows, numbers, one.name.given)
    if fitted.details:
        table = pd.DataFrame({c: spread(v, rows, n) for c, v in fitted.details.items()})
        table.attrs["units"] = dict(one.detector.spec.details)
        write_table(place.details, table, {})
    if one.detector.spec.persistent and one.detector.spec.fitted:
        save_fits(place.fits, fitted.detectors, one.name.given, fitted.given)
    record = {
        "objects": len(x),
        "reference_objects": 0 if ordinary is None else len(ordinary),
        "fit": fitted.fit,
        "note": fitted.note,
        "folds": len(fitted.detectors),
        "shift": None if fitted.shift is None else _shift_record(fitted.shift),
        "given": _given_record(one, fitted.stratum),
        "judges": list(one.roles),
        "offsets": [detector.offset for detector in fitted.detectors],
        "reports": [detector.report() for detector in fitted.detectors],
        **standing,
    }
    publish_json(place.record, record)


def _given_record(one: ListPlan, stratum: Array | None) -> dict[str, int]:
    """The roles that objects are given, as text, "" for none -> how many; {} for a raw list."""
    if stratum is None:
        return {}
    counts = zip(*np.unique(stratum, return_counts=True), strict=True)
    return {
        ", ".join(role for i, role in enumerate(one.name.given) if code >> i & 1): int(n)
        for code, n in sorted(((int(code), int(n)) for code, n in counts), reverse=True)
    }


def _shift_record(shift: FoldShift) -> dict[str, Any]:
    return {**asdict(shift), "notable": shift.notable, "text": str(shift)}


def _fit(
    x: Judged | Stored | StoredPairs | Given,
    survey: Survey,
    rows: Array,
    one: ListPlan,
    device: str,
    options: RunOptions,
    told: Callable[[int], None],
) -> CrossFit:
    spec, name = one.detector.spec, str(one.name)
    objects, groups, unchanged = survey.objects, survey.groups[rows], ~survey.copies[rows]

    def make(fold: int) -> Any:
        return new_detector(one, fold, device, options)

    details = tuple(spec.details)
    if spec.persistent and spec.fitted and not hasattr(one.detector.component.load(), "save"):
        raise PluginError(
            f"detector {one.detector.label!r} of plugin {one.detector.component.plugin!r} has no"
            " save(): write it, or say persistent=False in its record"
        )
    if not spec.fitted and not isinstance(x, Given):
        return rule(make, x, name=name, details=details)
    if options.fit == "in-sample":
        return in_sample(make, x, name=name, details=details, fitted=unchanged)
    more: dict[str, Any] = {"name": name, "details": details, "told": told, "fitted": unchanged}
    if options.folds is None and options.fold_by == "group" and is_small(x):
        return cross_fit_small(make, x, groups, **more)
    folds, k = None, options.folds or FOLDS
    if options.fold_by == "sky":
        if not {"ra", "dec"} <= set(objects):
            raise DataError("--fold-by sky needs positions: the catalogue has no ra and dec")
        ra, dec = (objects[column].to_numpy(float)[rows] for column in ("ra", "dec"))
        folds = sky_folds(ra, dec, groups, k).fold
    return cross_fit(make, x, groups, k, folds=folds, **more)


def new_detector(one: ListPlan, fold: int, device: str, options: RunOptions) -> Any:
    """A new detector of a list for the number of a fold, with a seed of its own."""
    qualified = one.detector.component.qualified
    seed = derive_seed(options.seed, "detector", qualified, one.name.view, fold)
    return one.detector.new(seed=seed, device=device)
