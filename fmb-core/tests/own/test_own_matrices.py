"""Matrices of own vectors: every type and order keeps its values, or is named."""

import h5py
import numpy as np
import pytest

from fmb.messages.errors import DataError

N, D = 12, 10
IDS = 39627652591521181 + 1009 * np.arange(N)[::-1]
VALUES = np.random.default_rng(3).normal(size=(N, D)).astype(np.float32)


def test_vectors_that_are_not_finite_are_counted_and_the_others_used(only, read, tmp_path):
    values = VALUES.copy()
    values[2, 3], values[7, 0] = np.nan, np.inf
    np.savez(tmp_path / "v.npz", object_id=IDS, image=values)
    survey = read(tmp_path / "v.npz")
    good = np.delete(np.arange(N), [2, 7])
    assert only(survey).rows.tolist() == good.tolist()
    assert only(survey).values.tolist() == VALUES[good].tolist()
    first = f"{IDS[2]}, {IDS[7]}"
    assert survey.warnings == [f"2 objects have no image vector, missing or not finite: {first}"]


@pytest.mark.parametrize("kind", ["f2", "f8", ">f4", ">f8", "i1", "u2", "i8", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("packed", [True, False])
def test_a_matrix_of_any_type_and_order_keeps_its_values(only, read, tmp_path, kind, order, packed):
    values = np.array(np.round(np.abs(VALUES)), dtype=kind, order=order)
    (np.savez_compressed if packed else np.savez)(tmp_path / "v.npz", object_id=IDS, image=values)
    assert only(read(tmp_path / "v.npz")).values.tolist() == values.astype(float).tolist()


def test_a_matrix_of_small_integers_in_hdf5_is_one(only, read, tmp_path):
    values = np.arange(N * D, dtype=np.int8).reshape(N, D)
    with h5py.File(tmp_path / "v.h5", "w") as file:
        file["object_id"], file["image"] = IDS, values
    assert only(read(tmp_path / "v.h5")).values.tolist() == values.tolist()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (VALUES + 1j * VALUES, "image is complex"),
        (VALUES[:, 0], "of numbers it has image"),
        (VALUES[:, :, None], r"image is float32, shape \(12, 10, 1\)"),
        (np.zeros(N, [("a", "f4"), ("b", "f4")]), "image is of records"),
        (VALUES.astype("f8") * 1e39, "is an overflow of float32"),
    ],
)
def test_a_matrix_that_cannot_be_used_says_why(read, tmp_path, values, message):
    np.savez(tmp_path / "v.npz", object_id=IDS, image=values)
    with pytest.raises(DataError, match=message):
        read(tmp_path / "v.npz")


def test_an_overflow_names_its_object(read, tmp_path):
    values = VALUES.astype("f8")
    values[5, 2] = -4e38
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "v.npz", object_id=IDS, image=values)
        with pytest.raises(DataError, match=f"-4e[+]38 in the vector of object {IDS[5]} "):
            read(tmp_path / "v.npz")


def test_vectors_that_are_to_be_scaled_are_refused(read, tmp_path):
    with h5py.File(tmp_path / "v.h5", "w") as file:
        file["object_id"], file["image"] = IDS, VALUES
        file["image"].attrs["scale_factor"] = 0.5
    with pytest.raises(DataError, match=r"'/image' is to be scaled .* store them unscaled"):
        read(tmp_path / "v.h5")


@pytest.mark.parametrize("columns", [(), ("vectors",)])
def test_one_number_an_object_is_no_vector(read, tmp_path, columns):
    np.save(tmp_path / "v.npy", np.arange(12.0))
    with pytest.raises(DataError, match=r"expected shape \(n, d\), got \(12,\)"):
        read(tmp_path / "v.npy", vector_columns=columns)
