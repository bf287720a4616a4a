"""Nested Arrow columns become the arrays that their Python lists are, at any rows."""

import time

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmb import DataError, ShapeError
from fmb_surveys.files.stores.arrow_arrays import (
    Nested,
    gather,
    present,
    shape_of,
    texts,
)
from fmb_surveys.files.stores.arrow_schema import field_at, leaves

NUMBERS = st.floats(-1e3, 1e3, width=32)
SPECTRA = st.lists(st.none() | st.lists(st.none() | NUMBERS, max_size=5), min_size=1, max_size=8)


def read(array, rows, shape, pad=np.nan, path=()):
    return gather(Nested.of(array, path), np.asarray(rows), shape, pad, "column 'x'")


@pytest.mark.parametrize("kind", [pa.list_, pa.large_list, pa.list_view, pa.large_list_view])
@settings(max_examples=40, deadline=None)
@given(values=SPECTRA, data=st.data())
def test_lists_of_any_length_are_padded_as_by_a_loop(kind, values, data):
    rows = data.draw(st.lists(st.integers(0, len(values) - 1), max_size=10))
    front = data.draw(st.integers(0, 3))
    array = pa.array([[1.0]] * front + values, kind(pa.float32())).slice(front)
    expected = np.full((len(rows), 5), np.nan, dtype=np.float32)
    for at, row in enumerate(rows):
        for pixel, value in enumerate(values[row] or []):
            expected[at, pixel] = np.nan if value is None else value
    found = read(array, rows, (5,))
    assert found.dtype == np.float32
    assert np.array_equal(found, expected, equal_nan=True)


def cube(n=4):
    rng = np.random.default_rng(5)
    return rng.normal(size=(n, 2, 3, 4)).astype(np.float32)


def as_lists(values):
    return pa.array(values.tolist(), pa.list_(pa.list_(pa.list_(pa.float32()))))


def as_fixed(values):
    kind = pa.float32()
    for size in reversed(values.shape[1:]):
        kind = pa.list_(kind, size)
    return pa.array(values.tolist(), kind)


def as_tensor(values):
    return pa.FixedShapeTensorArray.from_numpy_ndarray(values)


@pytest.mark.parametrize("make", [as_lists, as_fixed, as_tensor])
@pytest.mark.parametrize("rows", [[0, 1, 2, 3], [3, 0, 0, 2], [1], []])
def test_cubes_are_the_same_numbers_in_lists_and_in_lists_of_fixed_size(make, rows):
    values = cube()
    assert np.array_equal(read(make(values), rows, (2, 3, 4)), values[np.array(rows, dtype=int)])


@pytest.mark.parametrize("make", [as_lists, as_fixed])
def test_a_slice_of_a_column_knows_its_own_rows(make):
    values = cube()
    assert np.array_equal(read(make(values).slice(1, 2), [1, 0], (2, 3, 4)), values[[2, 1]])


def test_structs_of_lists_and_lists_of_structs_have_the_same_arrays():
    values = cube(3)
    records = [
        [{"band": b, "flux": values[i, k].tolist()} for k, b in enumerate("gr")] for i in range(3)
    ]
    flux = pa.list_(pa.list_(pa.float32()))
    lists = pa.array(records, pa.list_(pa.struct([("band", pa.string()), ("flux", flux)])))
    structs = pa.array(
        [{"band": list("gr"), "flux": values[i].tolist()} for i in range(3)],
        pa.struct([("band", pa.list_(pa.string())), ("flux", pa.list_(flux))]),
    )
    for array in (lists, structs):
        assert np.array_equal(read(array, [2, 0], (2, 3, 4), path=["flux"]), values[[2, 0]])
        names = texts(Nested.of(array, ["band"]), np.array([1, 1]), 3, "x")
        assert names.tolist() == [["g", "r", None]] * 2


def test_what_lies_between_lists_is_in_none_of_them():
    offsets, sizes = pa.array([0, 3], pa.int32()), pa.array([2, 3], pa.int32())
    values = pa.array(np.arange(6, dtype="f4"))
    array = pa.ListViewArray.from_arrays(offsets, sizes, values)
    expected = [[0, 1, np.nan], [3, 4, 5]]
    assert np.array_equal(read(array, [0, 1], (3,)), expected, equal_nan=True)


def test_a_null_struct_has_nothing_though_its_lists_lie_there():
    inner = pa.array([[1.0, 2.0], [3.0, 4.0]], pa.list_(pa.float32()))
    array = pa.StructArray.from_arrays([inner], ["flux"], mask=pa.array([False, True]))
    found = read(array, [0, 1], (2,), path=["flux"])
    assert found[0].tolist() == [1.0, 2.0]
    assert np.isnan(found[1]).all()
    assert present(array).tolist() == present(array, ["flux"]).tolist() == [True, False]


