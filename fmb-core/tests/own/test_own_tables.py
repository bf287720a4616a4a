"""Vectors in tables as people have them: which columns make them, which are the catalogue."""

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.table import Table

from fmb.messages.errors import ConfigError, DataError

N, D = 12, 10
IDS = 39627652591521181 + 1009 * np.arange(N)[::-1]
VALUES = np.random.default_rng(3).normal(size=(N, D)).astype(np.float32)
PARENT = 2**53 + 1 + np.arange(N)  # integers that no float64 holds
MAG = np.linspace(18, 22, N)
NAME = np.array([f"NGC {i}" for i in range(N)])


def wide(prefix="f", digits=1):
    columns = {f"{prefix}{i:0{digits}d}": VALUES[:, i] for i in range(D)}
    return {"object_id": IDS, "mag": MAG, **columns, "parent": PARENT, "name": NAME}


def write_hdf5_columns(path):
    with h5py.File(path, "w") as file:
        for name, values in wide().items():
            file[f"table/{name}"] = values.astype("S") if values.dtype.kind == "U" else values


def write_hdf5_records(path, **options):
    records = Table(wide())
    records.convert_unicode_to_bytestring()
    with h5py.File(path, "w") as file:
        file.create_dataset("table", data=records.as_array(), **options)


WIDE = {
    "w.parquet": lambda path: pq.write_table(pa.table(wide()), path, row_group_size=5),
    "w.csv": lambda path: pa_csv.write_csv(pa.table(wide()), path),
    "w.csv.gz": lambda path: pd.DataFrame(wide()).to_csv(path, index=False),
    "w.fits": lambda path: Table(wide()).write(path),
    "w.fits.gz": lambda path: Table(wide()).write(path),
    "columns.h5": write_hdf5_columns,
    "records.h5": write_hdf5_records,
    "packed.h5": lambda path: write_hdf5_records(path, compression="gzip"),
    "w.npy": lambda path: np.save(path, Table(wide()).as_array()),
    "w.npz": lambda path: np.savez(path, **wide()),
}


@pytest.mark.parametrize("name", WIDE)
def test_numbered_columns_are_a_vector_and_the_others_the_catalogue(only, read, tmp_path, name):
    WIDE[name](tmp_path / name)
    survey = read(tmp_path / name)
    assert survey.ids.tolist() == IDS.tolist()
    assert [key.view for key in survey.vectors] == ["f"]
    assert only(survey).values.tolist() == VALUES.tolist()
    catalog = survey.catalog
    assert set(catalog) == {"object_id", "mag", "parent", "name"}
    assert catalog["parent"].tolist() == PARENT.tolist()
    assert catalog["mag"].tolist() == MAG.tolist()
    assert catalog["name"].tolist() == NAME.tolist()


LISTS = {
    "list": pa.list_(pa.float32()),
    "large list": pa.large_list(pa.float64()),
    "list of one length": pa.list_(pa.float32(), D),
    "list of float16": pa.list_(pa.float16(), D),
    "list of integers": pa.list_(pa.int16()),
}


@pytest.mark.parametrize("kind", LISTS.values(), ids=LISTS)
def test_a_column_of_lists_is_a_vector(only, read, tmp_path, kind):
    values = np.round(VALUES * 8)  # exact in every kind
    rows = values.astype(kind.value_type.to_pandas_dtype())
    lists = pa.array(list(rows), kind)
    pq.write_table(pa.table({"object_id": IDS, "z": MAG, "image": lists}), tmp_path / "l.parquet")
    survey = read(tmp_path / "l.parquet")
    assert only(survey).values.tolist() == values.tolist()
    assert survey.catalog["z"].tolist() == MAG.tolist()


@pytest.mark.parametrize("name", ["w.fits", "records.h5", "w.npy"])
def test_numbered_columns_side_by_side_are_mapped_where_they_lie(only, read, tmp_path, name):
    WIDE[name](tmp_path / name)
    (part,) = only(read(tmp_path / name)).parts
    assert not part.flags.owndata
    assert not part.flags.writeable


