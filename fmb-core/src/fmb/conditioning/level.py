"""The level of scores along the roles: what is left of them in a list of residuals."""

import math
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


@dataclass(frozen=True, eq=False)
class Level:
    """Where scores lie at some roles, and how far they spread there."""

    means: Array
    """(c,), float64: polynomial @ means is the score that is expected."""
    shrinks: Array
    """(c,), float64: polynomial @ shrinks is minus the logarithm of the spread about it, in units
    of that of all, before it is held."""
    middle: float
    """The mean score."""

    def __call__(self, scores: Array, polynomial: Array) -> Array:
        """Scores as they would be at roles where they lie and spread like all, (n,), float64.

        Args:
            scores: (n,).
            polynomial: (n, c), of the objects' roles.
        """
        narrow = np.exp((polynomial @ self.shrinks).clip(-WIDEST, WIDEST))
        return np.asarray(self.middle + (scores - polynomial @ self.means) * narrow)


def fit_level(scores: Array, polynomial: Array) -> Level | None:
    """The level of scores that each object would have by a fit without it.

    A ridge regression of the scores on the polynomial, and one of log |score - level|.

    Args:
        scores: (m,), finite.
        polynomial: (m, c), of the objects' roles, the constant first.

    Returns:
        None where there are fewer than 40 objects for each column besides the constant, or where
        the scores do not vary.
    """
    m, columns = polynomial.shape
    if columns < 2 or m < ROWS_PER_COLUMN * (columns - 1):
        return None
    gram = polynomial.T @ polynomial
    means = Sums(gram, polynomial.T @ scores[:, None]).coefficients()[:, 0]
    away = np.abs(scores - polynomial @ means)
    usual = float(np.sqrt(np.mean(away**2)))
    if usual == 0:
        return None
    logs = np.log(np.maximum(away, FAINTEST * usual))
    shrinks = -Sums(gram, polynomial.T @ logs[:, None]).coefficients()[:, 0]
    shrinks[0] += logs.mean()
    return Level(means, shrinks, float(scores.mean()))
