"""Every list of a run against what is known, and only what was not measured before."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from fmb import Array, DataError, ListName, Progress, Run, quiet
from fmb.datasets import group_keys
from fmb.store import content_key
from fmb_analyses.evaluate.known import KNOWN_METRICS, KnownKind
from fmb_analyses.evaluate.planted import PLANTED_METRICS, STRENGTH_METRICS, PlantedKind
from fmb_analyses.evaluate.standing import standing_of
from fmb_analyses.evaluate.truth import Kind, Truth
from fmb_analyses.results import Result, ResultBook

__all__ = ["Conditions", "Evaluation", "evaluate", "sees"]


@dataclass(frozen=True)
class Conditions:
    """Under which conditions lists are measured."""

    looks: int = 100
    """How many objects somebody looks at."""
    prevalence: float = 0.01
    """Share of a survey that is taken to be of a planted kind."""


@dataclass(frozen=True)
class Evaluation:
    """What was measured of a run."""

    truth: Truth
    results: Sequence[Result]
    """List by list, kind by kind."""
    computed: int
    """How many of them were not known before."""
    left_out: Sequence[str] = field(default=())
    """Kinds that a list has no object of, one line each."""


def sees(name: ListName, view: str) -> bool:
    """True when a list looks at what was declared to show a kind; "" = every list does.

    A kind that only image and spectrum together show is seen by lists that have both; a fusion and
    a catalogue have something of every view.
    """
    views = name.view.split("+")
    both = len(views) > 1 or "joint" in views
    everything = name.is_fusion or "catalogue" in views
    return everything or view in ("", *views) or (view in ("mismatch", "joint") and both)


def evaluate(
    run: Run,
    truth: Truth,
    lists: Sequence[ListName] | None = None,
    conditions: Conditions | None = None,
    progress: Progress = quiet,
    *,
    floor: str = "",
) -> Evaluation:
    """Measure lists of a run; what was measured before is read from `results/` of its workspace.

    Args:
        run: a finished run.
        truth: from `find_truth`.
        lists: those that are measured; None = all.
        conditions: None = 100 looks, and 1 in 100 for planted kinds.
        progress: told how many lists are done.
        floor: what stands in the place of a model, "" = one does.

    Raises:
        DataError: no list has an object of any kind.
        ConfigError: there are more looks than ranked objects.
    """
    asked = _Asked(run, truth, conditions or Conditions(), floor)
    names = list(run.lists if lists is None else lists)
    results: list[Result] = []
    left_out = []
    before = asked.computed
    for done, name in enumerate(names):
        progress("evaluate", done, len(names))
        for kind in truth.kinds:
            found = asked.of(name, kind)
            results.extend(found)
            if not found and sees(name, kind.view):
                left_out.append(f"{name} has no {kind.name} with something to compare it with")
    progress("evaluate", len(names), len(names))
    if not results:
        raise DataError(f"run {run.name!r}: none of its lists has an object of what is looked for")
    return Evaluation(truth, results, asked.computed - before, left_out)


class _Asked:
    """One question to a run: its parts that all lists share."""

    def __init__(self, run: Run, truth: Truth, conditions: Conditions, floor: str) -> None:
        self._run, self._truth, self._conditions = run, truth, conditions
        self._floor = floor
        self._book = ResultBook(run.home)
        self.computed = 0

    @cached_property
    def _groups(self) -> Array:
        return group_keys(self._run.objects)

    @cached_property
    def _survey(self) -> dict[str, str]:
        dataset = {k: v for k, v in self._run.manifest["dataset"].items() if k != "vectors"}
        ids = self._run.objects["object_id"].to_numpy().astype(np.str_)
        digest = hashlib.blake2b("\n".join(ids.tolist()).encode(), digest_size=16).hexdigest()
        name = str(dataset.get("name", "own vectors"))
        return {"survey": name, "survey_digest": content_key([dataset, digest])[:32]}

    def of(self, name: ListName, kind: Kind) -> list[Result]:
        """The results of a list and a kind; none where the list has nothing of it."""
        planted = self._truth.host is not None
        wanted: list[tuple[str, float | None]] = [
            (metric, None) for metric in (PLANTED_METRICS if planted else KNOWN_METRICS)
        ]
        if planted:
            steps = _strengths(self._truth, kind)
            wanted += [(metric, step) for step in steps for metric in STRENGTH_METRICS]
            if not steps:
                wanted.remove(("strength_at_half_recall", None))
        abouts = [self._about(name, kind, metric, step) for metric, step in wanted]
        found = [self._book.find(about) for about in abouts]
        missing = [at for at, result in enumerate(found) if result is None]
        if missing:
            judged: Any = self._judged(name, kind)
            if judged is None:
                return []
            new = {}
            for at in missing:
                metric, step = wanted[at]
                one = judged if step is None else judged.at(step)
                new[at] = (abouts[at], one.measured(metric))
            kept = dict(zip(new, self._book.add(list(new.values())), strict=True))
            found = [kept.get(at, result) for at, result in enumerate(found)]
            self.computed += len(new)
        return [result for result in found if result is not None]

    def _judged(self, name: ListName, kind: Kind) -> KnownKind | PlantedKind | None:
        standing, looks = standing_of(self._run, name, self._groups), self._conditions.looks
        if self._truth.host is None:
            return KnownKind.of(standing, kind, looks, str(name))
        prevalence = self._conditions.prevalence
        return PlantedKind.of(standing, self._truth, kind, looks, prevalence, str(name))

    def _about(self, name: ListName, kind: Kind, metric: str, step: float | None) -> dict[str, Any]:
        """Everything that a value depends on."""
        run, conditions = self._run, self._conditions
        record, options = run.record(name), run.manifest["request"]["run"]
        planted: dict[str, Any] = {}
        if self._truth.host is not None:
            planted = {"prevalence": conditions.prevalence, "strength": step}
        return {
            **self._survey,
            "truth": self._truth.text,
            "truth_digest": kind.digest[:32],
            "kind": kind.name,
            "family": kind.family,
            "declared_view": kind.view,
            "model": name.model,
            "floor": self._floor,
            "weights": _weights(run.manifest["models"], name),
            "embedder": name.embedder,
            "view": name.view,
            "detector": name.detector,
            "given": list(name.given),
            "list": record["key"],
            "fit": record["fit"],
            "folds": record["folds"],
            "seed": options["seed"],
            "metric": metric,
            "conditions": {"looks": conditions.looks, **planted},
        }


def _strengths(truth: Truth, kind: Kind) -> list[float]:
    """The steps of strength of a planted kind; none where strengths are spread, or one."""
    if truth.strength is None:
        return []
    values = truth.strength[kind.of_kind]
    known = np.unique(values[np.isfinite(values)])
    return known.tolist() if 1 < len(known) <= len(values) / 2 else []


def _weights(models: Mapping[str, Any], name: ListName) -> str:
    """Digest of the weights that a list goes back to, "" where it goes back to no model."""
    known = {label: models[label]["weights"] for label in name.model.split("+") if label in models}
    return content_key(known)[:32] if known else ""
