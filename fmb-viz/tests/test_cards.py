import numpy as np
import pandas as pd
import pytest

from fmb_viz.cards import known


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (pd.NA, ""),
        (np.nan, ""),
        (pd.NaT, ""),
        (None, ""),
        ("", ""),
        ("NA", "NA"),
        (2**64 - 1, "18446744073709551615"),
        (np.bool_(False), "False"),
        (np.array([1, 2]), "[1 2]"),
    ],
)
def test_a_value_is_written_whole_and_nothing_where_it_is_missing(value, text):
    assert known(value) == text
