"""One question to a run: what is measured of its lists, and what of it is known already."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from fmb import Array, ListName, Run
from fmb.datasets import group_keys
from fmb.store import content_key
from fmb_analyses.evaluate.half_recall import strength_parts
from fmb_analyses.evaluate.known import KNOWN_METRICS, KnownKind
from fmb_analyses.evaluate.planted import PLANTED_METRICS, STRENGTH_METRICS, PlantedKind
from fmb_analyses.evaluate.standing import Standing, standing_of
from fmb_analyses.evaluate.truth import Kind, Truth
from fmb_analyses.results import Measured, Result, ResultBook

__all__ = ["Conditions", "Question"]

HALF_RECALL = "strength_at_half_recall"


@dataclass(frozen=True)
class Conditions:
    """Under which conditions lists are measured."""

    looks: int = 100
    """How many objects somebody looks at."""
    prevalence: float = 0.01
    """Share of a survey that is taken to be of a planted kind."""


class Question:
    """One question to a run: its parts that all lists share."""

    def __init__(self, run: Run, truth: Truth, conditions: Conditions, floor: str = "") -> None:
        """Nothing is read.

        Args:
            run: a finished run.
            truth: what is known of its objects.
            conditions: under which its lists are measured.
            floor: what stands in the place of a model, "" = one does.
        """
        self._run, self._truth, self._conditions = run, truth, conditions
        self._floor = floor
        self._book = ResultBook(run.home)
        self._last: tuple[ListName, Standing] | None = None
        self.computed = 0
        """Results that were not known before."""

    @property
    def truth(self) -> Truth:
        """What is known of the objects."""
        return self._truth

    @property
    def planted(self) -> bool:
        """True when copies were planted."""
        return self._truth.host is not None

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
            if self._truth.strength is None or not strength_parts(
                self._truth.strength[kind.of_kind]
            ):
                wanted.remove((HALF_RECALL, None))
        abouts = [self.about(name, kind, metric, step) for metric, step in wanted]

        def measure(missing: Sequence[int]) -> dict[int, Measured]:
            judged: Any = self.judged(name, kind)
            if judged is None:
                return {}
            found = {}
            for at in missing:
                metric, step = wanted[at]
                part = judged if step is None else judged.at(step)
                if part is not None and (metric != HALF_RECALL or part.parts):
                    found[at] = part.measured(metric)
            return found

        return self.kept(abouts, measure)

    def kept(
        self,
        abouts: Sequence[Mapping[str, Any]],
        measure: Callable[[Sequence[int]], Mapping[int, Measured]],
    ) -> list[Result]:
        """Results that were measured before, and those of the others, which are measured now.

        Args:
            abouts: what each depends on.
            measure: given positions in `abouts`, measures those of them that can be.
        """
        found = {at: self._book.find(about) for at, about in enumerate(abouts)}
        missing = [at for at, result in found.items() if result is None]
        if missing:
            new = measure(missing)
            added = self._book.add([(abouts[at], one) for at, one in new.items()])
            found.update(zip(new, added, strict=True))
            self.computed += len(new)
        return [result for result in found.values() if result is not None]

    def judged(self, name: ListName, kind: Kind) -> KnownKind | PlantedKind | None:
        """What a list has of a kind; None where it has nothing to compare it with.

        Raises:
            ConfigError: there are more looks than ranked objects.
        """
        if self._last is None or self._last[0] != name:
            self._last = (name, standing_of(self._run, name, self._groups))
        standing, looks = self._last[1], self._conditions.looks
        if self._truth.host is None:
            return KnownKind.of(standing, kind, looks, str(name))
        prevalence = self._conditions.prevalence
        return PlantedKind.of(standing, self._truth, kind, looks, prevalence, str(name))

    def about(
        self, name: ListName, kind: Kind, metric: str, step: float | None = None
    ) -> dict[str, Any]:
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
