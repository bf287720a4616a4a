"""What a run tells of an object has the type and the digits that the catalogue gave it."""

import csv
import json
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from fmb import open_run

N = 12
FIRST = 39627652591521181
LONG, HUGE = 39633345008634465, 2**64 - 1
WORDS = ["NA", "None", "null", "", "nan", "a\x1b[31mb\nc"]
COLUMNS = {
    "small": np.arange(N, dtype=np.int8) - 5,
    "long": LONG + np.arange(N),
    "huge": np.uint64(HUGE) - np.arange(N, dtype=np.uint64),
    "gap": pd.array([LONG, None] * (N // 2), dtype="Int64"),
    "hugegap": pd.array([None, HUGE] * (N // 2), dtype="UInt64"),
    "flag": np.arange(N) % 2 == 0,
    "maybe": pd.array([True, None, False] * (N // 3), dtype="boolean"),
    "single": np.full(N, 21.3, dtype=np.float32),
    "half": np.full(N, 0.1, dtype=np.float16),
    "shortgap": pd.array([21.3, None] * (N // 2), dtype="Float32"),
    "double": [1 / 3, np.nan, np.inf, -np.inf] * (N // 4),
    "word": WORDS * (N // len(WORDS)),
    "nothing": [None] * N,
    "when": [datetime(2024, 1, 1, 12), None] * (N // 2),
    "octets": [b"QSO", None] * (N // 2),
    "sort": pd.Categorical(["QSO", None] * (N // 2)),
}


def expected(row: int) -> dict[str, object]:
    """The row as JSON should have it."""
    even = row % 2 == 0
    return {
        "small": row - 5,
        "long": LONG + row,
        "huge": HUGE - row,
        "gap": LONG if even else None,
        "hugegap": None if even else HUGE,
        "flag": even,
        "maybe": [True, None, False][row % 3],
        "single": 21.3,
        "half": 0.1,
        "shortgap": 21.3 if even else None,
        "double": 1 / 3 if row % 4 == 0 else None,
        "word": WORDS[row % len(WORDS)],
        "nothing": None,
        "when": "2024-01-01T12:00:00" if even else None,
        "octets": "QSO" if even else None,
        "sort": "QSO" if even else None,
    }


def same(found, wanted) -> bool:
    """Equal, and of one type: 1 is neither True nor 1.0."""
    return found == wanted and type(found) is type(wanted)


@pytest.fixture
def made(fmb, tmp_path):
    """The command line, with a run `r` on vectors beside a catalogue of every type."""
    ids = FIRST + np.arange(N)
    vectors = np.random.default_rng(0).normal(size=(N, 3)).astype(np.float32)
    np.savez(tmp_path / "v.npz", object_id=ids, image=vectors)
    table = pd.DataFrame({"object_id": ids, **{k: pd.Series(v) for k, v in COLUMNS.items()}})
    table.to_parquet(tmp_path / "c.parquet")
    own = ("detect", "--embeddings", "v.npz", "--catalog", "c.parquet", "--detector", "gaussian")
    assert fmb(*own, "--fit", "in-sample", "--out", "r").exit_code == 0
    return fmb


@pytest.mark.parametrize("row", range(6))
def test_an_object_as_json_has_every_value_whole(made, row):
    told = json.loads(made("object", FIRST + row, "--run", "r", "--json").stdout)
    wanted = expected(row)
    assert told["object_id"] == str(FIRST + row)
    assert {k: v for k, v in wanted.items() if not same(told["catalog"][k], v)} == {}
    assert told["catalog"].keys() == wanted.keys()


def test_a_list_as_json_has_every_value_whole(made):
    (told,) = json.loads(made("top", "r", "--json").stdout).values()
    assert len(told) == N
    for item in told:
        wanted = expected(int(item["object_id"]) - FIRST)
        assert {k: v for k, v in wanted.items() if not same(item[k], v)} == {}
        assert item["rank"] is not None
        assert item["p_value"] is None
        assert item["is_repeat"] is False


def test_an_object_on_a_screen_has_no_missing_value_and_no_sign_that_a_terminal_obeys(made):
    lines = made("object", FIRST + 5, "--run", "r").stdout.splitlines()
    told = dict(
        line.strip().split(" = ", 1) for line in lines if line.startswith("  ") and " = " in line
    )
    assert told["huge"] == str(HUGE - 5)
    assert told["single"] == "21.3"
    assert told["half"] == "0.1"
    assert told["flag"] == "False"
    assert told["word"] == r"a\x1b[31mb\nc"
    assert not {"gap", "nothing", "when", "sort", "double"} & told.keys()
    first = made("object", FIRST, "--run", "r").stdout
    assert "word = NA\n" in first
    assert "octets = QSO\n" in first


def test_a_notebook_gets_the_types_of_the_catalogue(made):
    import fmb

    top = fmb.open_run("r").top(N).set_index("object_id").sort_index()
    for name in ("long", "huge", "flag", "single", "half", "gap", "hugegap", "maybe"):
        assert top[name].dtype == pd.Series(COLUMNS[name]).dtype, name
    assert top["huge"].tolist() == [HUGE - row for row in range(N)]
    assert "huge = 18446744073709551615" in repr(fmb.open_run("r").object(FIRST))


def test_an_exported_csv_has_every_digit_and_leaves_what_is_missing_empty(made, tmp_path):
    assert made("export", "r", "-o", "x.csv").exit_code == 0
    with open(tmp_path / "x.csv", newline="") as file:
        rows = {int(row["object_id"]) - FIRST: row for row in csv.DictReader(file)}
    for n, row in rows.items():
        wanted = expected(n)
        for name in ("small", "long", "huge", "gap", "hugegap", "flag", "maybe", "single", "word"):
            assert row[name] == ("" if wanted[name] is None else str(wanted[name])), name
        assert row["octets"] == ("QSO" if n % 2 == 0 else "")
        assert row["double"] == [str(1 / 3), "", "inf", "-inf"][n % 4]


def test_an_exported_parquet_has_the_types_of_the_catalogue(made, tmp_path):
    assert made("export", "r", "-o", "x.parquet").exit_code == 0
    table = pq.read_table(tmp_path / "x.parquet", columns=["object_id", "huge", "hugegap", "gap"])
    for item in table.to_pylist():
        wanted = expected(item.pop("object_id") - FIRST)
        assert item == {name: wanted[name] for name in item}


def test_what_a_detector_tells_is_a_number_in_json_with_all_of_its_digits(made, fmb):
    told = json.loads(fmb("object", str(FIRST), "--run", "r", "--json").stdout)
    ((name, details),) = told["details"].items()
    table = open_run("r").details(name)
    assert details == {"squared_mahalanobis": table["squared_mahalanobis"].iloc[0]}
