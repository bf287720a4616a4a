"""Ids of own vectors: every digit kept in every format, or named; rows where there are none."""

from decimal import Decimal

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from astropy.table import Table

from fmb.messages.errors import DataError

N, D = 12, 10
IDS = 39627652591521181 + 1009 * np.arange(N)[::-1]
VALUES = np.random.default_rng(3).normal(size=(N, D)).astype(np.float32)
MAG = np.linspace(18, 22, N)


def table():
    """Columns of ids, a magnitude and a vector."""
    return {"object_id": IDS, "mag": MAG} | {f"f{i}": VALUES[:, i] for i in range(D)}


def test_objects_without_ids_are_known_by_their_row(read, tmp_path):
    np.save(tmp_path / "v.npy", VALUES)
    np.savez(tmp_path / "v.npz", X=VALUES, y=np.arange(N) % 2)
    for name in ("v.npy", "v.npz"):
        survey = read(tmp_path / name)
        assert survey.ids.tolist() == list(range(N))
        note = f"object ids are row numbers 0 .. {N - 1}: {tmp_path / name} has none"
        assert survey.warnings == [note]
    assert survey.catalog["y"].tolist() == [0, 1] * (N // 2)


TEXTS = [f"J {i} é" for i in range(N)]
EVERY_ID = {
    "19 digits": IDS * 100,
    "unsigned": np.arange(N, dtype=np.uint64) + np.uint64(2**63 + 1),
    "negative": -IDS,
    "text": np.array(TEXTS),
}


@pytest.mark.parametrize("ids", EVERY_ID.values(), ids=EVERY_ID)
@pytest.mark.parametrize("ending", ["npz", "parquet", "csv", "fits", "h5"])
def test_ids_keep_every_digit_in_every_format(read, tmp_path, ids, ending):
    path = tmp_path / f"v.{ending}"
    columns = {**table(), "object_id": ids}
    if ending == "npz":
        np.savez(path, object_id=ids, image=VALUES)
    elif ending == "parquet":
        pq.write_table(pa.table(columns), path)
    elif ending == "csv":
        pa_csv.write_csv(pa.table(columns), path)
    elif ending == "fits":
        texts = np.char.replace(ids, "é", "e") if ids.dtype.kind == "U" else ids
        Table({**columns, "object_id": texts}).write(path)
        ids = texts
    else:
        with h5py.File(path, "w") as file:
            file["object_id"] = np.char.encode(ids) if ids.dtype.kind == "U" else ids
            file["image"] = VALUES
    found = read(path).ids
    assert found.tolist() == ids.tolist()
    assert found.dtype.kind == ids.dtype.kind


def test_decimal_ids_of_parquet_are_integers(read, tmp_path):
    kind = pa.decimal128(20, 0)
    ids = pa.array([Decimal(int(i)) for i in IDS], kind)
    pq.write_table(pa.table({**table(), "object_id": ids}), tmp_path / "d.parquet")
    found = read(tmp_path / "d.parquet").ids
    assert (found.dtype, found.tolist()) == (np.int64, IDS.tolist())


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (IDS.astype(float), "'object_id': ids are floats"),
        (pa.array([None, *IDS[1:]]), "'object_id': 1 ids are missing, the first in row 0"),
        (IDS // 3000, r"more than one row, first .* \(row 0, row 1, row 2\)"),
    ],
)
def test_ids_that_cannot_be_used_are_counted(read, tmp_path, ids, message):
    pq.write_table(pa.table({**table(), "object_id": ids}), tmp_path / "i.parquet")
    with pytest.raises(DataError, match=message):
        read(tmp_path / "i.parquet")


@pytest.mark.parametrize("name", ["object_id", "source", None])
def test_an_index_of_pandas_is_the_ids(read, tmp_path, name):
    frame = pd.DataFrame(table()).drop(columns="object_id")
    frame.index = pd.Index(IDS, name=name)
    frame.to_parquet(tmp_path / "p.parquet")
    survey = read(tmp_path / "p.parquet")
    assert survey.ids.tolist() == IDS.tolist()
    assert set(survey.catalog) == {"object_id", "mag"}


def test_a_file_of_ids_goes_with_any_format(only, read, tmp_path):
    pq.write_table(pa.table(table()), tmp_path / "w.parquet")
    other = tmp_path / "ids.txt"
    other.write_text("\n".join(f"obj-{i}" for i in range(N)))
    survey = read(tmp_path / "w.parquet", ids=str(other))
    assert survey.ids.tolist() == [f"obj-{i}" for i in range(N)]
    assert only(survey).values.tolist() == VALUES.tolist()


def test_a_heading_among_the_ids_shows_where_they_are_too_many(read, tmp_path):
    np.save(tmp_path / "v.npy", VALUES)
    listed = tmp_path / "ids.csv"
    listed.write_text("my number\n" + "\n".join(map(str, IDS)))
    with pytest.raises(DataError, match=f"{N} vectors for {N + 1} ids, the first 'my number'"):
        read(tmp_path / "v.npy", ids=str(listed))
