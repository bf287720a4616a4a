"""Catalogues beside vectors, of several files and of values of Python: no digit is lost."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from fmb.messages.errors import DataError
from fmb.own.vector_file import open_vector_file
from fmb.store.digests import Digests
from fmb.torch.records import read_records
from fmb.vectors.asked import OwnVectors

N, D = 6, 4
VALUES = np.random.default_rng(1).normal(size=(N, D)).astype(np.float32)
BIG = 2**60 + 1
"""No float64 holds it."""


def read(path, **options):
    asked = OwnVectors(file=str(path), **options)
    return open_vector_file(asked, Digests(path.parent / "work"), more={".pt": read_records})


@pytest.fixture
def two_files(tmp_path):
    """Make a folder of two files, of which each has its own values of the column `c`."""

    def made(first, second):
        (tmp_path / "s").mkdir()
        for part, held in enumerate((first, second)):
            rows = slice(3 * part, 3 * part + 3)
            lists = pa.array(list(VALUES[rows]), pa.list_(pa.float32()))
            table = pa.table({"object_id": np.arange(N)[rows], "vec": lists, "c": held})
            pq.write_table(table, tmp_path / "s" / f"{part}.parquet")
        return tmp_path / "s"

    return made


NOTHING = pa.array([None] * 3)
WHOLE = [BIG, BIG + 1, BIG + 2]


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("held", "other", "dtype"),
    [
        (WHOLE, NOTHING, "Int64"),
        (WHOLE, pa.array([None] * 3, pa.string()), "Int64"),
        (WHOLE, pa.array([2**63 + i for i in range(3)], pa.uint64()), "uint64"),
        (WHOLE, [None, 5, 6], "Int64"),
        (pa.array([2**63, None, 1], pa.uint64()), [1, 2, None], "UInt64"),
        ([True, False, True], NOTHING, "boolean"),
        ([0.5, 1.5, 2.5], [1, 2, 2**53], "float64"),
        (pa.array([1.5, 2.5, 3.5], pa.float32()), NOTHING, "float32"),
        (["a", "b", "c"], NOTHING, None),
    ],
)
def test_a_column_of_two_files_keeps_every_value(two_files, held, other, dtype, order):
    parts = [held, other][::order]
    catalog = read(two_files(*parts)).catalog
    expected = [v for part in parts for v in (part.to_pylist() if hasattr(part, "type") else part)]
    assert [None if pd.isna(v) else v for v in catalog["c"].tolist()] == expected
    assert dtype in (None, str(catalog["c"].dtype))


@pytest.mark.parametrize(
    ("held", "other", "message"),
    [
        (WHOLE, [0.5, 1.5, 2.5], "1.parquet: column 'c' holds fractions, and whole numbers in"),
        (WHOLE, ["a", "b", "c"], "1.parquet: column 'c' holds text, and whole numbers in"),
        ([True] * 3, [1.5] * 3, "1.parquet: column 'c' holds fractions, and yes or no in"),
        ([-1, 2, 3], pa.array([2**63] * 3, pa.uint64()), "'c' holds negative numbers and"),
    ],
)
def test_columns_that_no_type_holds_are_refused_by_name(two_files, held, other, message):
    with pytest.raises(DataError, match=message):
        read(two_files(held, other))


def test_whole_numbers_with_none_in_records_keep_their_digits(tmp_path):
    records = [
        {"object_id": i, "vec": torch.tensor(VALUES[i]), "z": None if i == 3 else BIG + i,
         "ok": None if i == 2 else i > 3, "f": None if i == 1 else i / 2}
        for i in range(N)
    ]  # fmt: skip
    torch.save(records, tmp_path / "v.pt")
    catalog = read(tmp_path / "v.pt").catalog
    assert catalog["z"].dtype == "Int64"
    assert catalog["z"].dropna().tolist() == [BIG + i for i in range(N) if i != 3]
    assert catalog["ok"].dropna().tolist() == [False, False, False, True, True]
    assert catalog["f"].isna().tolist() == [i == 1 for i in range(N)]


def test_values_of_several_kinds_in_records_are_named(tmp_path):
    records = [
        {
            "object_id": i,
            "vec": torch.tensor(VALUES[i]),
            "z": i if i else "a",
            "w": [0.5, BIG][i % 2],
        }
        for i in range(N)
    ]
    torch.save([{**record, "w": 1} for record in records], tmp_path / "v.pt")
    survey = read(tmp_path / "v.pt")
    assert survey.warnings == [f"{tmp_path}/v.pt: left out z (objects of type int)"]
    torch.save(records, tmp_path / "v.pt")
    with pytest.raises(DataError, match="'w' holds fractions and whole numbers beyond 2"):
        read(tmp_path / "v.pt")


@pytest.mark.parametrize("length", [3, 100])
def test_an_array_of_another_length_is_left_out_by_name(tmp_path, length):
    held = {"loss": torch.ones(length), "object_id": torch.arange(N), "vec": torch.tensor(VALUES),
            "mag": torch.arange(N) * 1.0}  # fmt: skip
    torch.save(held, tmp_path / "v.pt")
    survey = read(tmp_path / "v.pt")
    assert survey.catalog["mag"].tolist() == list(range(N))
    assert list(survey.catalog) == ["object_id", "mag"]
    assert survey.warnings == [f"{tmp_path}/v.pt: left out loss ({length},)"]


def test_views_that_would_have_one_name_are_refused(tmp_path):
    values = torch.tensor(VALUES)
    torch.save({"object_id": torch.arange(N), "emb/a": values, "emb:a": values}, tmp_path / "v.pt")
    with pytest.raises(DataError, match="'emb/a' and 'emb:a' would both be the view 'emb_a'"):
        read(tmp_path / "v.pt")


@pytest.mark.parametrize("kind", [int, str])
def test_vectors_by_integer_ids_are_read_where_the_ids_are_plainly_ids(tmp_path, kind):
    ids = [BIG + 7 * i for i in range(N)]
    held = {kind(one): torch.tensor(VALUES[i]) for i, one in enumerate(ids)}
    torch.save(held, tmp_path / "v.pt")
    survey = read(tmp_path / "v.pt")
    assert survey.ids.tolist() == ids
    (view,) = survey.vectors.values()
    assert view.values.tolist() == VALUES.tolist()


@pytest.mark.parametrize("name", ["{}", "obj{}", "f{}"])
def test_arrays_that_may_be_objects_or_columns_are_refused_unless_said(tmp_path, name):
    held = {name.format(i): torch.arange(9) + 0.5 * i for i in range(20)}
    torch.save(held, tmp_path / "v.pt")
    first = name.format(0)
    with pytest.raises(DataError, match=f"20 arrays of 9 numbers, of which '{first}' may be an"):
        read(tmp_path / "v.pt")
    survey = read(tmp_path / "v.pt", vector_columns=("v=*",))
    (view,) = survey.vectors.values()
    assert view.values.shape == (9, 20)
