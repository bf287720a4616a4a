"""Own vectors in many files, and what no file can be mapped for: decoded once."""

from types import SimpleNamespace

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fmb.cache.holdings import holdings, remove
from fmb.messages.errors import DataError, FailedError
from fmb.own import decoding, vector_file
from fmb.own.vector_file import open_vector_file
from fmb.store.digests import Digests
from fmb.vectors.asked import OwnVectors

N, D = 30, 9
IDS = 2**62 + 7 * np.arange(N)
VALUES = np.random.default_rng(5).normal(size=(N, D)).astype(np.float32)
MAG = np.linspace(18, 22, N)


def table(rows, **more):
    columns = {f"e_{i}": VALUES[rows, i] for i in range(D)}
    return pa.table({"object_id": IDS[rows], **columns, "mag": MAG[rows], **more})


@pytest.fixture
def shards(tmp_path):
    """Three part files below a folder, as catalogues of the sky are published."""
    root = tmp_path / "sky"
    for part in range(3):
        folder = root / "dataset" / "Norder=1" / "Dir=0"
        folder.mkdir(parents=True, exist_ok=True)
        rows = slice(10 * part, 10 * part + 10)
        pq.write_table(table(rows), folder / f"Npix={part}.parquet", row_group_size=4)
    (root / "dataset" / "_metadata.parquet").write_bytes(b"not a part")
    (root / "properties").write_text("names nothing")
    return root


def read(tmp_path, *files, progress=None, **options):
    more = {} if progress is None else {"progress": progress}
    asked = OwnVectors(file=tuple(str(f) for f in files), **options)
    return open_vector_file(asked, Digests(tmp_path / "home"), **more)


def only(survey):
    (view,) = survey.vectors.values()
    return view


@pytest.mark.parametrize("how", ["folder", "pattern", "one by one"])
def test_part_files_are_one_table(tmp_path, shards, how):
    parts = sorted(shards.rglob("Npix*.parquet"))
    asked = {"folder": [shards], "pattern": [parts[0].parent / "*.parquet"], "one by one": parts}
    survey = read(tmp_path, *asked[how])
    assert survey.ids.tolist() == IDS.tolist()
    assert only(survey).values.tolist() == VALUES.tolist()
    assert survey.catalog["mag"].tolist() == MAG.tolist()


def test_matrices_in_several_files_stay_where_they_lie(tmp_path):
    for part in range(3):
        np.save(tmp_path / f"{part}.npy", VALUES[10 * part : 10 * part + 10])
    view = only(read(tmp_path, *(tmp_path / f"{part}.npy" for part in (2, 0, 1))))
    assert [type(part) for part in view.parts] == [np.memmap] * 3
    assert view.values.tolist() == [*VALUES[20:].tolist(), *VALUES[:20].tolist()]


def test_an_object_in_two_files_is_refused_with_its_places(tmp_path, shards):
    pq.write_table(table(slice(8, 13)), shards / "more.parquet")
    with pytest.raises(DataError, match=f"5 ids .* first {IDS[8]}") as caught:
        read(tmp_path, shards)
    assert "(Npix=0.parquet row 8, more.parquet row 0)" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.rename_columns([n.replace("e_", "g") for n in t.column_names]), "g of 9, but"),
        (lambda t: t.drop_columns("e_8"), r"vectors e of 8, but .* has e of 9"),
        (lambda t: t.drop_columns("mag"), "column 'mag' is in only one of this file and"),
        (lambda t: t.append_column("z", pa.array(MAG[20:])), "column 'z' is in only one of this"),
    ],
)  # fmt: skip
def test_files_that_are_no_parts_of_one_table_are_refused(tmp_path, shards, change, message):
    other = shards / "dataset" / "Norder=1" / "Dir=0" / "Npix=2.parquet"
    pq.write_table(change(pq.read_table(other)), other)
    with pytest.raises(DataError, match=message):
        read(tmp_path, shards)


def test_a_folder_of_several_kinds_and_one_of_none_are_refused(tmp_path, shards):
    (shards / "notes.csv").write_text("a\n1\n")
    with pytest.raises(DataError, match=r"files of \.csv and \.parquet; name one kind"):
        read(tmp_path, shards)
    (tmp_path / "empty").mkdir()
    for nothing in (tmp_path / "empty", tmp_path / "*.parquet"):
        with pytest.raises(DataError, match="no file of vectors there"):
            read(tmp_path, nothing)


