"""A user's own vectors: read in the order of the file, mapped where they lie."""

import zipfile

import h5py
import numpy as np
import pandas as pd
import pytest

from fmb.contract.names import VectorName
from fmb.datasets.selection import select
from fmb.messages.errors import DataError
from fmb.own.vector_file import open_vector_file
from fmb.store.digests import Digests
from fmb.store.keys import file_sha256
from fmb.vectors.asked import OwnVectors

IDS = np.array([2**62 + 3, -7, 2**62 + 1], dtype=np.int64)
VALUES = np.arange(6, dtype=np.float32).reshape(3, 2)


def read(path, **options):
    workspace = path.parent / "workspace"
    return open_vector_file(OwnVectors(file=str(path), **options), Digests(workspace))


def own(view):
    return VectorName("own", "as-is", view)


def write_all(folder):
    np.savez(folder / "v.npz", object_id=IDS, image=VALUES)
    np.save(folder / "v.npy", VALUES)
    np.save(folder / "ids.npy", IDS)
    with h5py.File(folder / "v.h5", "w") as file:
        file["object_id"], file["image"] = IDS, VALUES
    pd.DataFrame({"object_id": IDS, "image": list(VALUES)}).to_parquet(folder / "v.parquet")


EVERY_FORMAT = pytest.mark.parametrize(
    ("name", "ids", "view"),
    [
        ("v.npz", "object_id", "image"),
        ("v.npy", "ids.npy", "vectors"),
        ("v.h5", "object_id", "image"),
        ("v.parquet", "object_id", "image"),
    ],
)


@EVERY_FORMAT
def test_every_format_gives_the_same_vectors_in_the_order_of_the_file(
    tmp_path, monkeypatch, name, ids, view
):
    monkeypatch.chdir(tmp_path)
    write_all(tmp_path)
    survey = read(tmp_path / name, ids=ids)
    assert survey.ids.tolist() == survey.catalog["object_id"].tolist() == IDS.tolist()
    assert list(survey.vectors) == [own(view)]
    vectors = survey.vectors[own(view)]
    assert vectors.values.tolist() == VALUES.tolist()
    assert vectors.valid.tolist() == [True] * 3
    assert (len(survey), dict(survey.inputs)) == (3, {})


@EVERY_FORMAT
def test_a_selection_brings_objects_and_vectors_in_id_order(tmp_path, monkeypatch, name, ids, view):
    monkeypatch.chdir(tmp_path)
    write_all(tmp_path)
    chosen = select(read(tmp_path / name, ids=ids))
    assert chosen.ids.tolist() == [-7, 2**62 + 1, 2**62 + 3]
    assert chosen.catalog["object_id"].tolist() == chosen.ids.tolist()
    assert chosen.vectors[own(view)].values.tolist() == [[2, 3], [4, 5], [0, 1]]
    part = select(read(tmp_path / name, ids=ids), where=f"object_id > {2**61}")
    assert part.vectors[own(view)].values.tolist() == [[4, 5], [0, 1]]


def test_ids_may_come_from_a_text_file(tmp_path):
    np.save(tmp_path / "v.npy", VALUES)
    (tmp_path / "ids.txt").write_text("\n".join(str(i) for i in IDS))
    assert read(tmp_path / "v.npy", ids=str(tmp_path / "ids.txt")).ids.tolist() == IDS.tolist()


def stored(path, change):
    """The one matrix of a file that `change` writes, as it lies there."""
    change(path)
    ids = str(path.with_name("ids.npy")) if path.suffix == ".npy" else "object_id"
    np.save(path.with_name("ids.npy"), IDS)
    (view,) = read(path, ids=ids).vectors.values()
    (part,) = view.parts
    assert part.tolist() == VALUES.tolist()
    return part


def write_h5(path, **options):
    userblock = options.pop("userblock_size", 0)
    with h5py.File(path, "w", userblock_size=userblock) as file:
        file["object_id"] = IDS
        file.create_dataset("image", data=VALUES, **options)


def write_columnwise(path):
    np.savez(path, object_id=IDS, image=np.asfortranarray(VALUES))


MAPPED = {
    "npy": ("v.npy", lambda path: np.save(path, VALUES)),
    "npz": ("v.npz", lambda path: np.savez(path, object_id=IDS, image=VALUES)),
    "npz by columns": ("v.npz", write_columnwise),
    "HDF5": ("v.h5", write_h5),
    "HDF5 behind a block of the user": ("v.h5", lambda p: write_h5(p, userblock_size=512)),
    "HDF5 of another byte order": ("v.h5", lambda p: write_h5(p, dtype=">f4")),
    "HDF5 of float16": ("v.h5", lambda p: write_h5(p, dtype="f2")),
}
READ = {
    "compressed npz": (
        "v.npz",
        lambda path: np.savez_compressed(path, object_id=IDS, image=VALUES),
    ),
    "HDF5 in chunks": ("v.h5", lambda p: write_h5(p, chunks=(1, 2))),
    "compressed HDF5": ("v.h5", lambda p: write_h5(p, compression="gzip")),
}