@pytest.mark.parametrize("ending", ["fits", "h5"])
def test_a_field_of_vectors_is_mapped_where_it_lies(only, read, tmp_path, ending):
    path = tmp_path / f"v.{ending}"
    table = Table({"object_id": IDS, "mag": MAG, "image": VALUES})
    if ending == "fits":
        table.write(path)
    else:
        with h5py.File(path, "w") as file:
            file["table"] = table.as_array()
    survey = read(path)
    (part,) = only(survey).parts
    assert not part.flags.writeable
    assert not part.flags.owndata
    assert only(survey).values.tolist() == VALUES.tolist()
    assert survey.catalog["mag"].tolist() == MAG.tolist()


def test_scaled_columns_of_fits_are_what_their_scale_makes_them(only, read, tmp_path):
    ids = np.array([2**63 + 5, 7, 2**64 - 1], dtype=np.uint64)
    stored = np.arange(27, dtype=np.int16).reshape(3, 9)
    columns = [
        fits.Column("object_id", "K", bzero=2**63, array=ids),
        fits.Column("image", "9I", array=stored),
    ]
    fits.BinTableHDU.from_columns(columns).writeto(tmp_path / "s.fits")
    fits.setval(tmp_path / "s.fits", "TSCAL2", value=0.5, ext=1)
    survey = read(tmp_path / "s.fits")
    assert survey.ids.tolist() == ids.tolist()
    assert only(survey).values.tolist() == (stored / 2).tolist()


def test_several_prefixes_are_several_views(read, tmp_path):
    columns = {
        f"{p}_{i:03d}": (i + 1) * VALUES[:, 0] for p in ("image", "spectrum") for i in range(8)
    }
    pq.write_table(pa.table({"object_id": IDS, **columns}), tmp_path / "two.parquet")
    survey = read(tmp_path / "two.parquet")
    assert [name.view for name in survey.vectors] == ["image", "spectrum"]


def test_few_numbered_columns_are_magnitudes(read, tmp_path):
    magnitudes = {f"mag_{i}": MAG + i for i in range(5)}
    pq.write_table(pa.table({**wide(), **magnitudes}), tmp_path / "m.parquet")
    survey = read(tmp_path / "m.parquet")
    assert [name.view for name in survey.vectors] == ["f"]
    assert survey.catalog["mag_3"].tolist() == (MAG + 3).tolist()


@pytest.mark.parametrize(
    ("asked", "views"),
    [
        (("f*",), {"f": range(D)}),
        (("f2-f4",), {"f": [2, 3, 4]}),
        (("image=f0-f3", "spectrum=f4-f9"), {"image": range(4), "spectrum": range(4, D)}),
        (("f7,f1",), {"f": [7, 1]}),
    ],
)
def test_the_columns_of_a_vector_can_be_named(read, tmp_path, asked, views):
    WIDE["w.parquet"](tmp_path / "w.parquet")
    survey = read(tmp_path / "w.parquet", vector_columns=asked)
    found = {name.view: view.values.tolist() for name, view in survey.vectors.items()}
    assert found == {view: VALUES[:, list(at)].tolist() for view, at in views.items()}
    taken = {f"f{i}" for at in views.values() for i in at}
    assert set(survey.catalog) == {*wide()} - taken


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("g*", "has no such column; it has mag, f0"),
        ("f0-f20", "has 10 of these 21 columns"),
        ("name", "name is string"),
    ],
)
def test_columns_that_make_no_vector_are_refused_by_name(read, tmp_path, asked, message):
    WIDE["w.parquet"](tmp_path / "w.parquet")
    with pytest.raises(ConfigError, match=message):
        read(tmp_path / "w.parquet", vector_columns=asked)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({**wide(), "f11": MAG}, r"f0 .. f11 are not numbered one by one at f11"),
        ({"object_id": IDS, "mag": MAG}, "no array of vectors.*of numbers it has mag"),
        ({"object_id": IDS, "image": pa.array([[[1.0]]] * N)}, "image is list<.*list<"),
        ({**wide(), "f": pa.array([[1.0]] * N)}, "both 'f' and f0 .. f9 are vectors"),
        ({"TARGETID": IDS, "f0": MAG}, "no ids 'object_id'; name them with --ids: TARGETID"),
    ],
)
def test_what_is_ambiguous_is_refused_with_the_choices(read, tmp_path, columns, message):
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=message):
        read(tmp_path / "a.parquet")


