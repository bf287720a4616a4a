"""Scores of several seeds as one: averaged by rank, with how far the seeds agree."""

from dataclasses import dataclass

import numpy as np

from fmb import Array

__all__ = ["MOST_ROWS", "RankMean", "seed_of"]

MOST_ROWS = 10_000
"""Fitted rows that make the scale: enough for its top 1 %, whatever the size of the survey."""
TOP = 100


def seed_of(seed: int, number: int) -> int:
    """The seed of a fit by its number; the first keeps that of the detector."""
    if not number:
        return seed
    return int(np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)[0] >> 1)


@dataclass(frozen=True, eq=False)
class RankMean:
    """The mean rank of an object over seeds, in the units of their scores.

    A seed's score becomes its place among that seed's scores of fitted rows, so that no seed counts
    more because its scores spread more, and no object depends on which others are scored beside it.
    The mean place is read as a score off the mean of the seeds' scales: folds stay on the scale of
    one seed. What lies beyond a scale keeps its distance to the end, so that the strangest differ.
    """

    scales: Array
    """(seeds, m), float64, each row sorted: scores of the same m fitted rows."""
    kept: float
    """Of the strangest 100 of these rows by one seed (a tenth, where fewer than 1,000), the share
    that another has too: mean over pairs of seeds."""

    @classmethod
    def of(cls, scores: Array) -> "RankMean":
        """The scale of seeds that gave fitted rows these scores, (seeds, m), float64."""
        seeds, m = scores.shape
        top = max(1, min(TOP, m // 10))
        chosen = [set(np.argsort(-row, kind="stable")[:top].tolist()) for row in scores]
        kept = [len(chosen[i] & chosen[j]) / top for i in range(seeds) for j in range(i)]
        return cls(np.sort(scores, axis=1), float(np.mean(kept)))

    def of_objects(self, scores: Array) -> tuple[Array, Array]:
        """One score an object, and how far its places lie apart.

        Args:
            scores: (seeds, n), float64, of objects that need not be those of the scale.

        Returns:
            (n,) float64, the scores of a single seed being left as they are, and (n,) float64, the
            standard deviation over seeds of the object's place, in [0, 0.5].
        """
        m = self.scales.shape[1]
        places = (np.arange(m) + 0.5) / m
        pairs = list(zip(scores, self.scales, strict=True))
        at = np.stack([np.interp(row, scale, places) for row, scale in pairs])
        beyond = np.stack([row - row.clip(scale[0], scale[-1]) for row, scale in pairs])
        score = np.interp(at.mean(axis=0), places, self.scales.mean(axis=0))
        return score + beyond.mean(axis=0), at.std(axis=0)
