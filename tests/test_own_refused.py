"""Own vectors that cannot be what they say: told in one line that names what is wrong."""

import h5py
import numpy as np
import pandas as pd
import pytest
import torch

from fmb import open_run

N, D = 40, 12
IDS = np.arange(N)
VALUES = np.random.default_rng(1).normal(size=(N, D)).astype(np.float32)
NUMBERED = {"object_id": IDS, **{f"f{i}": VALUES[:, i] for i in range(D)}}
DETECT = ("detect", "--detector", "gaussian", "--fit", "in-sample", "--out", "r", "--embeddings")


def refused(result, *words):
    assert result.exit_code == 2, result.output
    assert result.stderr.count("\n") == 1
    assert not [word for word in words if word not in result.stderr], result.stderr


@pytest.mark.parametrize(("ending", "place"), [("h5", "/f6"), ("npz", "f6"), ("pt", "f6")])
@pytest.mark.parametrize("longer", [1, -1])
def test_numbers_of_more_or_fewer_objects_than_the_others_are_refused(
    fmb, home, tmp_path, ending, place, longer
):
    other = np.append(VALUES[:, 6], 99)[: N + longer].astype(np.float32)
    held = {**NUMBERED, "f6": other}
    if ending == "h5":
        with h5py.File(tmp_path / "v.h5", "w") as file:
            file.update(held)
    elif ending == "npz":
        np.savez(tmp_path / "v.npz", **held)
    else:
        torch.save({name: torch.tensor(values) for name, values in held.items()}, tmp_path / "v.pt")
    told = f"v.{ending}: '{place}' has {N + longer} numbers and '{place[:-1]}0' {N}"
    refused(fmb(*DETECT, f"v.{ending}"), told)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda path: np.save(path, np.array([f"a{i}" for i in IDS], object)), "astype(str)"),
        (lambda path: path.write_bytes(path.read_bytes()[:100]), "ids cannot be read: "),
        (lambda path: path.write_bytes(path.read_bytes()[:200]), "ids cannot be read: "),
        (lambda path: path.write_bytes(b""), "ids cannot be read: "),
        (lambda path: path.write_bytes(b"not an array"), "ids cannot be read: "),
        (lambda path: np.save(path, IDS * 1.0), "ids are floats"),
    ],
)
def test_a_damaged_array_of_ids_is_refused_in_a_line(fmb, home, tmp_path, damage, told):
    np.save(tmp_path / "v.npy", VALUES)
    np.save(tmp_path / "ids.npy", IDS)
    damage(tmp_path / "ids.npy")
    refused(fmb(*DETECT, "v.npy", "--ids", "ids.npy"), "fmb: ids.npy: ", told)


def test_a_heading_that_is_taken_for_an_id_is_refused(fmb, home, tmp_path):
    np.save(tmp_path / "v.npy", VALUES)
    (tmp_path / "ids.txt").write_text("myid\n" + "\n".join(map(str, IDS[:-1])))
    refused(
        fmb(*DETECT, "v.npy", "--ids", "ids.txt"), "ids.txt: the first id, 'myid', is no number"
    )
    (tmp_path / "ids.txt").write_text("myid\n" + "\n".join(f"a{i}" for i in IDS[:-1]))
    assert fmb(*DETECT, "v.npy", "--ids", "ids.txt").exit_code == 0


def test_words_in_one_part_and_numbers_in_another_are_refused(fmb, home, tmp_path):
    (tmp_path / "s").mkdir()
    for part in range(2):
        rows = slice(20 * part, 20 * part + 20)
        held = {name: values[rows] for name, values in NUMBERED.items()}
        held["src"] = [f"x{i}" if part else i for i in range(20)]
        pd.DataFrame(held).to_csv(tmp_path / "s" / f"{part}.csv", index=False)
    told = "s/1.csv: column 'src' holds text, and whole numbers in s/0.csv; store one type"
    refused(fmb(*DETECT, "s"), told)


@pytest.mark.parametrize("saved", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(
    ("values", "same"),
    [
        (VALUES.astype("f8") + 1e9, False),
        (VALUES.astype("f8") * 1e-60, False),
        (np.ones((N, D)) / 3, True),
    ],
)
def test_vectors_that_differ_only_beyond_float32_are_refused_as_such(
    fmb, home, tmp_path, saved, values, same
):
    values[0] = np.nan
    saved(tmp_path / "v.npz", object_id=IDS, vec=values)
    told = "are the same" if same else "v.npz: 'vec': the vectors differ, but only beyond float32"
    refused(fmb(*DETECT, "v.npz"), told)


def test_a_few_vectors_that_are_the_same_in_float32_are_no_reason(fmb, home, tmp_path):
    values = VALUES.astype("f8")
    values[:20] = 1 + 1e-12 * values[:20]
    np.savez(tmp_path / "v.npz", object_id=IDS, vec=values)
    assert fmb(*DETECT, "v.npz").exit_code == 0


@pytest.mark.parametrize("saved", [np.savez, np.savez_compressed])
def test_a_catalogue_of_npz_may_have_any_byte_order(fmb, home, tmp_path, saved):
    mag, big = np.linspace(18, 22, N), IDS + 2**60
    saved(tmp_path / "v.npz", object_id=IDS, vec=VALUES, mag=mag.astype(">f4"),
          big=big.astype(">i8"), name=np.array([b"a", b"b"] * 20))  # fmt: skip
    assert fmb(*DETECT, "v.npz", "--where", "mag < 20").exit_code == 0
    objects = open_run("r").objects
    kept = mag < 20
    assert objects["mag"].tolist() == mag[kept].astype("f4").tolist()
    assert objects["big"].tolist() == big[kept].tolist()
    assert objects["name"].tolist() == np.array(["a", "b"] * 20)[kept].tolist()


@pytest.mark.parametrize("ids", [None, "gid"])
def test_an_evenly_spaced_index_of_pandas_is_the_ids(fmb, home, tmp_path, ids):
    frame = pd.DataFrame({"mag": IDS * 1.0}, index=pd.RangeIndex(500, 500 + 3 * N, 3, name="gid"))
    frame["vec"] = list(VALUES)
    frame.to_parquet(tmp_path / "v.parquet")
    asked = () if ids is None else ("--ids", ids)
    assert fmb(*DETECT, "v.parquet", *asked).exit_code == 0
    objects = open_run("r").objects
    assert objects["object_id"].tolist() == (500 + 3 * IDS).tolist()
    assert list(objects)[:2] == ["object_id", "mag"]


def test_an_evenly_spaced_index_beside_ids_is_the_catalogue(fmb, home, tmp_path):
    frame = pd.DataFrame({"object_id": IDS}, index=pd.RangeIndex(500, 500 + N, name="gid"))
    frame["vec"] = list(VALUES)
    frame.to_parquet(tmp_path / "v.parquet")
    assert fmb(*DETECT, "v.parquet", "--where", "gid >= 520").exit_code == 0
    assert open_run("r").objects["object_id"].tolist() == IDS[20:].tolist()