def test_lists_of_several_lengths_or_with_gaps_are_refused(read, tmp_path):
    lists = [[1.0, 2.0]] * (N - 1)
    for last, message in (
        ([1.0], f"the vector in row {N - 1} has 1 numbers, those before have 2"),
        ([1.0, None], "1 numbers are missing"),
    ):
        table = pa.table({"object_id": IDS, "image": pa.array([*lists, last])})
        pq.write_table(table, tmp_path / "l.parquet")
        with pytest.raises(DataError, match=message):
            read(tmp_path / "l.parquet")


@pytest.mark.parametrize("kind", [pa.list_(pa.float32()), pa.list_(pa.float32(), 2)])
def test_a_row_without_a_list_is_an_object_without_a_vector(only, read, tmp_path, kind):
    lists = pa.array([[1, 2], None, [3, 4]], kind)
    pq.write_table(pa.table({"object_id": [5, 6, 7], "image": lists}), tmp_path / "l.parquet")
    survey = read(tmp_path / "l.parquet")
    assert only(survey).rows.tolist() == [0, 2]
    assert only(survey).values.tolist() == [[1, 2], [3, 4]]
    assert survey.warnings == ["1 object has no image vector, missing or not finite: 6"]


def test_a_catalogue_may_be_any_table(read, tmp_path):
    np.savez(tmp_path / "v.npz", object_id=IDS, image=VALUES)
    Table({"object_id": IDS[::-1], "parent": PARENT}).write(tmp_path / "c.fits")
    survey = read(tmp_path / "v.npz", catalog=str(tmp_path / "c.fits"))
    assert survey.catalog["parent"].tolist() == PARENT[::-1].tolist()


def test_what_an_hdf5_file_says_of_its_columns_counts_beside_vectors_too(read, tmp_path):
    with h5py.File(tmp_path / "v.h5", "w") as file:
        file["object_id"], file["image"] = IDS, VALUES
        file["mag"] = np.full(N, 2150, dtype="i2")
        file["mag"].attrs.update(scale_factor=0.01, unit=b"mag")
        file["z"] = np.ones(N, dtype="c8")
        file["name"] = np.array([b"\xff"] * N)
    survey = read(tmp_path / "v.h5")
    assert np.allclose(survey.catalog["mag"], 21.5)
    assert survey.catalog.attrs["units"] == {"mag": "mag"}
    (told,) = [text for text in survey.warnings if "left out" in text]
    assert "z (complex64" in told
    assert "name (bytes that are no text (UTF-8))" in told


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("object_id;f0;f1\n1;2;3\n", "divided by ';'; write commas"),
        ("object_id\tf0\tf1\n1\t2\t3\n", r"divided by '\\t'; write commas"),
        ("# made in 2026\nobject_id,f0\n1,2\n", "begins with a comment, '# made in 2026'"),
    ],
)
def test_a_csv_of_vectors_in_another_notation_is_named(read, tmp_path, text, message):
    (tmp_path / "v.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read(tmp_path / "v.csv")


def test_a_pattern_that_takes_more_than_numbered_columns_is_refused(read, tmp_path):
    table = pd.DataFrame(VALUES, columns=[f"f{i}" for i in range(VALUES.shape[1])])
    table.assign(object_id=IDS, fwhm=0.5).to_parquet(tmp_path / "v.parquet")
    with pytest.raises(ConfigError, match=r"f\*: fwhm matches too, and is not numbered"):
        read(tmp_path / "v.parquet", vector_columns=("f*",))
