"""A condition selects what the same condition selects of Python's own exact numbers."""

from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from fmb.conditions.where import Where
from fmb.messages.errors import SelectionError

IDS = np.array([39627652591521181, -7, 0, 2**53, 2**53 + 1, 9], dtype=np.int64)
BELOW, ABOVE = (np.nextafter(np.float32(21.3), np.float32(to)) for to in (0, 99))
MIDNIGHT = datetime(2024, 1, 1)


@pytest.fixture
def table():
    columns = {
        "few": np.array([0, 1, 2, 3, 200, 250], dtype=np.uint8),
        "one": np.ones(6, dtype=np.uint8),
        "signed": np.array([-128, -7, 0, 1, 127, 7], dtype=np.int8),
        "long": np.array([2**63 - 1, -(2**63), 2**53 + 1, 2**53, -1, 3], dtype=np.int64),
        "huge": np.array([2**64 - 1, 2**64 - 2, 2**63, 2**53 + 1, 1, 0], dtype=np.uint64),
        "gap": pd.array([2**53 + 1, 2**53, None, -1, 0, 39633345008634465], dtype="Int64"),
        "hugegap": pd.array([2**64 - 1, None, 2**63, 7, 1, 0], dtype="UInt64"),
        "flag": [True, False, True, True, False, True],
        "maybe": pd.array([True, False, None, True, False, None], dtype="boolean"),
        "said": [True, False, None, True, False, None],
        "arrow": pd.array([True, False, None, True, False, None], dtype="bool[pyarrow]"),
        "half": np.array([21.3, 1.0, np.nan, 65504.0, 0.1, -2.0], dtype=np.float16),
        "single": np.array([21.3, BELOW, ABOVE, np.nan, 0.0, np.inf], dtype=np.float32),
        "double": [21.3, 0.1, 2.0**53, np.nan, 0.0, -0.5],
        "zero": [0.0, 2.0, -1.0, 0.0, 4.0, 0.5],
        "text": ["NA", "a b", "", None, "None", "it's"],
        "octets": [b"QSO", b"", None, b"STAR", b"QSO", b"a b"],
        "sort": pd.Categorical(["QSO", None, "STAR", "QSO", "QSO", "STAR"]),
        "degree": pd.Categorical([1, None, 2**53 + 1, 2**53, 3, 1]),
        "when": pd.to_datetime(["2024-01-01", "2023-12-31T23:59:59", None] * 2, format="ISO8601"),
        "day": [date(2024, 1, 1), None, date(2023, 1, 1), date(2024, 1, 2)] + [None] * 2,
        "price": [Decimal("1.5"), None, Decimal(2), Decimal("0.1"), Decimal(0), Decimal(9)],
        "count": [Decimal(2**60 + 1), None, Decimal(2**60), Decimal(1), Decimal(0), Decimal(9)],
        "never": [None] * 6,
        "blank": [np.nan] * 6,
        "spectrum": [[1, 2], [3], None, [], [4], [5]],
        "wave": np.ones(6) * 1j,
        "took": pd.to_timedelta([1, 2, 3, 4, 5, 6], unit="s"),
        "column_0_": [1, 2, 3, 4, 5, 6],
        "S/N": [6, 5, 4, 3, 2, 1],
        "\N{MICRO SIGN}": [1, 2, 3, 4, 5, 6],
    }
    made = pd.DataFrame({k: pd.Series(v) for k, v in columns.items()})
    made["when_there"] = made["when"].dt.tz_localize("Europe/Berlin")
    made["double"] = made["double"].astype(np.float64)
    return made


def exact(value):
    """The value of a cell as Python has it, None where there is none."""
    if isinstance(value, list | bytes | str | bool | date | Decimal):
        return None if value is pd.NaT else value
    if value is None or value is pd.NA or value != value:
        return None
    return value.item() if hasattr(value, "item") else value


def wanted(table, columns, predicate):
    """What a predicate of exact values says of each row; False where one is missing."""
    rows = zip(*(map(exact, table[c].array) for c in columns.split()), strict=True)
    return [None not in row and bool(predicate(*row)) for row in rows]


