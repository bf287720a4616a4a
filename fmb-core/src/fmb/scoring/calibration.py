"""p and q against a reference of ordinary objects, and what they can and cannot reach.

A survey alone gives ranks. A p-value needs objects that the user asserts to be ordinary, that no
fit has seen, and that the same fits have scored.

- Cross-fit: an object and the reference are both new to the fit that scores them, so the p-value
  of an ordinary object is uniform, whatever the detector.
- In-sample: the fit has seen the ranked objects and not the reference, and has bent towards the
  former. Their scores run low against the reference, p-values run high: fewer false discoveries
  than asked for, and less power, the more parameters the detector has.
- A reference with anomalies in it makes p-values too high: power is lost, validity is not.
- Repeats of a source each have a valid p-value, but the smallest of them is not one: `q_values`.
"""

from math import ceil

import numpy as np
import numpy.typing as npt

from fmb.contract.arrays import Array
from fmb.messages.errors import ConfigError, DataError, ShapeError
from fmb.scoring.folds import group_codes
from fmb.scoring.ranking import check_finite

__all__ = [
    "BY_FOLD",
    "NO_REFERENCE",
    "benjamini_hochberg",
    "contamination_floor",
    "discovery_floor",
    "p_values",
    "p_values_by_fold",
    "q_values",
    "reference_lines",
]

NO_REFERENCE = (
    "p_value and q_value are empty: a survey alone gives ranks;"
    " name ordinary objects outside it with --reference"
)

BY_FOLD = (
    "p need not grow with rank: each fold's fit has its own scores of the reference,"
    " and p is taken against those"
)


def p_values(scores: npt.ArrayLike, reference_scores: npt.ArrayLike) -> Array:
    """The chance that an ordinary object scores at least as high, (n,), float64, in (0, 1].

    p = (1 + #{reference >= score}) / (1 + m).

    Args:
        scores: (n,), finite, higher is stranger.
        reference_scores: (m,), finite, of ordinary objects, by the same fitted detector.

    Raises:
        DataError: the reference is empty.
        ScoreError: a score is not finite.

    Source: conformal p-values, Bates et al. 2023, Ann. Stat. 51, 149.
    """
    values = np.asarray(scores, dtype=np.float64)
    reference = np.sort(np.asarray(reference_scores, dtype=np.float64))
    if not len(reference):
        raise DataError("the reference holds no objects with a score; name others (--reference)")
    check_finite(values, np.arange(len(values)), "ranked objects: rows")
    check_finite(reference, np.arange(len(reference)), "reference: rows")
    at_least = len(reference) - np.searchsorted(reference, values, side="left")
    return (1 + at_least) / (1 + len(reference))


def p_values_by_fold(
    scores: npt.ArrayLike, fold: npt.ArrayLike, reference_scores: npt.ArrayLike
) -> Array:
    """p-values in which each object meets the reference as its own fold's fit scored it.

    Args:
        scores: (n,), finite, each by the fit of the object's fold.
        fold: (n,), int, 0 .. k-1; all -1 for one fit, in-sample.
        reference_scores: (k, m), finite: the reference by each fit, as `score_each` gives it.

    Returns:
        (n,), float64, in (0, 1].

    Raises:
        DataError: the reference is empty.
        ScoreError: a score is not finite.
        ShapeError: the arrays do not fit each other.
    """
    values, which = np.asarray(scores, dtype=np.float64), np.asarray(fold)
    by_fit = np.asarray(reference_scores, dtype=np.float64)
    fits = {-1} if len(by_fit) == 1 else set(range(len(by_fit)))
    found = set(np.unique(which).tolist())
    if by_fit.ndim != 2 or values.shape != which.shape or not found <= fits:
        raise ShapeError(
            f"{values.size} scores of folds {sorted(found)} do not fit reference scores of shape"
            f" {by_fit.shape}; score the reference with each of the fits"
        )
    p = np.empty(len(values))
    for i in found:
        p[which == i] = p_values(values[which == i], by_fit[i])
    return p


