"""A list of vectors, pairs or rows of the catalogue, scored out of fold, and what is kept of it."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from fmb.blocks.outsized import outsized
from fmb.blocks.stored import Stored, StoredPairs
from fmb.contract.arrays import Array
from fmb.contract.vectors import Judged
from fmb.crossfit.fitted import score_each
from fmb.crossfit.given import Given
from fmb.crossfit.kept_fits import save_fits
from fmb.crossfit.scored import CrossFit, cross_fit, in_sample, rule
from fmb.crossfit.small_survey import FOLDS, cross_fit_small, is_small
from fmb.lists.devices import present_device
from fmb.lists.judged import Survey
from fmb.lists.kept_lists import KeptList
from fmb.lists.kept_table import spread, write_scores
from fmb.messages.errors import DataError, PluginError, ScoreError
from fmb.plan.records import ListPlan
from fmb.request.record import RunOptions
from fmb.scoring.calibration import p_values_by_fold, q_values
from fmb.scoring.folds import sky_folds
from fmb.scoring.foldshift import FoldShift
from fmb.scoring.strata import on_one_scale
from fmb.store.atomic import publish_json
from fmb.store.keys import derive_seed
from fmb.store.tables import write_table

__all__ = ["make_scored", "new_detector"]

HEAD = 5
"""First objects of a list that are looked at: a vector that is too large is among them."""


def make_scored(
    place: KeptList,
    one: ListPlan,
    survey: Survey,
    device: str,
    options: RunOptions,
    told: Callable[[int], None],
) -> None:
    """Score the objects of one list and write what is kept of it.

    Args:
        place: where it is kept.
        one: the list, of vectors, pairs or rows of the catalogue.
        survey: the objects.
        device: where its detector computes.
        options: how it is fitted.
        told: called with how many fits are done.

    Raises:
        FmbError: no object can be ranked, too few for the folds, or a broken contract.
    """
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
    try:
        fitted = _fit(x, survey, rows, one, present_device(device), options, told)
    except (DataError, ScoreError) as error:
        if why := _outsized(one, x, np.flatnonzero(~copies)):
            raise DataError(why) from error
        raise
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
        "notes": [line] if (line := _outsized(one, x, _suspects(fitted, copies))) else [],
        "folds": len(fitted.detectors),
        "shift": None if fitted.shift is None else _shift_record(fitted.shift),
        "given": _given_record(one, fitted.stratum),
        "judges": list(one.roles),
        "offsets": [detector.offset for detector in fitted.detectors],
        "reports": [detector.report() for detector in fitted.detectors],
        **standing,
    }
    publish_json(place.record, record)


def _suspects(fitted: CrossFit, copies: Array) -> Array:
    """Rows whose vector may have spoilt a fit: all where fits differ, else the first of the list.

    No fit has seen a copy.
    """
    own = np.flatnonzero(~copies)
    if fitted.shift is not None and fitted.shift.notable:
        return own
    return own[np.argsort(-fitted.scores[own])[:HEAD]]


def _outsized(one: ListPlan, x: Judged | Stored | StoredPairs | Given, rows: Array) -> str:
    """That vectors of a list are too large, by its name; "" where none is.

    Roles have units of their own, and are no vectors.
    """
    if one.detector.spec.scope == "catalogue":
        return ""
    line = outsized(x.of if isinstance(x, Given) else x, rows)
    return f"{one.name}: {line}" if line else ""


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
