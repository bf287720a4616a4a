"""Measures of a list against planted copies: each is judged in the place of its host.

Copies of one host, whatever their strength, are one draw of every interval; the unchanged objects
are taken as they are, so that it holds for other hosts in this survey.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from fmb import Array, ConfigError
from fmb_analyses.bootstrap import resamples
from fmb_analyses.evaluate.half_recall import first_crossing, strength_parts
from fmb_analyses.evaluate.known import top_percent
from fmb_analyses.evaluate.standing import Standing
from fmb_analyses.evaluate.truth import Kind, Truth
from fmb_analyses.metrics import auroc_of_copies
from fmb_analyses.results import Measured

__all__ = ["PLANTED_METRICS", "STRENGTH_METRICS", "PlantedKind", "within"]

PLANTED_METRICS = (
    "auroc",
    "auroc_own_hosts",
    "average_precision",
    "recall_top_percent",
    "shift",
    "precision",
    "enrichment",
    "strength_at_half_recall",
)
"""Of all copies of a kind; precision and enrichment in so many looks at the stated prevalence."""
STRENGTH_METRICS = ("auroc", "auroc_own_hosts", "recall_top_percent", "shift")
"""Of the copies of one strength."""
RESAMPLES = 1000
FEWEST_HOSTS = {"auroc_own_hosts": 3}
"""Hosts of which resamples differ; two are one another's only other host. Else 2."""