def benjamini_hochberg(p: npt.ArrayLike) -> Array:
    """The q-value of each object: the false-discovery rate of the list that ends with it.

    Equal to `scipy.stats.false_discovery_control`, whose import costs 1.2 s of every run.

    Args:
        p: (n,), in (0, 1], of one model, view and detector.

    Returns:
        (n,), float64, in (0, 1], in the order given.

    Raises:
        DataError: a value is not in (0, 1].

    Source: Benjamini and Hochberg 1995, J. R. Stat. Soc. B 57, 289.
    """
    values = probabilities(p)
    n = len(values)
    order = np.argsort(values, kind="stable")
    steps = values[order] * n / np.arange(1, n + 1)
    q = np.empty(n)
    q[order] = np.minimum.accumulate(steps[::-1])[::-1]
    return q


def q_values(p: npt.ArrayLike, groups: npt.ArrayLike) -> Array:
    """The q-value of each object's source, repeats of a source being one discovery.

    A source of g repeats enters with min(1, g x its smallest p): the smallest of g values is
    below a with a chance of up to g a, so entering it as it is finds too much.

    Args:
        p: (n,), in (0, 1], of one model, view and detector.
        groups: (n,), integers or text, equal for repeats of one source.

    Returns:
        (n,), float64, in (0, 1]; repeats carry the q-value of their source.

    Raises:
        DataError: a value is not in (0, 1], or a group key is missing.
        ShapeError: the arrays differ in length.

    Source: Bonferroni bound within a source, then Benjamini and Hochberg between sources.
    """
    values = probabilities(p)
    codes, keys = group_codes(groups)
    if len(codes) != len(values):
        raise ShapeError(f"{len(values)} p-values and {len(codes)} groups do not fit together")
    smallest = np.ones(len(keys))
    np.minimum.at(smallest, codes, values)
    of_source = np.minimum(1, smallest * np.bincount(codes, minlength=len(keys)))
    return benjamini_hochberg(of_source)[codes]


def discovery_floor(n: int, m: int, level: float) -> int:
    """The smallest number of discoveries that can be made at all.

    k discoveries at q <= level need m + 1 >= n / (level k), because no p-value is below
    1 / (m + 1).

    Args:
        n: ranked objects.
        m: reference objects.
        level: false-discovery rate, in (0, 1].
    """
    check_fraction("the level", level)
    exact = n / (level * (m + 1))
    return max(1, ceil(exact * (1 - 1e-12)))  # 1e-12: a quotient that rounds up is still whole


def contamination_floor(contamination: float, rate: float) -> float:
    """About the lowest q that anomalies can reach when the reference holds some too: c / (c + r).

    Args:
        contamination: c, the share of anomalies in the reference, in [0, 1].
        rate: r, their share in the survey, in (0, 1].
    """
    check_fraction("the rate of anomalies", rate)
    if not 0 <= contamination <= 1:
        raise ConfigError(f"the contamination must lie in [0, 1], got {contamination}")
    return contamination / (contamination + rate)


def reference_lines(n: int, m: int, level: float = 0.1) -> tuple[str, ...]:
    """What to print beside q-values: the size of the reference and its limits.

    Args:
        n: ranked objects.
        m: reference objects.
        level: false-discovery rate the limits are stated for, in (0, 1].
    """
    floor = discovery_floor(n, m, level)
    reach = f"q <= {level:g} needs at least {floor:,} discoveries among {n:,} objects"
    if floor > n:
        enough = ceil(1 / level) - 1
        reach = f"q <= {level:g} cannot be reached with fewer than {enough:,} of them"
    return (
        f"reference: {m:,} objects, so no p_value is below {1 / (m + 1):.2g}; {reach}",
        "an anomaly in the reference costs power, not validity: with 1 % of them, and 3 % in the"
        f" survey, q stays above about {contamination_floor(0.01, 0.03):.2g}",
        'a small q says "not like the reference", never "astrophysical"',
    )


def probabilities(p: npt.ArrayLike) -> Array:
    """P-values as float64; refuses what is not in (0, 1], NaN included."""
    values = np.asarray(p, dtype=np.float64)
    if not np.all((values > 0) & (values <= 1)):
        raise DataError("p-values must lie in (0, 1]; leave out objects that have none")
    return values


def check_fraction(what: str, value: float) -> None:
    """Refuse what is not in (0, 1]."""
    if not 0 < value <= 1:
        raise ConfigError(f"{what} must lie in (0, 1], got {value}")
