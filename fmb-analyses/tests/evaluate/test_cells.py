"""Intervals by cells are those of resampled objects."""

import numpy as np
import pytest

from fmb_analyses.bootstrap import interval
from fmb_analyses.evaluate.cells import interval_of_order
from fmb_analyses.metrics import auroc, average_precision


@pytest.mark.parametrize("measure", [auroc, average_precision])
@pytest.mark.parametrize("decimals", [8, 1])
def test_value_and_interval_are_those_of_drawing_objects(measure, decimals):
    rng = np.random.default_rng(0)
    labels = rng.random(1500) < 0.05
    scores = np.round(rng.normal(size=1500) + labels, decimals)  # one decimal: many ties
    ours, theirs = interval_of_order(measure, labels, scores), interval(measure, labels, scores)
    assert ours.value == pytest.approx(theirs.value)
    width = theirs.high - theirs.low
    # A bound of 1,000 resamples has an error of 2 % to 3 % of the width.
    assert ours.low == pytest.approx(theirs.low, abs=0.1 * width)
    assert ours.high == pytest.approx(theirs.high, abs=0.1 * width)


def test_equal_objects_give_equal_intervals():
    labels, scores = np.arange(50) < 9, np.arange(50.0)[::-1]
    one = interval_of_order(auroc, labels, scores)
    assert one == interval_of_order(auroc, labels[::-1], scores[::-1])
    assert (one.value, one.low, one.high) == (1, 1, 1)
