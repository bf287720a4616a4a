"""Do the scores of the folds lie on one scale? Two tests that need no permutations."""

from dataclasses import dataclass

import numpy as np

from fmb.contract.arrays import Array
from fmb.scoring.ranking import rank

__all__ = ["FoldShift", "fold_shift"]

NOTABLE_P = 1e-3
NOTABLE_SHIFT = 0.1
MAD_TO_SPREAD = 1.4826
"""1 / Phi^-1(3/4): makes the median absolute deviation of a Gaussian its standard deviation."""


@dataclass(frozen=True)
class FoldShift:
    """How far the scores of the folds lie apart, in the middle and at the strange end.

    With folds by hash the folds are alike and a shift comes from the fits. With folds on the sky
    it may also be a real difference between parts of the sky.
    """

    median: tuple[float, ...]
    """Of the scores of each fold."""
    shift: float
    """Largest distance of a fold's median from that of all, in units of the spread of all scores
    (1.4826 times the median absolute deviation)."""
    p_value: float
    """Kruskal-Wallis: how often folds that are alike would differ this much."""
    top: int
    """How many of the strangest sources were counted: 1 %, at least 5 a fold; 0 = too few."""
    top_by_fold: tuple[int, ...]
    """How many of them each fold owns."""
    top_p_value: float
    """Chi-square of these counts; 1 when too few."""

    @property
    def notable(self) -> bool:
        """True when the folds differ by more than chance and enough to move ranks."""
        middle = self.p_value < NOTABLE_P and self.shift > NOTABLE_SHIFT
        return middle or self.top_p_value < NOTABLE_P

    def __str__(self) -> str:
        measured = (
            f"medians of the folds lie up to {self.shift:.2f} spreads from that of all"
            f" (p = {self.p_value:.2g})"
        )
        if self.top:
            counts = ", ".join(map(str, self.top_by_fold))
            measured += f"; of the top {self.top} they own {counts} (p = {self.top_p_value:.2g})"
        if not self.notable:
            return f"scores of the folds are on one scale: {measured}"
        return (
            f"scores of the folds are NOT on one scale: {measured};"
            " compare with --fit in-sample before you trust ranks across folds"
        )


def fold_shift(scores: Array, fold: Array, k: int) -> FoldShift:
    """Compare the scores of k folds.

    Args:
        scores: (n,), one for each group, so that repeats do not count as evidence.
        fold: (n,), int, 0 .. k-1, each present.
        k: number of folds.

    Source: Kruskal and Wallis 1952, J. Am. Stat. Assoc. 47, 583, with its correction for ties.
    """
    medians = np.array([np.median(scores[fold == i]) for i in range(k)])
    middle = np.median(scores)
    spread = MAD_TO_SPREAD * np.median(np.abs(scores - middle))
    far = np.abs(medians - middle).max()
    shift = float(far / spread) if spread > 0 else (np.inf if far > 0 else 0.0)
    ranks = rank(scores)
    top, counts, top_p_value = compare_tops(ranks, fold, k)
    return FoldShift(
        median=tuple(medians.tolist()),
        shift=shift,
        p_value=kruskal_wallis(ranks, fold, k),
        top=top,
        top_by_fold=counts,
        top_p_value=top_p_value,
    )


def kruskal_wallis(ranks: Array, fold: Array, k: int) -> float:
    """Chance that folds of one distribution have mean ranks this different.

    Equal to `scipy.stats.kruskal` of the folds' ranks; written out because importing `scipy.stats`
    costs 1.2 s of every run.
    """
    n = len(ranks)
    _, ties = np.unique(ranks, return_counts=True)
    untied = 1 - float(np.sum(ties.astype(float) ** 3 - ties)) / (float(n) ** 3 - n)
    if untied <= 0:
        return 1.0
    sizes = np.bincount(fold, minlength=k)
    means = np.bincount(fold, weights=ranks, minlength=k) / sizes
    between = float(np.sum(sizes * (means - (n + 1) / 2) ** 2))
    return _chi_square_tail(12 * between / (n * (n + 1)) / untied, k - 1)


def compare_tops(ranks: Array, fold: Array, k: int) -> tuple[int, tuple[int, ...], float]:
    """How the strangest objects fall on the folds: number, counts, chance of such counts."""
    n = len(ranks)
    strange = ranks <= max(5 * k, n // 100)
    top = int(strange.sum())
    if top < 5 * k or top > n / 2:  # chi-square wants 5 a cell; half a survey is no extreme
        return 0, (), 1.0
    counts = np.bincount(fold[strange], minlength=k)
    fair = top * np.bincount(fold, minlength=k) / n
    # Drawn without replacement: counts vary less than Poisson by (n - top) / (n - 1).
    statistic = float(np.sum((counts - fair) ** 2 / fair)) * (n - 1) / (n - top)
    return top, tuple(counts.tolist()), _chi_square_tail(statistic, k - 1)


def _chi_square_tail(x: float, dof: int) -> float:
    """P(chi-square with `dof` degrees of freedom > x)."""
    # Imported here: planning and opening a run do without scipy.
    from scipy.special import chdtrc

    return float(chdtrc(dof, x))