NARROW = float(np.float32(21.3))
WHOLE = [
    ("few - one < 0", "few one", lambda a, b: a - b < 0),
    ("few - one >= 1", "few one", lambda a, b: a - b >= 1),
    ("few + few > 255", "few", lambda a: a + a > 255),
    ("few * 300 > 600", "few", lambda a: a * 300 > 600),
    ("-few < 0", "few", lambda a: -a < 0),
    ("-signed == 128", "signed", lambda a: -a == 128),
    ("signed * signed * signed < -2000000", "signed", lambda a: a**3 < -2000000),
    ("signed % 3 == 2", "signed", lambda a: a % 3 == 2),
    ("signed % -3 == -1", "signed", lambda a: a % -3 == -1),
    ("flag + flag == 2", "flag", lambda a: a + a == 2),
    ("flag == 1", "flag", lambda a: a),
    ("flag == True and flag != 0", "flag", lambda a: a),
    ("flag in [True]", "flag", lambda a: a),
    ("maybe", "maybe", lambda a: a),
    ("said and said == 1", "said", lambda a: a),
    ("arrow and arrow == 1", "arrow", lambda a: a),
    ("said != 1", "said", lambda a: not a),
    ("long + 1 > 9223372036854775807", "long", lambda a: a + 1 > 2**63 - 1),
    ("long - 1 < 0", "long", lambda a: a - 1 < 0),
    ("long * long > 0", "long", lambda a: a * a > 0),
    ("-long == 9223372036854775808", "long", lambda a: -a == 2**63),
    ("long == 9007199254740992", "long", lambda a: a == 2**53),
    ("long == 9007199254740992.0", "long", lambda a: a == 2**53),
    ("long > 9007199254740992.0", "long", lambda a: a > 2**53),
    ("double < 9007199254740993", "double", lambda a: a < 2**53 + 1),
    ("double > long - long - 9007199254740993", "double", lambda a: a > -(2**53) - 1),
    ("long in [9007199254740992.0, 3.5]", "long", lambda a: a == 2**53),
    ("long == double", "long double", lambda a, b: a == b),
    ("long / 3 > 3002399751580330.5", "long", lambda a: a / 3 > 3002399751580330.5),
    ("long % 10 == 7", "long", lambda a: a % 10 == 7),
    ("long < 99999999999999999999999", "long", lambda a: True),
    ("huge == 18446744073709551615", "huge", lambda a: a == 2**64 - 1),
    ("huge in [18446744073709551615, -1]", "huge", lambda a: a == 2**64 - 1),
    ("huge not in [18446744073709551614]", "huge", lambda a: a != 2**64 - 2),
    ("huge > long", "huge long", lambda a, b: a > b),
    ("huge - long > 0", "huge long", lambda a, b: a - b > 0),
    ("huge + huge == 36893488147419103230", "huge", lambda a: a + a == 2 * (2**64 - 1)),
    ("gap == 9007199254740993", "gap", lambda a: a == 2**53 + 1),
    (
        "gap in [39633345008634465, 9007199254740992]",
        "gap",
        lambda a: a in (39633345008634465, 2**53),
    ),
    ("gap * gap * gap > 0", "gap", lambda a: a**3 > 0),
    ("gap * 1000 - gap * 999 == gap", "gap", lambda a: True),
    ("gap != 0", "gap", lambda a: a != 0),
    ("gap not in [0]", "gap", lambda a: a != 0),
    ("hugegap >= 9223372036854775808", "hugegap", lambda a: a >= 2**63),
    ("degree == 9007199254740993", "degree", lambda a: a == 2**53 + 1),
    ("count == 1152921504606846977", "count", lambda a: a == 2**60 + 1),
]
FRACTIONS = [
    ("single == 21.3", "single", lambda a: a == NARROW),
    ("single in [21.3]", "single", lambda a: a == NARROW),
    ("single < 21.3", "single", lambda a: a < NARROW),
    ("single >= 21.3", "single", lambda a: a >= NARROW),
    ("-single == -21.3", "single", lambda a: a == NARROW),
    ("21.3 < single <= 21.31", "single", lambda a: NARROW < a < 21.31),
    ("single == 1e300", "single", lambda a: False),
    ("single >= 1e-60", "single", lambda a: a > 0),
    ("single == double", "single double", lambda a, b: a == b),
    ("half == 21.3", "half", lambda a: a == float(np.float16(21.3))),
    ("half + half > 100000", "half", lambda a: a + a > 100000),
    ("half < 70000", "half", lambda a: a < 70000),
    ("double == 0.1", "double", lambda a: a == 0.1),
    ("double == 9007199254740993", "double", lambda a: False),
    ("double in [9007199254740993, 0.1]", "double", lambda a: a == 0.1),
    ("double % 1 == 0.5", "double", lambda a: a % 1 == 0.5),
    ("double / zero > 0", "double zero", lambda a, b: b and a / b > 0),
    ("few / zero < 3", "few zero", lambda a, b: b and a / b < 3),
    ("few % zero < 3", "few zero", lambda a, b: b and a % b < 3),
    ("signed / few < 0", "signed few", lambda a, b: b and a / b < 0),
    ("price == 0.1", "price", lambda a: float(a) == 0.1),
    ("few / 2 == 100", "few", lambda a: a == 200),
]
OTHERS = [
    ("text == 'NA'", "text", lambda a: a == "NA"),
    ("text in ['a b', 'None']", "text", lambda a: a in ("a b", "None")),
    ("text == ''", "text", lambda a: a == ""),
    (r"text == 'it\'s'", "text", lambda a: a == "it's"),
    ("text < 'a'", "text", lambda a: a < "a"),
    ("octets == 'QSO'", "octets", lambda a: a == b"QSO"),
    ("sort in ['QSO']", "sort", lambda a: a == "QSO"),
    ("sort > 'QSO'", "sort", lambda a: a == "STAR"),
    ("when == '2024-01-01'", "when", lambda a: a == MIDNIGHT),
    ("when < '2024-01-01T00:00:00'", "when", lambda a: a < MIDNIGHT),
    ("when in ['2024-01-01']", "when", lambda a: a == MIDNIGHT),
    # Midnight in Berlin is 23:00 UTC.
    ("when_there < '2023-12-31T22:59:59.5+00:00'", "when", lambda a: a < MIDNIGHT),
    ("day >= '2024-01-01'", "day", lambda a: a >= date(2024, 1, 1)),
    ("when == when", "when", lambda a: True),
    ("never == 'x'", "never", None),
    ("never < 3", "never", None),
    ("blank == 'x'", "blank", None),
    ("never", "never", None),
    ("never + 1 < 3", "never", None),
    ("column_0_ > 4 and `S/N` > 0", "column_0_", lambda a: a > 4),
    ("\N{MICRO SIGN} > 4", "\N{MICRO SIGN}", lambda a: a > 4),
]


