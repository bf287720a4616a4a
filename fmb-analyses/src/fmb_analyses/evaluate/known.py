"""Measures of a list against objects of a known kind that stand in it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fmb import Array, ConfigError
from fmb_analyses.bootstrap import Interval, wilson
from fmb_analyses.evaluate.cells import interval_of_order
from fmb_analyses.evaluate.standing import Standing
from fmb_analyses.evaluate.truth import Kind
from fmb_analyses.metrics import (
    auroc,
    average_precision,
    chance,
    cumulative_counts,
    found_in_top,
)
from fmb_analyses.results import Measured

__all__ = ["KNOWN_METRICS", "KnownKind", "resamples_of", "tells_no_interval", "top_percent"]

KNOWN_METRICS = (
    "auroc",
    "average_precision",
    "recall_top_percent",
    "recall",
    "precision",
    "enrichment",
)
"""Of a kind in a list; the last three in so many looks."""
OF_ORDER = ("auroc", "average_precision")
"""Those whose interval is that of resamples."""
DRAWS = 10_000_000
"""Weights drawn for an interval at most; 1,000 resamples of up to 10,000 objects."""


def top_percent(n: int) -> int:
    """How many of n ranked sources are the top 1 %, at least one."""
    return max(1, round(n / 100))


def resamples_of(n: int) -> int:
    """How many resamples of n sources an interval takes: 1,000, but fewer of many sources."""
    return max(200, min(1000, DRAWS // n))


def tells_no_interval(labels: Array) -> bool:
    """True where resamples of labelled objects, or of the others, are all the same one."""
    return min(int(labels.sum()), int((~labels).sum())) < 2


@dataclass(frozen=True, eq=False)
class KnownKind:
    """A kind of which some sources of a list are, and others are known not to be."""

    row: Array
    """(m,), int, ascending: numbers of the sources, the same in every list of the objects."""
    labels: Array
    """(m,), bool, of the sources of which it is known."""
    scores: Array
    """(m,), float64, higher is stranger."""
    looks: int

    @classmethod
    def of(cls, standing: Standing, kind: Kind, looks: int, title: str) -> "KnownKind | None":
        """What a list has of a kind; None where it has none of it, or nothing else.

        Raises:
            ConfigError: there are more looks than ranked objects.
        """
        rows = standing.listed & standing.of_source(kind.known)
        labels = standing.of_source(kind.of_kind)[rows]
        if not 0 < labels.sum() < len(labels):
            return None
        if looks > len(labels):
            raise ConfigError(
                f"--looks {looks:,}: {title} ranks {len(labels):,} objects; choose at most these"
            )
        source = standing.source[rows]
        order = np.argsort(source)
        return cls(source[order], labels[order], standing.score[rows][order], looks)

    def measured(self, metric: str) -> Measured:
        """One of `KNOWN_METRICS`: of an order by bootstrap over sources, of a share by Wilson.

        Bounds of an order are None where one source is of the kind, or one is not.
        """
        n, positive = len(self.labels), int(self.labels.sum())
        value, by_chance = getattr(self, f"_{metric}")(n, positive)
        if metric in OF_ORDER and tells_no_interval(self.labels):
            return Measured(value.value, None, None, by_chance, n, positive)
        return Measured(value.value, value.low, value.high, by_chance, n, positive)

    def _auroc(self, n: int, positive: int) -> tuple[Interval, float]:
        return self._bootstrapped(auroc), 0.5

    def _average_precision(self, n: int, positive: int) -> tuple[Interval, float]:
        by_chance = chance("average_precision", n=n, n_labelled=positive)
        return self._bootstrapped(average_precision), by_chance

    def _recall_top_percent(self, n: int, positive: int) -> tuple[Interval, float]:
        k = top_percent(n)
        return wilson(self._hits(k), positive), k / n

    def _recall(self, n: int, positive: int) -> tuple[Interval, float]:
        return wilson(self._hits(self.looks), positive), self.looks / n

    def _precision(self, n: int, positive: int) -> tuple[Interval, float]:
        return wilson(self._hits(self.looks), self.looks), positive / n

    def _enrichment(self, n: int, positive: int) -> tuple[Interval, float]:
        share = positive / n
        precision, _ = self._precision(n, positive)
        return Interval(precision.value / share, precision.low / share, precision.high / share), 1.0

    def _hits(self, k: int) -> float:
        """Sources of the kind among the k strangest; ties count by their mean."""
        found, other = cumulative_counts(self.labels, self.scores, None)
        return float(found_in_top(found, found + other, k))

    def _bootstrapped(self, measure: Any) -> Interval:
        return interval_of_order(measure, self.labels, self.scores)