@dataclass(frozen=True, eq=False)
class PlantedKind:
    """Copies of a kind, and the hosts they were made from, in one list."""

    row: Array
    """(m,), int: which objects of the run the copies are."""
    rank: Array
    """(m,), float64: the rank each copy would have in place of its host, 1 = strangest."""
    host_rank: Array
    """(m,), float64, of the host of each."""
    score: Array
    """(m,), float64."""
    host: Array
    """(m,), int: copies of one host share a number, its position in `host_score`."""
    host_score: Array
    """(hosts,), float64."""
    strength: Array
    """(m,), float64, NaN where the kind has none."""
    n: int
    """Sources that the list ranks."""
    looks: int
    prevalence: float
    """Share of a survey that is taken to be of the kind."""

    @classmethod
    def of(
        cls,
        standing: Standing,
        truth: Truth,
        kind: Kind,
        looks: int,
        prevalence: float,
        title: str,
    ) -> "PlantedKind | None":
        """The copies that a list can judge beside their hosts; None where there are none.

        Raises:
            ConfigError: there are more looks than ranked objects.
        """
        if truth.host is None or truth.strength is None:
            raise TypeError("nothing is planted in this truth")
        if looks > standing.n:
            raise ConfigError(
                f"--looks {looks:,}: {title} ranks {standing.n:,} objects; choose at most these"
            )
        inside = np.isfinite(standing.score)
        copies = np.flatnonzero(kind.of_kind & inside & (truth.host >= 0))
        copies = copies[inside[truth.host[copies]]]
        if not len(copies):
            return None
        hosts, number = np.unique(truth.host[copies], return_inverse=True)
        return cls(
            row=copies,
            rank=standing.rank[copies],
            host_rank=standing.rank[truth.host[copies]],
            score=standing.score[copies],
            host=number,
            host_score=standing.score[hosts],
            strength=truth.strength[copies],
            n=standing.n,
            looks=looks,
            prevalence=prevalence,
        )

    @cached_property
    def strengths(self) -> list[float]:
        """The strengths that there are, where these are steps; else none."""
        known = np.unique(self.strength[np.isfinite(self.strength)])
        return known.tolist() if 1 < len(known) <= len(self.rank) / 2 else []

    @cached_property
    def parts(self) -> list[tuple[float, Array]]:
        """Strengths and the copies (m,) bool that tell the recall at each; none if none can."""
        return strength_parts(self.strength)

    def at(self, strength: float) -> "PlantedKind | None":
        """The copies of one strength, and their hosts; None where there are none."""
        return self.where(self.strength == strength)

    def where(self, chosen: Array) -> "PlantedKind | None":
        """Some of the copies (m,) bool, and their hosts; None where there are none."""
        if not chosen.any():
            return None
        hosts, number = np.unique(self.host[chosen], return_inverse=True)
        return replace(
            self,
            row=self.row[chosen],
            rank=self.rank[chosen],
            host_rank=self.host_rank[chosen],
            score=self.score[chosen],
            host=number,
            host_score=self.host_score[hosts],
            strength=self.strength[chosen],
        )

    def measured(self, metric: str) -> Measured:
        """One of `PLANTED_METRICS`, with the 95 % percentile interval over hosts.

        One host tells no interval: its bounds are None.
        """
        value, draws, by_chance = self.replicates(metric)
        return within(value, draws, by_chance, self.n, len(self.rank))

    def replicates(self, metric: str) -> tuple[float, Array, float]:
        """A measure, its values in 1,000 resamples of hosts, and what chance gives.

        Equal copies give equal resamples, whatever the list. They are NaN where there are too few
        hosts for resamples to differ.
        """
        of, by_chance = getattr(self, f"_{metric}")()
        value = float(of(np.ones((1, len(self.host_score))))[0])
        if len(self.host_score) < FEWEST_HOSTS.get(metric, 2):
            return value, np.full(RESAMPLES, np.nan), by_chance
        return value, of(self._draws), by_chance

    @cached_property
    def _draws(self) -> Array:
        """(resamples, hosts): how often each host is drawn."""
        hosts = np.arange(len(self.host_score))
        kinds = np.zeros(len(hosts), dtype=bool)
        return np.concatenate(list(resamples(hosts, kinds, RESAMPLES, seed=0)))

    def _mean(self, values: Array) -> Callable[[Array], Array]:
        def mean(weights: Array) -> Array:
            of_copy = weights[:, self.host]
            share: Array = of_copy @ values / of_copy.sum(axis=1)
            return share

        return mean

    def _auroc(self) -> tuple[Any, float]:
        """Against every unchanged source but the host."""
        return self._mean((self.n - self.rank) / max(self.n - 1, 1)), 0.5

    def _auroc_own_hosts(self) -> tuple[Any, float]:
        """Against the unchanged hosts of this kind but the own one: they were chosen alike."""
        hosts = np.arange(len(self.host_score))
        copy = np.append(np.ones(len(self.rank), dtype=bool), np.zeros(len(hosts), dtype=bool))
        scores, code = np.append(self.score, self.host_score), np.append(self.host, hosts)

        def of(weights: Array) -> Array:
            if len(hosts) < 2:
                return np.full(len(weights), np.nan)
            result: Array = auroc_of_copies(copy, scores, code, weights[:, code])
            return result

        return of, 0.5

    def _recall_top_percent(self) -> tuple[Any, float]:
        k = top_percent(self.n)
        return self._mean((self.rank <= k).astype(float)), k / self.n

    def _shift(self) -> tuple[Any, float]:
        """Percentile of the copy less that of its host."""
        return self._mean((self.host_rank - self.rank) / self.n), 0.0

    def _mixed(self, weights: Array) -> tuple[Array, Array, Array]:
        """A list with copies at the prevalence: (resamples, copies) strangest first.

        Returns:
            How much each copy counts, how many copies stand above each, and how many unchanged.
        """
        order = np.argsort(self.rank, kind="stable")
        of_copy = weights[:, self.host[order]]
        of_copy = of_copy / of_copy.sum(axis=1, keepdims=True) * self.n * self.prevalence
        above = np.cumsum(of_copy, axis=1) - of_copy
        unchanged = (self.rank[order] - 1) * (1 - self.prevalence)
        return of_copy, above, np.broadcast_to(unchanged, of_copy.shape)

    def _precision(self) -> tuple[Any, float]:
        def of(weights: Array) -> Array:
            counts, above, unchanged = self._mixed(weights)
            room = np.clip(self.looks - above - unchanged, 0, counts)
            hits: Array = room.sum(axis=1) / self.looks
            return hits

        return of, self.prevalence

    def _enrichment(self) -> tuple[Any, float]:
        precision, _ = self._precision()
        return (lambda weights: precision(weights) / self.prevalence), 1.0

    def _average_precision(self) -> tuple[Any, float]:
        def of(weights: Array) -> Array:
            counts, above, unchanged = self._mixed(weights)
            found = above + counts
            purity = np.divide(found, found + unchanged, out=np.zeros_like(found), where=found > 0)
            mean: Array = (counts * purity).sum(axis=1) / counts.sum(axis=1)
            return mean

        return of, self.prevalence

    def _strength_at_half_recall(self) -> tuple[Any, float]:
        """Where recall in the top 1 % first reaches 50 %, by straight lines between strengths."""
        top = self.rank <= top_percent(self.n)

        def of(weights: Array) -> Array:
            recalls = []
            for _, chosen in self.parts:
                of_copy = weights[:, self.host[chosen]]
                total = of_copy.sum(axis=1)
                recalls.append(
                    np.divide(
                        of_copy @ top[chosen], total, out=np.zeros_like(total), where=total > 0
                    )
                )
            return first_crossing([step for step, _ in self.parts], np.array(recalls).T)

        return of, 0.0


def within(value: float, draws: Array, by_chance: float, n: int, n_positive: int) -> Measured:
    """A value with the 95 % interval of its resamples; inf, which is not reached, becomes None."""
    known = draws[~np.isnan(draws)]
    low, high = np.quantile(known, [0.025, 0.975], method="nearest") if len(known) else [np.nan] * 2
    return Measured(_reached(value), _reached(low), _reached(high), by_chance, n, n_positive)


def _reached(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
