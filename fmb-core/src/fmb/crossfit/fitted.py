"""Scores by fits that are there, of objects that none of them has seen."""

from collections.abc import Sequence

import numpy as np

from fmb.blocks.sound import require_sound
from fmb.blocks.stored import Stored, StoredPairs, gathered
from fmb.contract.arrays import Array
from fmb.contract.vectors import Judged
from fmb.crossfit.checked import Checked
from fmb.crossfit.given import Given, Transforms, scored_given
from fmb.crossfit.one_pass import has_sums, score_blocks

__all__ = ["judge_each", "score_each", "score_new"]


def score_each(
    detectors: Sequence[Checked],
    x: Judged | Stored | StoredPairs | Given,
    given: Sequence[Transforms] = (),
) -> Array:
    """Scores of objects by each fit: (fits, n), float64.

    Args:
        detectors: fitted ones.
        x: n objects; with the roles of the fit where it was given some.
        given: what each detector sees them through; () = as they are.

    Raises:
        PluginError: the detector breaks its contract.
        ScoreError: a score is not finite.
    """
    return judge_each(detectors, x, given)[0]


def judge_each(
    detectors: Sequence[Checked],
    x: Judged | Stored | StoredPairs | Given,
    given: Sequence[Transforms] = (),
    details: Sequence[str] = (),
) -> tuple[Array, dict[str, Array]]:
    """As `score_each`, and what each fit tells of the objects: column -> (fits, n), float64."""
    if isinstance(x, Given):
        require_sound(x.of, detectors[0].label)
        told = [scored_given(*one, x, details) for one in zip(detectors, given, strict=True)]
    elif has_sums(x, detectors[0]):
        require_sound(x, detectors[0].label)
        one = np.zeros(len(x), dtype=np.int64)
        told = [score_blocks([detector], x, one, details) for detector in detectors]
    else:
        whole = gathered(x)
        told = [detector.judge(whole, details) for detector in detectors]
    tables = {column: np.stack([table[column] for _, table in told]) for column in details}
    return np.stack([scores for scores, _ in told]), tables


def score_new(
    detectors: Sequence[Checked],
    x: Judged | Stored | StoredPairs | Given,
    given: Sequence[Transforms] = (),
) -> Array:
    """Scores of objects that no fit has seen: the mean over the fits, (n,), float64.

    Args:
        detectors: fitted ones.
        x: n objects, as for `score_each`.
        given: as for `score_each`.

    Raises:
        PluginError: the detector breaks its contract.
        ScoreError: a score is not finite.
    """
    return np.asarray(score_each(detectors, x, given).mean(axis=0))
