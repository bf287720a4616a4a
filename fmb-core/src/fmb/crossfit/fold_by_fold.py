"""Fits that need all their objects at once: gathered for one fold after the other."""

from collections.abc import Callable, Sequence

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.detector import FitsTogether
from fmb.contract.vectors import Judged
from fmb.crossfit.checked import Checked, fit_together

__all__ = ["fold_by_fold"]


def fold_by_fold(
    new: Sequence[Checked],
    seen: Callable[[int, Array], Judged],
    fold: Array,
    fitted: Array,
    label: str,
    details: Sequence[str],
    told: Callable[[int], None],
) -> tuple[Array, dict[str, Array]]:
    """Scores and details by a fit a fold to the objects of the others, gathered one at a time.

    `seen` gives what fit i sees of the objects at some rows; `fitted` are those that fits may see.
    """
    scores = np.empty(len(fold))
    tables: dict[str, Array] = {column: np.empty(len(fold)) for column in details}
    samples = (seen(i, (fold != i) & fitted) for i in range(len(new)))
    together = isinstance(new[0].detector, FitsTogether)
    if together:
        fit_together(new, samples, label)
    for i, detector in enumerate(new):
        if not together:
            detector.fit(next(samples), sound=True)
        inside = fold == i
        scores[inside], of_fold = detector.judge(seen(i, inside), details, sound=True)
        for column, values in of_fold.items():
            tables[column][inside] = values
        told(i + 1)
    return scores, tables
