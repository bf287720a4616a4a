"""The detect step: cross-fitted scores of every view by every detector, ranked and kept."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fmb.contract.arrays import Array
from fmb.contract.detector import Detector
from fmb.contract.errors import DataError
from fmb.contract.progress import Progress
from fmb.contract.vectors import Vectors
from fmb.datasets.ids import locate
from fmb.plan.records import DetectorPlan
from fmb.plan.request import RunOptions
from fmb.runs.folder import RunFolder
from fmb.runs.names import ScoreName
from fmb.runs.reference import Reference
from fmb.scoring.calibration import p_values_by_fold, q_values
from fmb.scoring.crossfit import CrossFit, cross_fit, in_sample, score_each
from fmb.scoring.folds import sky_folds
from fmb.scoring.foldshift import FoldShift
from fmb.scoring.ranking import rank_survey
from fmb.steps.local_engine import side_by_side
from fmb.store.atomic import publish_json, read_json
from fmb.store.keys import content_key, derive_seed
from fmb.store.tables import read_meta, write_table

__all__ = ["Survey", "ViewVectors", "detect"]

logger = logging.getLogger(__name__)

WORTH_SHARING = 5000
"""Vectors in all lists together from which on scoring lists side by side pays."""


@dataclass(frozen=True)
class ViewVectors:
    """Vectors of one view and what they were made from."""

    model: str
    embedder: str
    view: str
    vectors: Vectors
    key: Mapping[str, Any]
    model_key: str
    """What vectors of another survey must share to be comparable."""


@dataclass(frozen=True)
class Survey:
    """The objects of a run as the detect step needs them."""

    objects: pd.DataFrame
    groups: Array
    """(n,), str: rows of one source share a key."""
    reference: Reference | None


def detect(
    folder: RunFolder,
    survey: Survey,
    views: Sequence[ViewVectors],
    detectors: Sequence[DetectorPlan],
    options: RunOptions,
    progress: Progress,
) -> list[dict[str, Any]]:
    """Score every view with every detector and write one table a list.

    Lists that are there already under the same key are not computed again.

    Returns:
        One record a list for the manifest: its name, size, folds and what the detector reports.

    Raises:
        FmbError: too few objects for the folds, or a detector that breaks its contract.
    """
    names, todo = [], []
    for view in views:
        for detector in detectors:
            names.append(ScoreName(view.model, view.embedder, view.view, detector.label))
            key = _key(survey, view, detector, options)
            done = read_meta(folder.scores(names[-1])).get("key") == key
            if not done or not _record(folder, names[-1]).exists():
                todo.append((folder, names[-1], key, survey, view, detector, options))
    progress("detect", 0, len(todo))
    worth_it = len(todo) > 1 and sum(len(job[4].vectors) for job in todo) >= WORTH_SHARING
    for done, _ in enumerate(side_by_side(_score, todo, len(todo), worth_it=worth_it)):
        progress(f"detect {todo[done][1]}", done + 1, len(todo))
    progress("detect", len(todo), len(todo))
    return [read_json(_record(folder, name)) for name in names]


def _record(folder: RunFolder, name: ScoreName) -> Path:
    return folder.detectors(name) / "record.json"


def _key(survey: Survey, view: ViewVectors, detector: DetectorPlan, options: RunOptions) -> str:
    component = detector.component
    return content_key(
        {
            "vectors": view.key,
            "ids": content_key([str(i) for i in view.vectors.ids]),
            "groups": content_key(survey.groups.tolist()),
            "detector": component.key,
            "config": detector.config.model_dump(mode="json"),
            "fit": [options.fit, options.folds, options.fold_by, options.seed],
            "reference": options.reference,
        }
    )


def _score(
    folder: RunFolder,
    name: ScoreName,
    key: str,
    survey: Survey,
    view: ViewVectors,
    detector: DetectorPlan,
    options: RunOptions,
) -> None:
    ids = survey.objects["object_id"].to_numpy()
    have = locate(ids, view.vectors.ids) >= 0
    ranked = have if survey.reference is None else have & ~survey.reference.rows
    x = view.vectors.take(ranked[have])
    groups = survey.groups[ranked]
    fitted = _fit(x, groups, survey.objects[ranked], name, view, detector, options)
    ranking = rank_survey(x.ids, fitted.scores, groups)
    table = pd.DataFrame(
        {
            "score": _spread(fitted.scores, ranked),
            "rank": _spread(ranking.rank, ranked),
            "percentile": _spread(ranking.percentile, ranked),
            "is_repeat": pd.array(_spread(ranking.repeat, ranked), dtype="boolean"),
            "fold": pd.array(_spread(fitted.fold, ranked), dtype="Int16"),
        }
    )
    p = q = np.full(len(ids), np.nan)
    n_reference = 0
    if survey.reference is not None:
        known = survey.reference.vectors(view.vectors, name, ids, view.model_key)
        n_reference = len(known)
        by_fit = score_each(fitted.detectors, known, name=str(name))
        p = _spread(p_values_by_fold(fitted.scores, fitted.fold, by_fit), ranked)
        q = _spread(q_values(p[ranked], groups), ranked)
    table["p_value"] = pd.array(p, dtype="Float64")
    table["q_value"] = pd.array(q, dtype="Float64")
    record = {
        "name": vars(name),
        "objects": len(x),
        "ranked": ranking.n,
        "reference_objects": n_reference,
        "reference": options.reference,
        "fit": "rule" if not detector.spec.fitted else options.fit,
        "folds": len(fitted.detectors),
        "shift": None if fitted.shift is None else _shift_record(fitted.shift),
        "reports": [d.report() if hasattr(d, "report") else {} for d in fitted.detectors],
        "key": key,
    }
    for fold, one in enumerate(fitted.detectors):
        target = folder.detectors(name) / f"fold-{fold}"
        target.mkdir(parents=True, exist_ok=True)
        one.save(target)
    publish_json(_record(folder, name), record)
    write_table(folder.scores(name), table, {"key": key, "name": vars(name)})


def _shift_record(shift: FoldShift) -> dict[str, Any]:
    return {**asdict(shift), "notable": shift.notable, "text": str(shift)}


def _fit(
    x: Vectors,
    groups: Array,
    objects: pd.DataFrame,
    name: ScoreName,
    view: ViewVectors,
    detector: DetectorPlan,
    options: RunOptions,
) -> CrossFit:
    target = detector.component.load()

    def make(fold: int) -> Detector:
        seed = derive_seed(options.seed, "detector", detector.component.qualified, view.view, fold)
        made: Detector = target(detector.config, seed=seed, device="cpu")
        return made

    if options.fit == "in-sample" or not detector.spec.fitted:
        return in_sample(make, x, name=str(name))
    folds = None
    if options.fold_by == "sky":
        if not {"ra", "dec"} <= set(objects):
            raise DataError("--fold-by sky needs positions: the catalogue has no ra and dec")
        position = objects["ra"].to_numpy(float), objects["dec"].to_numpy(float)
        folds = sky_folds(*position, groups, options.folds).fold
    return cross_fit(make, x, groups, options.folds, name=str(name), folds=folds)


def _spread(values: Array, rows: Array) -> Array:
    """Values of the chosen rows among all rows; NaN elsewhere."""
    spread = np.full(len(rows), np.nan)
    spread[rows] = values
    return spread
