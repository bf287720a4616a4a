"""Surveys of few objects for their dimension, where what a fold leaves out is missed."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeGuard

import numpy as np
import numpy.typing as npt

from fmb.blocks.sound import widths
from fmb.blocks.stored import Stored, StoredPairs, gathered
from fmb.contract.detector import LeavesOut
from fmb.contract.vectors import Judged, Vectors
from fmb.crossfit.checked import Checked
from fmb.crossfit.given import Given
from fmb.crossfit.scored import IN_SAMPLE, CrossFit, Make, cross_fit
from fmb.scoring.folds import check_count, group_codes
from fmb.scoring.ranking import check_scores

__all__ = ["FOLDS", "cross_fit_small", "is_small"]

FOLDS = 5
"""Of a cross-fit, where nobody says otherwise."""
MORE_FOLDS = 20
"""Of few objects: each fit has 95 % of them."""
OBJECTS_PER_DIMENSION = 4
FEW = f"fewer than {OBJECTS_PER_DIMENSION} objects for each number of a vector"


def is_small(x: Judged | Stored | StoredPairs | Given) -> TypeGuard[Vectors | Stored | Given]:
    """True for vectors of one view, fewer than four times their dimension."""
    of = x.of if isinstance(x, Given) else x
    if not isinstance(of, Vectors | Stored):
        return False
    return len(of) < OBJECTS_PER_DIMENSION * widths(of)[0]


def cross_fit_small(
    make: Make,
    x: Vectors | Stored | Given,
    groups: npt.ArrayLike,
    *,
    name: str,
    details: Sequence[str] = (),
    told: Callable[[int], None] = lambda fits: None,
    fitted: npt.ArrayLike | None = None,
) -> CrossFit:
    """Score each object by a fit that lacks it and its repeats, and little else.

    Five folds lose what a fifth of few objects would have told. For the Gaussian the truth is
    known, its left-out scores; on simulated surveys of 28 x 32 to 1,500 x 768 with 3 % planted the
    AUROC of 5 folds was 0.059 off it in the mean, of 20 folds 0.018, and of 20 on one scale 0.014
    (300 x 768: 0.057, 0.018, 0.006). A distance to ten neighbours, which has no
    level of its own, was 0.009 off its in-sample value in 20 folds and 0.011 on one scale. Dividing
    by the spread of the fitted objects' scores too gained nothing; medians of the held-out folds
    instead, of a few objects each, are 0.04 off.

    A detector that knows what it would say without an object is fitted once, to all. Any other is
    cross-fitted in 20 folds, one a group where there are fewer, and its fits are put on one scale
    (`centre_fits`); so is every detector of vectors given roles, whose conditioning knows no such
    formula, or beside objects that no fit may see.

    Args:
        make: a new detector for the fold number it is given, -1 where one fit is made.
        x: n objects.
        groups: (n,), integers or text; left out together.
        name: what messages call the detector.
        details: columns that the detector tells of each object.
        told: called with how many of 5 fits the work done comes to.
        fitted: as for `cross_fit`.

    Raises:
        FmbError: as `cross_fit`.
    """
    codes, keys = group_codes(groups)
    check_count(len(keys), FOLDS)
    label = f"detector {name!r}"
    one = Checked(make(IN_SAMPLE), label)
    every = fitted is None or bool(np.all(fitted))
    if isinstance(one.detector, LeavesOut) and not isinstance(x, Given) and every:
        whole = gathered(x)
        one.fit(whole)
        scores, tables = one.judge_left_out(whole, codes, details)
        check_scores(scores, x.ids, label)
        fold = np.full(len(x), IN_SAMPLE)
        note = f"{FEW}: each was left out of one fit to all, by the detector's formula"
        return CrossFit(scores, fold, (one,), tables, fit="leave-one-out", note=note)
    k = min(MORE_FOLDS, len(keys))

    def of_five(fits: int) -> None:
        told(FOLDS * fits // k)

    crossed = cross_fit(
        make,
        x,
        groups,
        k,
        name=name,
        details=details,
        told=of_five,
        fitted=fitted,
        centred=True,
    )
    note = f"{FEW}: {k} folds, and the scores of their fits shifted to one scale"
    return replace(crossed, note=note)
