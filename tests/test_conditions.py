"""`--where` chooses the right objects, whatever the types of the columns it names."""

import re
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

N = 30
FIRST = 39627652591521181
FEW = [0, 1, 2, 3, 200, 250]


@pytest.fixture
def planned(fmb, tmp_path):
    """planned(condition): what a dry run on vectors beside a catalogue of narrow columns says."""
    ids = FIRST + np.arange(N)
    vectors = np.random.default_rng(0).normal(size=(N, 4)).astype(np.float32)
    np.savez(tmp_path / "v.npz", object_id=ids, image=vectors)
    columns = {
        "few": np.tile(np.array(FEW, dtype=np.uint8), N // 6),
        "one": np.ones(N, dtype=np.uint8),
        "mag": np.linspace(20, 23, N).round(1).astype(np.float32),
        "huge": np.uint64(2**64 - 1) - np.arange(N, dtype=np.uint64),
        "gap": pd.array([None, *range(2**53, 2**53 + N - 1)], dtype="Int64"),
        "kind": pd.Categorical(["QSO", "a b", "STAR"] * (N // 3)),
        "trace": [[1.0, 2.0]] * N,
    }
    pd.DataFrame({"object_id": ids, **columns}).to_parquet(tmp_path / "c.parquet")
    own = ["detect", "--embeddings", "v.npz", "--catalog", "c.parquet", "--detector", "gaussian"]
    return lambda where: fmb(*own, "--fit", "in-sample", "--where", where, "--dry-run")


TENTHS = [round(Fraction(20) + Fraction(3 * i, N - 1), 1) for i in range(N)]
CASES = {
    "few - one < 0": sum(a - 1 < 0 for a in FEW) * 5,
    "few - one >= 1": sum(a - 1 >= 1 for a in FEW) * 5,
    "few * 2 > 300": sum(a * 2 > 300 for a in FEW) * 5,
    "few * 300 > 600": sum(a * 300 > 600 for a in FEW) * 5,
    "-few < 0": sum(-a < 0 for a in FEW) * 5,
    "mag == 21.3": TENTHS.count(Fraction("21.3")),
    "mag in [21.3, 22.1]": sum(m in (Fraction("21.3"), Fraction("22.1")) for m in TENTHS),
    "mag < 21.3": sum(m < Fraction("21.3") for m in TENTHS),
    "huge == 18446744073709551614": 1,
    "huge > 18446744073709551610": sum(2**64 - 1 - i > 2**64 - 6 for i in range(N)),
    "gap == 9007199254740993": 1,
    "gap != 9007199254740993": N - 2,
    "object_id == 39627652591521183": 1,
    "object_id in [39627652591521183, 39627652591521184]": 2,
    "kind in ['a b']": N // 3,
}


@pytest.mark.parametrize(("where", "count"), CASES.items())
def test_a_condition_keeps_as_many_objects_as_exact_arithmetic_says(planned, where, count):
    done = planned(where)
    assert done.exit_code == 0, done.stderr
    assert re.search(r"^(\d+) objects?\b", done.stdout)[1] == str(count)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("mag = 21.3", "write == for equal"),
        ("kind == QSO", "text goes in quotes: kind == 'QSO'"),
        ("magg < 3", "did you mean 'mag'?"),
        ("trace == 1", "no column is called 'trace'; choose from object_id, few"),
        ("few < 0 and mag < 21", "'few < 0' keeps 0, 'mag < 21' keeps 10"),
        ("few in [1, 'a']", "mixes text and numbers in one list"),
    ],
)
def test_a_condition_that_cannot_be_meant_says_why_in_one_line(planned, where, said):
    done = planned(where)
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
