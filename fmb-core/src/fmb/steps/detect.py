"""The detect step: cross-fitted scores of every list, ranked and kept."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from fmb.contract.arrays import Array
from fmb.contract.errors import DataError, PluginError
from fmb.contract.names import ListName, VectorName
from fmb.contract.vectors import Judged
from fmb.datasets.objects import role_columns
from fmb.plan.records import ListPlan, Plan
from fmb.plan.request import RunOptions
from fmb.runs.folder import RunFolder
from fmb.scoring.calibration import p_values_by_fold, q_values
from fmb.scoring.crossfit import CrossFit, cross_fit, in_sample, rule, score_each
from fmb.scoring.folds import sky_folds
from fmb.scoring.foldshift import FoldShift
from fmb.scoring.ranking import rank_survey
from fmb.steps.devices import present_device
from fmb.steps.judged import Survey
from fmb.steps.local_engine import side_by_side
from fmb.store.atomic import publish_json, read_json, staged_folder
from fmb.store.keys import array_key, content_key, derive_seed
from fmb.store.tables import read_meta, write_table

__all__ = ["detect"]

WORTH_SHARING = 5000
"""Vectors in all lists together from which on scoring lists side by side pays."""


def detect(
    folder: RunFolder, plan: Plan, survey: Survey, devices: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Score every list and write one table a list.

    Lists that are there already under the same key are not computed again.

    Returns:
        One record a list for the manifest: its name, size, folds and what the detector reports.

    Raises:
        FmbError: too few objects for the folds, or a detector that breaks its contract.
    """
    options, keys = plan.request.run, _Keys(folder, survey, plan.request.run)
    plan.progress("detect", 0, len(plan.lists))
    done = 0
    # Lists made of lists come after all others: they read what these wrote.
    for fused in (False, True):
        todo = []
        for one in plan.lists:
            if (one.detector.spec.scope == "fusion") is fused and not keys.holds(one):
                device = devices[one.detector.label]
                todo.append((folder, one, keys.of(one), survey, device, options))
        size = sum(len(survey.views[n]) for job in todo for n in job[1].name.vectors)
        worth_it = len(todo) > 1 and size >= WORTH_SHARING
        for _ in side_by_side(_score, todo, len(todo), worth_it=worth_it):
            done += 1
            plan.progress("detect", done, len(plan.lists))
    plan.progress("detect", len(plan.lists), len(plan.lists))
    return [read_json(folder.record(one.name)) for one in plan.lists]


class _Keys:
    """Everything a list depends on, as digests."""

    def __init__(self, folder: RunFolder, survey: Survey, options: RunOptions) -> None:
        self._folder, self._survey, self._options = folder, survey, options

    def holds(self, one: ListPlan) -> bool:
        """True when the list is there under its key."""
        scores, record = self._folder.scores(one.name), self._folder.record(one.name)
        return record.exists() and read_meta(scores).get("key") == self.of(one)

    def of(self, one: ListPlan) -> str:
        """The key of a list."""
        survey, options, spec = self._survey, self._options, one.detector.spec
        reference = None if survey.reference is None else dict(survey.reference.identity)
        columns = role_columns(survey.objects, spec.columns)
        return content_key(
            {
                "of": [self._judged(part) for part in one.name.of],
                "objects": survey.digest,
                "detector": one.detector.identity,
                "columns": {role: array_key(values) for role, values in columns.items()},
                "fit": [options.fit, options.folds, options.fold_by, options.seed],
                "reference": reference,
            }
        )

    def _judged(self, part: VectorName | ListName) -> Any:
        if isinstance(part, ListName):
            return read_json(self._folder.record(part))["key"]
        view = self._survey.views[part]
        return [dict(view.identity), array_key(view.rows)]


