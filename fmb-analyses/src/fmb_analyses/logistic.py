"""Logistic regression on polynomials of a few numbers, some of them unknown, scored out of fold."""

from itertools import combinations_with_replacement

import numpy as np

from fmb import Array
from fmb.scoring import assign_folds

__all__ = ["out_of_fold", "quadratic"]

CLIP = 4.0
"""Numbers further out count as this far, in units of their spread."""
NORMAL = 1.4826
"""Spread of a normal distribution in units of its median absolute deviation."""
PENALTIES = (1.0, 10.0, 100.0, 1000.0)
"""Prior precision of a coefficient; at 1 a column of spread 1 rarely changes odds more than
e-fold."""
INNER_FOLDS = 5
MOST_LABELLED, MOST_OTHERS = 1000, 19_000
"""Objects that a fit sees: coefficients of a logistic regression, but for the constant, are the
same in a sample of either kind."""
STEPS, LONGEST_STEP, SMALLEST_STEP = 50, 5.0, 1e-6


def quadratic(values: Array) -> Array:
    """All products up to degree 2 of columns about their medians in units of their spread.

    Args:
        values: (n, r), NaN = unknown, which counts as the median and has a column of its own.

    Returns:
        (n, columns), float64, each of mean 0 and spread 1; those that do not vary are left out.
    """
    known = np.isfinite(values)
    shown = np.where(known, values, np.nan)
    shown = shown[:, known.any(axis=0)]
    centre = np.nanmedian(shown, axis=0)
    spread = NORMAL * np.nanmedian(np.abs(shown - centre), axis=0)
    spread = np.where(spread > 0, spread, np.nanstd(shown, axis=0))
    scaled = (shown - centre) / np.where(spread > 0, spread, 1.0)
    scaled = np.nan_to_num(np.clip(scaled, -CLIP, CLIP))
    r = scaled.shape[1]
    products = [scaled[:, i] * scaled[:, j] for i, j in combinations_with_replacement(range(r), 2)]
    columns = np.column_stack([np.empty((len(values), 0)), scaled, *products, known.astype(float)])
    deviation = columns.std(axis=0)
    varying = deviation > 1e-9 * np.abs(columns).max(axis=0, initial=1.0)
    return np.asarray((columns - columns.mean(axis=0))[:, varying] / deviation[varying])


def out_of_fold(labels: Array, columns: Array, groups: Array, folds: int, seed: int) -> Array:
    """Log odds of each object by a ridge-logistic regression that has not seen its group.

    How much it trusts its columns, perhaps not at all, is chosen by the likelihood of objects held
    out within each fit: without that a few dozen labelled objects follow noise, whose odds run
    against those left out. The constant is left out of the odds, since a fold with more labelled
    objects leaves fewer to its own fit.

    Args:
        labels: (n,), bool.
        columns: (n, c), of mean 0 and spread 1.
        groups: (n,), integers or text, never split.
        folds: how many.
        seed: of the sample that a fit sees where there are more than 20,000 objects.

    Returns:
        (n,), float64, higher = more like the labelled; 0 where nothing could be told.
    """
    fold, rng = assign_folds(groups, folds), np.random.default_rng(seed)
    scores = np.zeros(len(labels))
    for number in range(folds):
        fit = np.flatnonzero(fold != number)
        fit = np.concatenate(
            [
                rng.permutation(fit[labels[fit] == kind])[:most]
                for kind, most in ((True, MOST_LABELLED), (False, MOST_OTHERS))
            ]
        )
        penalty = _best_penalty(labels[fit], columns[fit], rng.permutation(len(fit)) % INNER_FOLDS)
        if np.isfinite(penalty):
            held = fold == number
            scores[held] = columns[held] @ _fit(labels[fit], columns[fit], penalty)[1:]
    return scores


def _best_penalty(labels: Array, columns: Array, inner: Array) -> float:
    """Of PENALTIES the one under which objects held out are likeliest; infinite = a constant."""
    gain = np.zeros(len(PENALTIES))
    for number in range(INNER_FOLDS):
        fit, held = inner != number, inner == number
        share = labels[fit].mean()
        if not 0 < share < 1:
            return float("inf")
        constant = _log_likelihood(
            labels[held], np.full(int(held.sum()), np.log(share / (1 - share)))
        )
        for at, penalty in enumerate(PENALTIES):
            beta = _fit(labels[fit], columns[fit], penalty)
            gain[at] += _log_likelihood(labels[held], beta[0] + columns[held] @ beta[1:]) - constant
    return PENALTIES[int(gain.argmax())] if gain.max() > 0 else float("inf")


def _log_likelihood(labels: Array, odds: Array) -> float:
    return float(-np.logaddexp(0, np.where(labels, -odds, odds)).sum())


def _fit(labels: Array, columns: Array, penalty: float) -> Array:
    """(1 + c,): constant and coefficients of the greatest penalised likelihood, by Newton steps."""
    design = np.column_stack([np.ones(len(columns)), columns])
    ridge = np.full(design.shape[1], penalty)
    ridge[0] = 0.0
    share = labels.mean()
    beta = np.zeros(design.shape[1])
    beta[0] = np.log(share / (1 - share))
    for _ in range(STEPS):
        odds = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        slope = design.T @ (labels - odds) - ridge * beta
        curvature = (design * (odds * (1 - odds))[:, None]).T @ design + np.diag(ridge)
        step = np.linalg.solve(curvature, slope)
        step *= min(1.0, LONGEST_STEP / np.abs(step).max())  # far away a whole step overshoots
        beta += step
        if np.abs(step).max() < SMALLEST_STEP:
            break
    return beta
