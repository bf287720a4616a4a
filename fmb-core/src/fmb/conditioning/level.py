"""The level of scores along the roles: what is left of them in a list of residuals."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fmb.conditioning.polynomials import ROWS_PER_COLUMN
from fmb.conditioning.ridge import Sums
from fmb.contract.arrays import Array

__all__ = ["Level", "fit_level"]

WIDEST = math.log(5.0)
"""How far a log spread may be from its mean over the fit, in either direction."""
FAINTEST = 1e-2
"""Residuals below this share of their root mean square count as that: log 0 is no number."""
LOG_NORMAL = -0.5 * (np.euler_gamma + math.log(2.0))
"""Mean of log |x| of a standard normal x."""


@dataclass(frozen=True, eq=False)
class Level:
    """Where the roots of scores lie at some roles, and how far they spread there.

    Scores are squares of distances, or grow like them: the larger, the more they scatter. Their
    roots scatter alike (Bartlett 1947, Biometrics 3, 39).
    """

    zero: float
    """The lowest score of the fit; those below have the negative root of their distance to it."""
    means: Array
    """(c,), float64: columns @ means is the root that is expected."""
    shrinks: Array
    """(c,), float64: columns @ shrinks is minus the logarithm of the spread about it, in units of
    `spread`, before it is held."""
    spread: float
    """Of the roots about what is expected, over all the fit."""

    def __call__(self, scores: Array, columns: Array) -> Array:
        """How far scores are above what is expected, in units of their spread, (n,), float64.

        Args:
            scores: (n,).
            columns: (n, c), of the objects' roles.
        """
        narrow = np.exp((columns @ self.shrinks).clip(-WIDEST, WIDEST))
        return np.asarray((self._root(scores) - columns @ self.means) * narrow / self.spread)

    def _root(self, scores: Array) -> Array:
        above = scores - self.zero
        return np.asarray(np.sign(above) * np.sqrt(np.abs(above)))


def fit_level(scores: Array, columns: Array, choices: Sequence[int]) -> Level:
    """The level of scores that each object would have by a fit without it.

    A ridge regression of the roots of the scores on columns, and one of log |root - expected|.

    Args:
        scores: (m,), finite, m >= 1.
        columns: (m, c), of the objects' roles, the constant first.
        choices: how many of the columns may be used, best first: the first for which there are 40
            objects a column besides the constant, or the constant alone.
    """
    m, wide = columns.shape
    used = next((c for c in choices if m >= ROWS_PER_COLUMN * (c - 1)), 1)
    p, zero = columns[:, :used], float(scores.min())
    gram, roots = p.T @ p, np.sqrt(scores - zero)
    means = Sums(gram, p.T @ roots[:, None]).coefficients()[:, 0]
    away = np.abs(roots - p @ means)
    usual = float(np.sqrt(np.mean(away**2)))
    rest = np.zeros(wide - used)
    if usual == 0:
        return Level(zero, np.concatenate([means, rest]), np.zeros(wide), 1.0)
    logs = np.log(np.maximum(away, FAINTEST * usual))
    shrinks = -Sums(gram, p.T @ logs[:, None]).coefficients()[:, 0]
    shrinks[0] += logs.mean()
    spread = math.exp(float(logs.mean()) - LOG_NORMAL)
    return Level(zero, np.concatenate([means, rest]), np.concatenate([shrinks, rest]), spread)
