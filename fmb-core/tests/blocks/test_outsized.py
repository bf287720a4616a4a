"""Which vectors are so large that all others look alike beside them."""

import numpy as np
import pytest

from fmb.blocks.outsized import outsized
from fmb.contract.vectors import Vectors

ALL = np.arange(200)


def vectors(**large):
    """Vectors of size 2, but for those at some rows."""
    values = np.tile(np.array([1.0, -2.0], dtype=np.float32), (200, 1))
    for row, size in large.items():
        values[int(row[1:])] *= np.float32(size / 2)
    return Vectors(1000 + ALL, values)


@pytest.mark.parametrize(
    ("large", "told"),
    [
        (
            {"r7": 2e30},
            "the vector of 1007 is 1e+30 times as large as most (largest number 2e+30);",
        ),
        ({"r7": -4e4}, "the vector of 1007 is 2e+04 times as large as most"),
        ({"r7": 1e9, "r9": 1e8}, "(largest number 1e+09), and 1 more are too large;"),
    ],
)
def test_a_vector_that_is_too_large_is_named_with_its_size(large, told):
    assert told in outsized(vectors(**large), ALL)


def test_a_vector_a_thousand_times_as_large_as_most_is_no_mistake():
    assert outsized(vectors(r7=2e3), ALL) == ""


def test_only_the_rows_that_are_asked_for_are_looked_at():
    x = vectors(r7=1e30)
    assert outsized(x, np.array([3, 9])) == ""
    assert outsized(x, np.array([], dtype=int)) == ""
    assert "1007" in outsized(x, np.array([3, 7]))


def test_beside_zeros_nothing_is_too_large():
    assert outsized(Vectors(ALL, np.eye(200, dtype=np.float32)), ALL) == ""
