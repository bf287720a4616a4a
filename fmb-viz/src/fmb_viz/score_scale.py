"""An axis of scores on which both the bulk and the strangest objects can be seen."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["ScoreScale", "bin_edges", "score_scale"]

Array = npt.NDArray[Any]

_LINEAR_REACH = 15.0
"""Scores within this many robust widths of the median leave the axis linear."""
_BINS = (10, 120)


@dataclass(frozen=True)
class ScoreScale:
    """Linear near the centre, logarithmic far from it; or linear throughout."""

    centre: float
    width: float
    """Half range of the linear part; infinite = linear throughout."""

    @property
    def compressed(self) -> bool:
        """True when distances far from the centre are logarithmic."""
        return bool(np.isfinite(self.width))

    def forward(self, score: npt.ArrayLike) -> Array:
        """Place on the axis."""
        offset = np.asarray(score, dtype=np.float64) - self.centre
        return np.arcsinh(offset / self.width) if self.compressed else offset

    def inverse(self, place: npt.ArrayLike) -> Array:
        """Score at a place on the axis."""
        at = np.asarray(place, dtype=np.float64)
        return self.centre + (self.width * np.sinh(at) if self.compressed else at)

    def widened(self, low: float, high: float) -> tuple[float, float]:
        """Limits of an axis that shows `low` to `high` with a little room at both ends."""
        places = self.forward([low, high])
        room = 0.03 * float(places[1] - places[0])
        left, right = self.inverse(places + np.array([-room, room]))
        return float(left), float(right)

    def ticks(self, low: float, high: float, most: int = 7) -> list[float]:
        """Round scores at about equal distances on a compressed axis.

        Each is rounded to the digit of the distance to its neighbour, so that no two are equal.
        """
        left, right = self.forward([low, high])
        raw = self.inverse(np.linspace(left, right, most))
        steps = np.diff(raw)
        near = np.minimum(np.append(steps, steps[-1]), np.insert(steps, 0, steps[0]))
        unit = 10.0 ** np.floor(np.log10(near))
        return [float(f"{value:.12g}") for value in np.unique(np.round(raw / unit) * unit)]


def score_scale(score: Array) -> ScoreScale:
    """The scale for these scores: compressed only where a tail would hide the bulk.

    Args:
        score: (n,), float64, finite.
    """
    low, centre, high = (float(q) for q in np.percentile(score, [25.0, 50.0, 75.0]))
    width = (high - low) / 1.349  # of a normal distribution with this interquartile range
    reach = max(float(score.max()) - centre, centre - float(score.min()))
    if width > 0.0 and reach > _LINEAR_REACH * width:
        return ScoreScale(centre, 3.0 * width)
    return ScoreScale(centre, np.inf)


def bin_edges(score: Array, scale: ScoreScale) -> Array:
    """Edges of bins that are equal on the axis and hold every score.

    Args:
        score: (n,), float64, finite.
        scale: the axis.

    Returns:
        Ascending, float64; one bin around the value when all scores are equal.

    Source: width of Freedman and Diaconis 1981, 2 IQR n^(-1/3), taken on the axis.
    """
    place = scale.forward(score)
    low, high = float(place.min()), float(place.max())
    if not high > low:
        half = 0.5 * max(abs(float(score[0])), 1.0) * 1e-2
        return np.array([float(score[0]) - half, float(score[0]) + half])
    quartiles = np.percentile(place, [25.0, 75.0])
    width = 2.0 * float(quartiles[1] - quartiles[0]) / len(score) ** (1.0 / 3.0)
    wanted = int(np.ceil((high - low) / width)) if width > 0.0 else _BINS[0]
    edges = scale.inverse(np.linspace(low, high, int(np.clip(wanted, *_BINS)) + 1))
    # The way there and back may lose the last digit of the extremes, which must stay inside.
    edges[0], edges[-1] = score.min(), score.max()
    return np.asarray(edges)