@pytest.mark.parametrize(("where", "columns", "predicate"), [*WHOLE, *FRACTIONS, *OTHERS])
def test_a_condition_selects_what_exact_arithmetic_selects(table, where, columns, predicate):
    never = [False] * 6
    expected = never if predicate is None else wanted(table, columns, predicate)
    assert Where(where).evaluate(table, IDS)[0].tolist() == expected
    assert Where(Where(where).canonical).evaluate(table, IDS)[0].tolist() == expected


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ("object_id == 39627652591521181", [39627652591521181]),
        ("object_id in [9007199254740993, -7]", [-7, 2**53 + 1]),
        ("object_id == -7", [-7]),
        ("object_id > 9007199254740992", [39627652591521181, 2**53 + 1]),
        ("object_id % 2 == 0", [0, 2**53]),
    ],
)
def test_ids_are_compared_digit_by_digit(table, where, ids):
    kept, _ = Where(where).evaluate(table, IDS)
    assert sorted(IDS[kept].tolist()) == sorted(ids)


def test_ids_of_the_survey_hold_whatever_the_catalogue_calls_so(table):
    table["object_id"] = IDS.astype(np.float64)
    kept, _ = Where("object_id == 9007199254740993").evaluate(table, IDS)
    assert IDS[kept].tolist() == [2**53 + 1]


def test_ids_that_are_text_take_quotes(table):
    ids = np.array(["007", "7", "-7", "a b", "é", "NA"])
    assert Where("object_id == '007'").evaluate(table, ids)[0].tolist() == [True] + [False] * 5
    assert Where("object_id in ['7', 'NA']").evaluate(table, ids)[0].sum() == 2
    with pytest.raises(SelectionError, match="compares text with a number; put the text in quotes"):
        Where("object_id == 7").evaluate(table, ids)