def _score(
    folder: RunFolder,
    one: ListPlan,
    key: str,
    survey: Survey,
    device: str,
    options: RunOptions,
) -> None:
    x, rows = survey.judged(one)
    if survey.reference is not None:
        ranked = ~survey.reference.rows[rows]
        x, rows = x.take(ranked), rows[ranked]
    groups = survey.groups[rows]
    fitted = _fit(x, groups, survey.objects.iloc[rows], one, present_device(device), options)
    ranking = rank_survey(x.ids, fitted.scores, groups)
    n = len(survey.objects)
    columns = {
        "score": _spread(fitted.scores, rows, n),
        "rank": _spread(ranking.rank, rows, n),
        "percentile": _spread(ranking.percentile, rows, n),
        "is_repeat": pd.array(_spread(ranking.repeat, rows, n), dtype="boolean"),
        "fold": pd.array(_spread(fitted.fold, rows, n), dtype="Int16"),
    }
    ordinary = survey.ordinary(one)
    p = q = np.full(n, np.nan)
    if ordinary is not None:
        by_fit = score_each(fitted.detectors, ordinary)
        p_ranked = p_values_by_fold(fitted.scores, fitted.fold, by_fit)
        p, q = _spread(p_ranked, rows, n), _spread(q_values(p_ranked, groups), rows, n)
    columns["p_value"] = pd.array(p, dtype="Float64")
    columns["q_value"] = pd.array(q, dtype="Float64")
    meta = {"key": key, "name": one.name.as_dict()}
    _save(folder, one, fitted)
    if fitted.details:
        table = pd.DataFrame({c: _spread(v, rows, n) for c, v in fitted.details.items()})
        table.attrs["units"] = dict(one.detector.spec.details)
        write_table(folder.details(one.name), table, meta)
    write_table(folder.scores(one.name), pd.DataFrame(columns), meta)
    record = {
        "name": one.name.as_dict(),
        "title": str(one.name),
        "objects": len(x),
        "ranked": ranking.n,
        "reference_objects": 0 if ordinary is None else len(ordinary),
        "reference": options.reference,
        "fit": options.fit if one.detector.spec.fitted else "rule",
        "folds": len(fitted.detectors),
        "shift": None if fitted.shift is None else _shift_record(fitted.shift),
        "reports": [detector.report() for detector in fitted.detectors],
        "key": key,
    }
    publish_json(folder.record(one.name), record)


def _save(folder: RunFolder, one: ListPlan, fitted: CrossFit) -> None:
    """Keep the fits, in a folder that appears when it is whole."""
    if not (one.detector.spec.persistent and one.detector.spec.fitted):
        return
    target = folder.detectors(one.name)
    if target.exists():
        shutil.rmtree(target)  # of another configuration: its key differs
    with staged_folder(target) as staging:
        for fold, detector in enumerate(fitted.detectors):
            part = staging / f"fold-{fold}"
            part.mkdir()
            detector.detector.save(part)


def _shift_record(shift: FoldShift) -> dict[str, Any]:
    return {**asdict(shift), "notable": shift.notable, "text": str(shift)}


def _fit(
    x: Judged,
    groups: Array,
    objects: pd.DataFrame,
    one: ListPlan,
    device: str,
    options: RunOptions,
) -> CrossFit:
    spec, name = one.detector.spec, str(one.name)

    def make(fold: int) -> Any:
        qualified = one.detector.component.qualified
        seed = derive_seed(options.seed, "detector", qualified, one.name.view, fold)
        return one.detector.new(seed=seed, device=device)

    details = tuple(spec.details)
    if spec.persistent and spec.fitted and not hasattr(one.detector.component.load(), "save"):
        raise PluginError(
            f"detector {one.detector.label!r} of plugin {one.detector.component.plugin!r} has no"
            " save(): write it, or say persistent=False in its record"
        )
    if not spec.fitted:
        return rule(make, x, name=name, details=details)
    if options.fit == "in-sample":
        return in_sample(make, x, name=name, details=details)
    folds = None
    if options.fold_by == "sky":
        if not {"ra", "dec"} <= set(objects):
            raise DataError("--fold-by sky needs positions: the catalogue has no ra and dec")
        position = objects["ra"].to_numpy(float), objects["dec"].to_numpy(float)
        folds = sky_folds(*position, groups, options.folds).fold
    return cross_fit(make, x, groups, options.folds, name=name, folds=folds, details=details)


def _spread(values: Array, rows: Array, n: int) -> Array:
    """Values of the chosen rows among all n; NaN elsewhere."""
    spread = np.full(n, np.nan)
    spread[rows] = values
    return spread