@pytest.mark.parametrize(("name", "change"), MAPPED.values(), ids=MAPPED)
def test_a_matrix_in_one_piece_is_mapped_where_it_lies(tmp_path, name, change):
    part = stored(tmp_path / name, change)
    assert isinstance(part, np.memmap)
    assert not part.flags.writeable


@pytest.mark.parametrize(("name", "change"), READ.values(), ids=READ)
def test_a_matrix_that_is_compressed_or_in_pieces_is_read(tmp_path, name, change):
    assert not isinstance(stored(tmp_path / name, change), np.memmap)


def test_nothing_else_was_observed_of_the_objects(tmp_path):
    write_all(tmp_path)
    survey = read(tmp_path / "v.npz")
    batch = survey.read(np.array([2, 0]))
    assert batch.ids.tolist() == [2**62 + 1, 2**62 + 3]
    assert dict(batch.inputs) == {}
    with pytest.raises(DataError, match="no input is called 'euclid': these are vectors only"):
        survey.read(np.array([0]), ["euclid"])


def test_vectors_are_known_by_the_content_of_their_file_and_their_view(tmp_path):
    np.savez(tmp_path / "v.npz", object_id=IDS, image=VALUES, spectrum=-VALUES)
    survey = read(tmp_path / "v.npz")
    digest = file_sha256(tmp_path / "v.npz")
    assert survey.identity == {"file": "v.npz", "sha256": digest}
    for view in ("image", "spectrum"):
        identity = survey.vectors[own(view)].identity
        assert identity == {"file": "v.npz", "sha256": digest, "view": view}


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_catalogue_is_joined_by_id(tmp_path, ending):
    write_all(tmp_path)
    catalog = pd.DataFrame({"targetid": IDS[::-1], "z": [0.1, 0.2, 0.3]})
    path = tmp_path / f"cat.{ending}"
    catalog.to_parquet(path) if ending == "parquet" else catalog.to_csv(path, index=False)
    survey = read(tmp_path / "v.npz", catalog=str(path), catalog_id="targetid")
    assert survey.catalog["z"].tolist() == [0.3, 0.2, 0.1]
    assert select(survey).catalog["z"].tolist() == [0.2, 0.1, 0.3]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"image": VALUES, "TARGETID": IDS}, "no ids 'object_id'; name them with --ids: TARGETID"),
        ({"object_id": IDS}, "no array of vectors"),
        ({"object_id": IDS, "names": np.full((3, 2), "a")}, "no array of vectors"),
        ({"object_id": IDS.astype(float), "image": VALUES}, "floats"),
        ({"object_id": IDS[[0, 1, 1]], "image": VALUES}, "more than one row"),
        ({"object_id": IDS, "image": VALUES[:2]}, r"shape \(2, 2\) for 3 ids"),
        ({"object_id": IDS, "image": np.full((3, 2), np.nan)}, "3 rows that are not finite"),
        ({"object_id": IDS[:0], "image": VALUES[:0]}, "no objects"),
    ],
)
def test_vectors_that_cannot_be_used_are_one_clear_line(tmp_path, arrays, message):
    np.savez(tmp_path / "v.npz", **arrays)
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path / "v.npz")
    assert "\n" not in str(caught.value)


def test_what_else_is_in_an_archive_is_left_alone(tmp_path):
    write_all(tmp_path)
    with zipfile.ZipFile(tmp_path / "v.npz", "a") as archive:
        archive.writestr("README.txt", "made by hand")
    assert list(read(tmp_path / "v.npz").vectors) == [own("image")]


def test_an_array_of_objects_is_refused_and_its_code_does_not_run(tmp_path):
    class Payload:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    for name, array in (("object_id", [Payload()]), ("image", [[Payload()]])):
        arrays = {"object_id": IDS[:1], "image": VALUES[:1]}
        np.savez(tmp_path / "v.npz", **{**arrays, name: np.array(array, dtype=object)})
        with pytest.raises(DataError, match="cannot be read"):
            read(tmp_path / "v.npz")
    assert not (tmp_path / "ran").exists()