@pytest.mark.parametrize("kind", ["i1", "u1", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "?"])
def test_numbers_keep_their_type_and_every_digit(kind):
    top = True if kind == "?" else np.finfo(kind).max if kind[0] == "f" else np.iinfo(kind).max
    values = np.array([[0, 1], [top, 1]], dtype=kind)
    flat = pa.array(values.ravel())
    array = pa.ListArray.from_arrays(pa.array([0, 2, 4], pa.int32()), flat)
    found = read(array, [1, 0], (2,))
    assert found.dtype == values.dtype
    assert np.array_equal(found, values[::-1])


def test_whole_numbers_with_gaps_become_floats_or_take_a_whole_pad():
    array = pa.array([[7, None], [8]], pa.list_(pa.int16()))
    assert np.array_equal(read(array, [0, 1], (2,)), [[7, np.nan], [8, np.nan]], equal_nan=True)
    masked = read(array, [0, 1], (2,), pad=0)
    assert masked.dtype == np.int16
    assert masked.tolist() == [[7, 0], [8, 0]]


def test_fewer_bands_than_the_longest_row_are_bands_without_values():
    array = pa.array([[[[1.0]], [[2.0]]], [[[3.0]]]], pa.list_(pa.list_(pa.list_(pa.float32()))))
    found = read(array, [0, 1], (2, 1, 1))[:, :, 0, 0]
    assert np.array_equal(found, [[1.0, 2.0], [3.0, np.nan]], equal_nan=True)


def test_the_shape_is_that_of_the_first_row_with_numbers():
    array = pa.array([None, [], [[1.0, 2.0]]], pa.list_(pa.list_(pa.float32())))
    assert shape_of(Nested.of(array)) == (1, 2)
    assert shape_of(Nested.of(array.slice(0, 2))) is None


@pytest.mark.parametrize(
    ("values", "shape", "error", "message"),
    [
        ([[1.0, 2.0, 3.0]], (2,), ShapeError, "list of 3 .* 2; set pixels = 3 or more"),
        ([[[1.0], [2.0, 3.0]]], (2, 2), ShapeError, "list of 1 where shape"),
        ([[["a"]]], (1, 1), DataError, "holds string, expected numbers"),
        ([1.0], (2,), ShapeError, "lists in 0 levels, expected 1"),
    ],
)
def test_what_is_no_array_of_that_shape_is_refused_by_name(values, shape, error, message):
    with pytest.raises(error, match=f"column 'x'.*{message}"):
        read(pa.array(values), [0], shape)


def test_leaves_are_counted_as_parquet_counts_its_columns(tmp_path):
    from pyarrow import parquet

    spectrum = pa.struct([("flux", pa.list_(pa.float32())), ("n", pa.struct([("k", pa.int8())]))])
    kinds = {
        "id": pa.int64(),
        "spectrum": spectrum,
        "tags": pa.map_(pa.string(), pa.list_(pa.int8())),
        "word": pa.dictionary(pa.int8(), pa.string()),
        "image": pa.list_(
            pa.struct([("band", pa.string()), ("flux", pa.list_(pa.list_(pa.int8())))])
        ),
    }
    schema = pa.schema(kinds)
    parquet.write_table(schema.empty_table(), tmp_path / "a.parquet")
    file = parquet.ParquetFile(tmp_path / "a.parquet")
    ends = [name.rpartition("/")[2] for name, _ in leaves(schema)]
    columns = [file.schema.column(at) for at in range(len(file.schema.names))]
    assert len(ends) == len(columns)
    for end, column in zip(ends, columns, strict=True):
        assert end in column.path.split(".")
    assert str(
        field_at(schema, "image/flux", "f").type
    ) == "list<element: list<element: int8>>".replace("element", "item")
    with pytest.raises(DataError, match=r"f: no column is called 'image/flx'; did you mean 'flux'"):
        field_at(schema, "image/flx", "f")


def test_gathering_is_no_slower_than_numpy_arrays_of_arrow_itself():
    rng = np.random.default_rng(1)
    values = rng.normal(size=(400, 3000)).astype(np.float32)
    array = pa.ListArray.from_arrays(
        pa.array(np.arange(401, dtype=np.int32) * 3000), pa.array(values.ravel())
    )
    order = rng.permutation(400)

    def plain():
        return np.stack([array[row].values.to_numpy() for row in order.tolist()])

    def ours():
        return gather(Nested.of(array), order, (3000,), np.nan, "x")

    def fastest(work):
        spent = []
        for _ in range(9):
            start = time.process_time()
            work()
            spent.append(time.process_time() - start)
        return min(spent)

    assert np.array_equal(plain(), ours())
    assert fastest(ours) <= fastest(plain) / 0.9