def test_a_row_without_a_value_fails_every_comparison_and_not_turns_it_round(table):
    for where in ("gap == gap", "gap != 0", "gap not in [5]", "gap in [5]", "gap + 1 > -9"):
        assert not Where(where).evaluate(table, IDS)[0][2]
        assert Where(f"not {where}").evaluate(table, IDS)[0][2]


def test_a_table_without_rows_keeps_none(table):
    empty, ids = table.iloc[:0], IDS[:0]
    for where in ("few - one < 0", "long * huge > 3", "text == 'a'", "flag", "single in [21.3]"):
        kept, clauses = Where(where).evaluate(empty, ids)
        assert (len(kept), clauses[0][1]) == (0, 0)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("double = 22", "write == for equal"),
        ("double <> 22", "write != for unequal"),
        ("double < 22 AND few == 0", "write and, or, not, in in small letters"),
        ("double < 22 && few == 0", "write and, or, not, in in small letters"),
        ("(double < 22) & (few == 0)", "works on bits, which are not tested here"),
        ("~flag", "works on bits, which are not tested here"),
        ("sort == QSO", "no column is called 'QSO'; text goes in quotes: sort == 'QSO'"),
        ("QSO == sort", "text goes in quotes: sort == 'QSO'"),
        ("dubble < 3", "no column is called 'dubble'; did you mean 'double'?"),
        ("double == None", "'None' stands for no value; a missing value fails every comparison"),
        ("double == nan", "no column is called 'nan'; a missing value fails every comparison"),
        ("double in [None]", "holds None; a missing value fails every comparison"),
        ("flag == true", "no column is called 'true'; write True or False"),
        ("few in [1, 'a']", "mixes text and numbers in one list"),
        ("few in ['a']", "compares text with a number; leave out its quotes"),
        ("few == '3'", "compares text with a number; leave out its quotes"),
        ("text in [3]", "compares text with a number; put the text in quotes"),
        ("text == few", "compares text with a number"),
        ("few in [1j]", "is not a column, a number or text"),
        ("'few' < 3", "names no column; columns stand without quotes"),
        ("double / 0 < 3", "'double / 0' cannot be computed: division by zero"),
        ("few % 0 == 1", "'few % 0' cannot be computed: division by zero"),
        ("double < 1e999", "holds a number that is too large"),
        ("long * 1%s + 0.5 > 3" % ("0" * 400), "cannot be computed: int too large"),
        ("spectrum == 3", "'spectrum' holds values of type list, not one number or text"),
        ("wave == 3", "'wave' holds complex numbers, which have no order"),
        ("took > 3", "'took' holds durations"),
        ("when > 3", "compares times with something else; write for instance '2026-01-31T"),
        ("when > 'now'", "compares times with something else"),
        ("when > text", "compares times with something else"),
        ("when + 1 > 3", "'when' is time, not a number"),
        ("-text == 3", "'text' is text, not a number"),
        ("few", "'few' is not a yes-or-no column; compare it with something"),
        ("few < 3 < None", "stands for no value"),
        ("few < b'3'", "is not a column, a number or text"),
    ],
)
def test_what_cannot_be_compared_is_refused_by_name_in_one_line(table, where, said):
    with pytest.raises(SelectionError) as caught:
        Where(where).evaluate(table, IDS)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([b"\xff", b"a"], "holds bytes that are no text"),
        ([1, "a"], "holds values of type int, str, not one number or text"),
        ([2**53 + 1, 0.5], "holds fractions beside integers that floats cannot hold"),
        ([{"a": 1}, np.array([1])], "holds values of type dict, ndarray"),
    ],
)
def test_a_column_of_several_kinds_is_refused_by_name(values, said):
    table = pd.DataFrame({"odd": pd.Series(values, dtype=object)})
    with pytest.raises(SelectionError, match=f"'odd' {said}"):
        Where("odd == 1").evaluate(table, np.arange(2))


def test_two_columns_of_one_name_are_refused():
    table = pd.DataFrame([[1, 2]], columns=["mag", "mag"])
    with pytest.raises(SelectionError, match="2 columns are called 'mag'"):
        Where("mag < 3").evaluate(table, np.arange(1))
