import h5py
import numpy as np
import pandas as pd
import pytest

from fmb.contract.errors import DataError
from fmb.datasets.vector_file import OwnVectors, read_own_vectors

IDS = np.array([2**62 + 3, -7, 2**62 + 1], dtype=np.int64)
VALUES = np.arange(6, dtype=np.float32).reshape(3, 2)


def read(path, **kwargs):
    return read_own_vectors(OwnVectors(file=str(path), **kwargs))


def write_all(folder):
    np.savez(folder / "v.npz", object_id=IDS, image=VALUES)
    np.save(folder / "v.npy", VALUES)
    np.save(folder / "ids.npy", IDS)
    with h5py.File(folder / "v.h5", "w") as file:
        file["object_id"], file["image"] = IDS, VALUES
    pd.DataFrame({"object_id": IDS, "image": list(VALUES)}).to_parquet(folder / "v.parquet")


@pytest.mark.parametrize(
    ("name", "ids", "view"),
    [
        ("v.npz", "object_id", "image"),
        ("v.npy", "ids.npy", "vectors"),
        ("v.h5", "object_id", "image"),
        ("v.parquet", "object_id", "image"),
    ],
)
def test_every_format_gives_the_same_vectors_in_id_order(tmp_path, monkeypatch, name, ids, view):
    monkeypatch.chdir(tmp_path)
    write_all(tmp_path)
    own = read(tmp_path / name, ids=ids)
    assert own.views[view].ids.tolist() == [-7, 2**62 + 1, 2**62 + 3]
    assert own.views[view].values.tolist() == [[2, 3], [4, 5], [0, 1]]
    assert own.objects["object_id"].tolist() == [-7, 2**62 + 1, 2**62 + 3]


def test_ids_may_come_from_a_text_file(tmp_path):
    np.save(tmp_path / "v.npy", VALUES)
    (tmp_path / "ids.txt").write_text("\n".join(str(i) for i in IDS))
    own = read(tmp_path / "v.npy", ids=str(tmp_path / "ids.txt"))
    assert own.objects["object_id"].tolist() == sorted(IDS.tolist())


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_catalogue_is_joined_by_id(tmp_path, ending):
    write_all(tmp_path)
    catalog = pd.DataFrame({"targetid": IDS[::-1], "z": [0.1, 0.2, 0.3]})
    path = tmp_path / f"cat.{ending}"
    catalog.to_parquet(path) if ending == "parquet" else catalog.to_csv(path, index=False)
    own = read(tmp_path / "v.npz", catalog=str(path), catalog_id="targetid")
    assert own.objects["z"].tolist() == [0.2, 0.1, 0.3]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"image": VALUES}, "no ids 'object_id'"),
        ({"object_id": IDS}, "no array of vectors"),
        ({"object_id": IDS.astype(float), "image": VALUES}, "floats"),
        ({"object_id": IDS[[0, 1, 1]], "image": VALUES}, "more than one row"),
        ({"object_id": IDS, "image": VALUES[:2]}, r"shape \(2, 2\) for 3 ids"),
        ({"object_id": IDS, "image": np.full((3, 2), np.nan)}, "3 rows that are not finite"),
        ({"object_id": IDS[:0], "image": VALUES[:0]}, "no objects"),
    ],
)
def test_vectors_that_cannot_be_used_are_one_clear_line(tmp_path, arrays, message):
    np.savez(tmp_path / "v.npz", **arrays)
    with pytest.raises(DataError, match=message):
        read(tmp_path / "v.npz")


def test_an_array_of_objects_is_refused_and_its_code_does_not_run(tmp_path):
    class Payload:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    np.savez(tmp_path / "v.npz", object_id=np.array([Payload()], dtype=object))
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path / "v.npz")
    assert not (tmp_path / "ran").exists()


def test_a_missing_file_and_an_unknown_ending_are_named(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read(tmp_path / "v.npz")
    (tmp_path / "v.pkl").write_bytes(b"")
    with pytest.raises(DataError, match=r"cannot read '\.pkl'"):
        read(tmp_path / "v.pkl")


def test_an_object_without_a_catalogue_row_is_an_error(tmp_path):
    write_all(tmp_path)
    pd.DataFrame({"object_id": IDS[:2], "z": [1.0, 2.0]}).to_parquet(tmp_path / "c.parquet")
    with pytest.raises(DataError, match="1 of 3 objects are not in the catalogue"):
        read(tmp_path / "v.npz", catalog=str(tmp_path / "c.parquet"))


def test_a_link_out_of_an_hdf5_file_is_not_followed(tmp_path):
    write_all(tmp_path)
    with h5py.File(tmp_path / "linked.h5", "w") as file:
        file["object_id"] = IDS
        file["image"] = h5py.ExternalLink(str(tmp_path / "v.h5"), "image")
    with pytest.raises(DataError, match="no array of vectors"):
        read(tmp_path / "linked.h5")