@pytest.fixture
def large(monkeypatch):
    """Whatever must be decoded is too large for memory; blocks are of three rows."""
    monkeypatch.setattr(vector_file, "SMALL_BYTES", 0)
    monkeypatch.setattr("fmb.vectors.table.BLOCK_BYTES", 3 * 4 * D)


def test_what_cannot_be_mapped_is_decoded_once(tmp_path, shards, large, monkeypatch, caplog):
    told = []
    caplog.set_level("INFO", "fmb.note")
    first = read(tmp_path, shards, progress=lambda *args: told.append(args))
    (part,) = only(first).parts
    assert isinstance(part, np.memmap)
    assert (part.dtype, part.tolist()) == (np.float32, VALUES.tolist())
    assert told[-1] == ("decode vectors", N, N)
    assert [done for _, done, _ in told] == sorted({done for _, done, _ in told})
    assert f"decoding 3 files, {N} x {D}, 0.0 GB into {tmp_path / 'home' / 'own'}" in caplog.text
    monkeypatch.setattr(vector_file, "read_vectors", None)  # nothing is opened again
    again = read(tmp_path, shards)
    assert again.ids.tolist() == IDS.tolist()
    assert only(again).values.tolist() == VALUES.tolist()
    assert again.catalog["mag"].tolist() == MAG.tolist()
    assert only(again).identity == only(first).identity


def test_decoded_vectors_are_of_the_bytes_of_their_files(tmp_path, shards, large):
    read(tmp_path, shards)
    other = sorted(shards.rglob("Npix*.parquet"))[0]
    changed = pq.read_table(other).to_pandas()
    changed["e_3"] += 1
    changed.to_parquet(other, index=False)
    values = VALUES.copy()
    values[:10, 3] += 1
    assert only(read(tmp_path, shards)).values.tolist() == values.tolist()
    assert len(list((tmp_path / "home" / "own").iterdir())) == 2


def test_objects_without_a_vector_stay_so_in_what_was_decoded(tmp_path, large):
    values = VALUES.copy()
    values[4, 1] = np.nan
    np.savez_compressed(tmp_path / "v.npz", object_id=IDS, image=values, other=VALUES)
    for _ in range(2):
        survey = read(tmp_path, tmp_path / "v.npz")
        image, other = survey.vectors.values()
        assert image.rows.tolist() == np.delete(np.arange(N), 4).tolist()
        assert other.rows.tolist() == list(range(N))
        assert survey.warnings == [f"1 object has no image vector, missing or not finite: {IDS[4]}"]


@pytest.mark.parametrize("kind", ["npz", "h5", "csv"])
def test_blocks_of_every_format_come_in_order(tmp_path, large, kind):
    path = tmp_path / f"v.{kind}"
    if kind == "npz":
        np.savez_compressed(path, object_id=IDS, image=VALUES)
    elif kind == "h5":
        with h5py.File(path, "w") as file:
            file["object_id"] = IDS
            file.create_dataset("image", data=VALUES, chunks=(7, 2), compression="gzip")
    else:
        pd.DataFrame({"object_id": IDS, **{f"i{j}": VALUES[:, j] for j in range(D)}}).to_csv(
            path, index=False
        )
    assert only(read(tmp_path, path)).values.tolist() == VALUES.tolist()


def test_a_disk_without_space_is_told_before_anything_is_written(
    tmp_path, shards, large, monkeypatch
):
    monkeypatch.setattr(
        decoding.shutil, "disk_usage", lambda path: SimpleNamespace(free=4 * N * D - 1)
    )
    with pytest.raises(FailedError, match="GB left; choose another workspace"):
        read(tmp_path, shards)
    assert list((tmp_path / "home" / "own").iterdir()) == []


def test_decoding_that_fails_leaves_nothing(tmp_path, large):
    values = VALUES.astype("f8")
    values[25, 2] = 1e300
    np.savez_compressed(tmp_path / "v.npz", object_id=IDS, image=values)
    with pytest.raises(DataError, match=f"1e[+]300 in the vector of object {IDS[25]} "):
        read(tmp_path, tmp_path / "v.npz")
    assert list((tmp_path / "home" / "own").iterdir()) == []


def test_decoded_vectors_are_listed_and_removed(tmp_path, shards, large):
    read(tmp_path, shards)
    (found,) = [one for one in holdings(tmp_path / "home") if one.kind == "decoded"]
    assert found.about == f"vectors of your own, {N} x {D}"
    assert found.bytes > 4 * N * D
    remove(found)
    assert list((tmp_path / "home" / "own").iterdir()) == []
    assert only(read(tmp_path, shards)).values.tolist() == VALUES.tolist()
