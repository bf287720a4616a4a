import numpy as np
import pandas as pd
import pytest

from fmb.terminal.values import plain_value, value_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.float32(21.3), "21.3"),
        (np.float32(np.inf), "inf"),
        (np.float16(np.nan), ""),
        (1 / 3, "0.333333333"),
        (2**64 - 1, "18446744073709551615"),
        (np.datetime64("2024-01-01T12"), "2024-01-01T12"),
        (pd.NaT, ""),
        (pd.NA, ""),
        (None, ""),
        (list(range(300)), "[0, 1, 2, 3, 4, 5, 6, 7] and 292 more"),
        ("a\tb\u202eé", "a\\tb\\u202eé"),
    ],
)
def test_a_value_is_read_whole_and_nothing_where_it_is_missing(value, text):
    assert value_text(value) == text


def test_infinity_within_a_nested_value_is_null():
    value = {"a": np.array([[1.5, np.inf]], dtype=np.float32), "b": (np.bool_(True), np.nan)}
    assert plain_value(value) == {"a": [[1.5, None]], "b": [True, None]}
