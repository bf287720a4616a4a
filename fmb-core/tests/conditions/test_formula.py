"""Formulas give what Python's own numbers give, and the unit that follows."""

import math

import numpy as np
import pandas as pd
import pytest

from fmb.conditions.formula import Formula
from fmb.conditions.where import Where
from fmb.messages.errors import SelectionError

IDS = np.array([2**62 + 1, 2, 3, 4])


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "g": np.array([21.5, 20.25, np.nan, 19.0]),
            "r": np.array([21.0, 20.5, 19.0, -np.inf]),
            "small": np.array([1, 200, 7, 255], dtype=np.uint8),
            "long": np.array([2**63 - 1, -(2**63), 5, 0]),
            "huge": np.array([2**64 - 1, 1, 2, 3], dtype=np.uint64),
            "gap": pd.array([2**53 + 1, None, -3, 0], dtype="Int64"),
            "narrow": np.array([0.1, -4.0, 0.0, 2.25], dtype=np.float32),
            "flag": [True, False, True, False],
            "text": ["a", "b", "c", None],
            "never": [None] * 4,
        }
    )


def column(table, text):
    return Formula(text, "here").column(table, IDS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("g - r", [0.5, -0.25, math.nan, math.inf]),
        ("small - 256", [-255, -56, -249, -1]),
        ("object_id - 1", [2**62, 1, 2, 3]),
        ("huge - 1", [2**64 - 2, 0, 1, 2]),
        ("abs(long)", [2**63 - 1, 2**63, 5, 0]),
        ("abs(-2.5 * g)", [53.75, 50.625, math.nan, 47.5]),
        ("min(long, 3, small)", [1, -(2**63), 3, 0]),
        ("max(small, 100.5)", [100.5, 200.0, 100.5, 255.0]),
        ("max(huge, long)", [2**64 - 1, 1, 5, 3]),
        ("sqrt(narrow)", [math.sqrt(float(np.float32(0.1))), math.nan, 0.0, 1.5]),
        ("22.5 - 2.5 * log10(small)", [22.5 - 2.5 * math.log10(n) for n in (1, 200, 7, 255)]),
        ("log10(long - 5)", [math.log10(2**63 - 6), math.nan, math.nan, math.nan]),
        ("min(2, 1) + small", [2, 201, 8, 256]),
        ("never + 1", [math.nan] * 4),
        ("1 / long", [1 / (2**63 - 1), -1 / 2**63, 0.2, math.nan]),
    ],
)
def test_a_formula_gives_what_exact_numbers_give(table, text, expected):
    found = column(table, text)
    assert found.dtype.kind == ("f" if isinstance(expected[0], float) else found.dtype.kind)
    for value, want in zip(found.tolist(), expected, strict=True):
        assert value == want or (math.isnan(value) and math.isnan(want))


def test_gaps_stay_gaps_and_whole_numbers_whole(table):
    found = column(table, "gap + 1")
    assert found.dtype == "Int64"
    assert found.tolist() == [2**53 + 2, pd.NA, -2, 1]
    assert column(table, "abs(gap)").tolist() == [2**53 + 1, pd.NA, 3, 0]


def test_what_stands_in_a_gap_does_not_count(table):
    table["hugegap"] = pd.array([2**64 - 1, None, 5, 7], dtype="UInt64")
    found = column(table, "hugegap - 1")  # nothing less one would be below 64 bits
    assert found.tolist() == [2**64 - 2, pd.NA, 4, 6]
    assert found.dtype == "UInt64"


def test_a_condition_is_a_column_of_yes_and_no(table):
    assert column(table, "g < 21 and flag == 0").tolist() == [False, True, False, True]
    assert column(table, "not g < 21").tolist() == [True, False, True, False]
    assert column(table, "flag").tolist() == [True, False, True, False]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("g - gr", "no column is called 'gr'; did you mean"),
        ("g - text", "'text' is text, not a number"),
        ("text", "'text' is text, not a number"),
        ("2 * 3", "names no column"),
        ("g **2", "is not a column, a number or text"),
        ("log(g)", "calls no function that is known here; did you mean 'log10'"),
        ("g.max()", "calls no function that is known here"),
        ("__import__('os')", "calls no function that is known here"),
        ("log10(g, r)", r"takes one number, as log10\(x\)"),
        ("min(g)", r"takes two numbers or more, as min\(x, y\)"),
        ("min(*g)", "takes columns and numbers between commas"),
        ("abs(x=g)", "takes columns and numbers between commas"),
        ("g + log10(0)", r"'log10\(0\)' has no value"),
        ("huge * huge", "gives whole numbers beyond 64 bits"),
        ("g -", "write for instance 'mag_g - mag_r'"),
        ("[g, r]", "is not a column, a number or text"),
    ],
)
def test_what_is_no_formula_is_said_in_one_line(table, text, message):
    with pytest.raises(SelectionError, match=message) as caught:
        column(table, text)
    assert str(caught.value).startswith(f"here {text!r}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("log10(small) > 1", [False, True, False, True]),
        ("abs(g - r) <= 0.25", [False, True, False, False]),
        ("max(g, r) == r", [False, True, False, False]),
    ],
)
def test_conditions_know_the_same_functions(table, text, expected):
    assert Where(text).evaluate(table, IDS)[0].tolist() == expected


UNITS = {"g": "mag(AB)", "r": "mag(AB)", "ebv": "mag", "f": "nJy", "e": "nJy", "j": "uJy",
         "v": "km / s", "odd": "furlongs", "w": "Angstrom"}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("g - r", "mag"),
        ("g - r - ebv", "mag"),
        ("g - ebv", "mag(AB)"),
        ("g - 0.3", "mag(AB)"),
        ("g + r", ""),
        ("2.5 * g", ""),
        ("f - e", "nJy"),
        ("-f", "nJy"),
        ("f / e", ""),
        ("2 * f", "nJy"),
        ("f / w", "nJy / Angstrom"),
        ("f * 1000 + e", "nJy"),
        ("sqrt(f * e)", "nJy"),
        ("max(f, e, 0)", "nJy"),
        ("abs(v)", "km / s"),
        ("log10(f)", ""),
        ("f < e", ""),
        ("odd + f", ""),
        ("unknown + f", ""),
    ],
)
def test_the_unit_follows_from_those_of_the_columns(text, unit):
    assert Formula(text, "here").unit(UNITS) == unit


@pytest.mark.parametrize("text", ["f + j", "f < j", "min(f, g)", "log10(f - v)", "g - f"])
def test_different_units_do_not_go_together(text):
    with pytest.raises(SelectionError, match=r"takes '.*' and '.*' together; multiply one"):
        Formula(text, "here").unit(UNITS)


def test_the_unit_of_a_deep_formula_takes_a_step_a_part():
    deep = "g" + " - ebv" * 50
    assert Formula(deep, "here").unit(UNITS) == "mag(AB)"