def test_a_missing_file_and_an_unknown_ending_are_named(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read(tmp_path / "v.npz")
    (tmp_path / "v.pkl").write_bytes(b"")
    with pytest.raises(DataError, match=r"cannot read '\.pkl'"):
        read(tmp_path / "v.pkl")


@pytest.mark.parametrize("name", ["v.npz", "v.npy", "v.h5", "v.parquet"])
def test_a_file_cut_short_is_one_line(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    write_all(tmp_path)
    content = (tmp_path / name).read_bytes()
    for size in (0, 5, len(content) // 2, len(content) - 1):
        (tmp_path / name).write_bytes(content[:size])
        with pytest.raises(DataError, match=f"{name}(: cannot be read| is damaged): ") as caught:
            read(tmp_path / name, ids="ids.npy" if name == "v.npy" else "object_id")
        assert "\n" not in str(caught.value)


def test_an_npy_file_that_calls_itself_npz_is_one_line(tmp_path):
    np.save(tmp_path / "v.npy", VALUES)
    (tmp_path / "v.npy").rename(tmp_path / "v.npz")
    with pytest.raises(DataError, match=r"v\.npz(: cannot be read| is damaged): "):
        read(tmp_path / "v.npz")


def test_an_object_without_a_catalogue_row_is_an_error(tmp_path):
    write_all(tmp_path)
    pd.DataFrame({"object_id": IDS[:2], "z": [1.0, 2.0]}).to_parquet(tmp_path / "c.parquet")
    with pytest.raises(DataError, match="1 of 3 objects are not in the catalogue"):
        read(tmp_path / "v.npz", catalog=str(tmp_path / "c.parquet"))


def test_an_id_that_only_a_blank_tells_from_another_is_shown_with_it(tmp_path):
    np.savez(tmp_path / "v.npz", object_id=np.array(["a", "b ", "c"]), v=VALUES[:3])
    pd.DataFrame({"object_id": ["a", "b", "c"]}).to_parquet(tmp_path / "c.parquet")
    with pytest.raises(DataError, match="not in the catalogue, for instance 'b '"):
        read(tmp_path / "v.npz", catalog=str(tmp_path / "c.parquet"))


def test_a_link_out_of_an_hdf5_file_is_not_followed(tmp_path):
    write_all(tmp_path)
    with h5py.File(tmp_path / "linked.h5", "w") as file:
        file["object_id"] = IDS
        file["image"] = h5py.ExternalLink(str(tmp_path / "v.h5"), "image")
    with pytest.raises(DataError, match="no array of vectors"):
        read(tmp_path / "linked.h5")


def test_numbers_kept_outside_an_hdf5_file_are_not_read(tmp_path):
    (tmp_path / "raw").write_bytes(VALUES.tobytes())
    with h5py.File(tmp_path / "v.h5", "w") as file:
        file["object_id"] = IDS
        file.create_dataset(
            "image", (3, 2), "f4", external=[(str(tmp_path / "raw"), 0, VALUES.nbytes)]
        )
    with pytest.raises(DataError, match="no array of vectors"):
        read(tmp_path / "v.h5")


def test_a_dataset_that_only_points_into_another_file_is_not_read(tmp_path):
    with h5py.File(tmp_path / "part.h5", "w") as file:
        file["image"] = VALUES
    layout = h5py.VirtualLayout(VALUES.shape, "f4")
    layout[:] = h5py.VirtualSource(str(tmp_path / "part.h5"), "image", VALUES.shape)
    with h5py.File(tmp_path / "v.h5", "w") as file:
        file["object_id"] = IDS
        file.create_virtual_dataset("image", layout)
    with pytest.raises(DataError, match="no array of vectors"):
        read(tmp_path / "v.h5")


def test_numbers_of_a_type_that_is_not_numpys_are_read_as_what_they_are(tmp_path):
    brain = h5py.h5t.IEEE_F32LE.copy()  # bfloat16: the upper half of a float32
    brain.set_fields(15, 7, 8, 0, 7)
    brain.set_size(2)
    brain.set_ebias(127)
    values = np.array([[1, -2], [0.5, 3], [4, 8]], np.float32)  # each exact in 8 bits
    with h5py.File(tmp_path / "v.h5", "w") as file:
        file["object_id"] = IDS
        space = h5py.h5s.create_simple(values.shape)
        made = h5py.h5d.create(file.id, b"image", brain, space)
        made.write(h5py.h5s.ALL, h5py.h5s.ALL, values)
    views = read(tmp_path / "v.h5").vectors
    (view,) = views.values()
    assert np.asarray(view.aligned()).tolist() == values.tolist()
