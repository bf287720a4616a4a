"""Tables of every format: what the file holds, as it holds it, or one line that says why not."""

import datetime
import gzip
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from astropy.io import fits
from astropy.table import Table as AstropyTable
from pyarrow import parquet

from fmb import DataError
from fmb.files import read_table

INTEGERS = [f"{sign}int{bits}" for sign in ("u", "") for bits in (8, 16, 32, 64)]
REALS = ["float16", "float32", "float64"]


def extremes(kind: str) -> np.ndarray:
    """The smallest and the largest number of a type, and some between."""
    limits = np.iinfo(kind) if "int" in kind else np.finfo(kind)
    return np.array([limits.min, limits.max, 0, 1, 100], dtype=kind)


def write(path: Path, values: np.ndarray, kind: str) -> None:
    if path.suffix == ".parquet":
        parquet.write_table(pa.table({"x": values}), path)
    elif path.suffix == ".csv":
        texts = [str(value) if "int" in kind else repr(float(value)) for value in values.tolist()]
        path.write_text("\n".join(["x,y", *(f"{text},1" for text in texts)]) + "\n")
    else:
        AstropyTable({"x": values}).write(path, format=path.suffix.lstrip("."))


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [
        (suffix, kind)
        for suffix in (".parquet", ".csv", ".fits")
        for kind in (*INTEGERS, *REALS)
        if (suffix, kind) != (".fits", "int8")  # astropy writes these as booleans
    ],
)
def test_every_number_comes_back_exactly_and_in_no_narrower_type(tmp_path, suffix, kind):
    values = extremes(kind)
    path = tmp_path / f"t{suffix}"
    write(path, values, kind)
    read = np.asarray(read_table(path).columns["x"])
    assert read.tolist() == values.astype(np.float64 if "float" in kind else kind).tolist()
    assert read.dtype.itemsize >= values.dtype.itemsize
    assert read.dtype.kind == "f" or read.dtype in (np.int64, np.uint64)


BIG = [2**64 - 1, 2**63, 39633345008634465, 0]


def test_ids_keep_every_digit_through_every_format(tmp_path):
    whole = np.array([39633345008634465, -5, 2**53 + 1, -(2**63)])
    for suffix in (".parquet", ".csv", ".fits", ".ecsv"):
        path = tmp_path / f"t{suffix}"
        if suffix == ".parquet":
            parquet.write_table(pa.table({"id": whole}), path)
        else:
            form = {".csv": "ascii.csv", ".ecsv": "ascii.ecsv"}.get(suffix, "fits")
            AstropyTable({"id": whole}).write(path, format=form)
        read = read_table(path, text=("id",)).ids("id")
        assert (read.tolist(), read.dtype) == (whole.tolist(), np.int64)


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".fits", ".ecsv"])
def test_unsigned_ids_beyond_the_signed_ones_stay_whole_numbers(tmp_path, suffix):
    path, values = tmp_path / f"t{suffix}", np.array(BIG, dtype=np.uint64)
    if suffix == ".parquet":
        parquet.write_table(pa.table({"id": values}), path)
    elif suffix == ".csv":
        path.write_text("id\n" + "\n".join(map(str, BIG)) + "\n")
    else:
        AstropyTable({"id": values}).write(path, format=None if suffix == ".fits" else "ascii.ecsv")
    read = read_table(path, text=("id",)).ids("id")
    assert (read.tolist(), read.dtype) == (BIG, np.uint64)
    if suffix == ".csv":  # also where the column is no id
        assert read_table(path).columns["id"].tolist() == BIG


def test_text_ids_with_blanks_and_quotes_stay_as_they_are(tmp_path):
    texts = ["NGC 1", "M 31", 'the "eye"', "a,b", "0007"]
    pd.DataFrame({"id": texts, "v": range(5)}).to_csv(tmp_path / "t.csv", index=False)
    parquet.write_table(pa.table({"id": texts}), tmp_path / "t.parquet")
    for name in ("t.csv", "t.parquet"):
        assert read_table(tmp_path / name, text=("id",)).ids("id").tolist() == texts


def test_words_for_nothing_are_gaps_among_numbers_and_words_among_words(tmp_path):
    path = tmp_path / "t.csv"
    rows = [
        "1,NA,NA,2.5,true,007",
        ",None,QSO,nan,,012",
        "18446744073709551615,null,x,-1e3,FALSE,1",
    ]
    path.write_text("count,class,name,real,flag,code\n" + "\n".join(rows) + "\n")
    columns = read_table(path).columns
    count = columns["count"]
    assert count.isna().tolist() == [False, True, False]
    assert (int(count[0]), int(count[2])) == (1, 2**64 - 1)
    assert columns["class"].tolist() == ["NA", "None", "null"]
    assert columns["name"].tolist() == ["NA", "QSO", "x"]
    assert columns["real"][[0, 2]].tolist() == [2.5, -1000.0]
    assert np.isnan(columns["real"][1])
    assert columns["flag"].isna().tolist() == [False, True, False]
    assert columns["code"].tolist() == ["007", "012", "1"]


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfid,mag\n1,2\n",
        b"id,mag,\n1,2,\n",
        b",id,mag\n0,1,2\n",
        b"id, mag\n1, 2\n",
        b'"id","mag"\r\n"1","2"\r\n',
        b"id,mag\n1,2",
    ],
    ids=["BOM", "comma at the end", "index of pandas", "blanks", "quotes", "no last line end"],
)
def test_a_csv_as_programs_write_it_is_read(tmp_path, content):
    (tmp_path / "t.csv").write_bytes(content)
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(content))
    for name in ("t.csv", "t.csv.gz"):
        table = read_table(tmp_path / name, text=("id",))
        assert table.ids("id").tolist() == [1]
        assert np.asarray(table.columns["mag"]).tolist() == [2]


def test_kinds_of_parquet_are_read_or_named(tmp_path):
    path = tmp_path / "t.parquet"
    exact = [Decimal(39633345008634465), None]
    columns = {
        "decimal": pa.array(exact, pa.decimal128(20, 0)),
        "price": pa.array([Decimal("1.25"), Decimal("2.50")], pa.decimal128(9, 2)),
        "holed": pa.array([2**63 + 1, None], pa.uint64()),
        "flag": pa.array([None, True]),
        "kind": pa.array(["a", None]).dictionary_encode(),
        "when": pa.array([datetime.date(2024, 1, 2), None]),
        "bytes": pa.array([b"x", b"y z"]),
        "nothing": pa.nulls(2),
        "vector": pa.array([[1.0], [2.0]]),
        "record": pa.array([{"a": 1}, {"a": 2}]),
    }
    parquet.write_table(pa.table(columns), path)
    table = read_table(path)
    assert int(table.columns["decimal"][0]) == 39633345008634465
    assert table.columns["decimal"].isna().tolist() == [False, True]
    assert table.columns["price"].tolist() == [1.25, 2.5]
    assert int(table.columns["holed"][0]) == 2**63 + 1
    assert table.columns["flag"].isna().tolist() == [True, False]
    assert table.columns["kind"].tolist() == ["a", None]
    assert table.columns["when"][0] == np.datetime64("2024-01-02")
    assert np.isnat(table.columns["when"][1])
    assert table.columns["bytes"].tolist() == ["x", "y z"]
    assert np.isnan(table.columns["nothing"]).all()
    assert table.unread == {"vector": "lists", "record": "records"}
    with pytest.raises(DataError, match="column 'vector' holds lists"):
        table.column("vector")


def test_an_index_of_pandas_is_a_column_like_any_other(tmp_path):
    frame = pd.DataFrame({"object_id": [3, 1], "mag": [20.0, 21.0]})
    frame.set_index("object_id").to_parquet(tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet")
    assert table.ids("object_id").tolist() == [3, 1]


def parquet_file(**columns):
    return lambda path: parquet.write_table(pa.table(columns), path)


def text_file(content):
    body = content if isinstance(content, bytes) else content.encode()
    return lambda path: path.write_bytes(body)


def image_file(path):
    fits.PrimaryHDU(np.zeros((4, 4))).writeto(path)


def cut(make, share=0.6):
    def made(path):
        make(path)
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])

    return made


def fits_file(path):
    AstropyTable({"id": np.arange(500), "mag": np.ones(500)}).write(path, format="fits")


many = parquet_file(id=np.arange(1000), mag=np.random.default_rng(0).random(1000))


@pytest.mark.parametrize(
    ("name", "make", "pattern"),
    [
        ("t.csv", text_file("id,mag,mag\n1,2,3\n"), "two columns are called 'mag'; rename one"),
        ("t.csv", text_file("id, id\n1,2\n"), "two columns are called 'id'"),
        ("t.csv", text_file("id;mag\n1;2\n"), "divided by ';'; write commas"),
        ("t.csv", text_file("id\tmag\n1\t2\n"), r"divided by '\\t'; write commas"),
        ("t.csv", text_file(""), "cannot be read as .csv"),
        ("t.csv", text_file("id,mag\n1,2\n1,2,3\n"), "cannot be read as .csv.*columns, got 3"),
        ("t.csv", text_file("id,mag\n1,2\n".encode("utf-16")), "cannot be read|no column"),
        ("t.csv", text_file(b"id,mag\n\xff\xfe,2\n"), "cannot be read as .csv.*UTF8"),
        ("t.csv", text_file("id,mag\n3.96e+16,1\n4.1e+16,2\n"), "ids went through a float"),
        ("t.csv", text_file("id,mag\n1.0,1\n2.0,2\n"), r"ids went through a float.*\(1.0\)"),
        ("t.csv", text_file("id,mag\n1,1\n,2\n"), "the id in row 1 is missing"),
        ("t.csv", text_file("ID,mag\n1,1\n"), "no column is called 'id'; choose from ID, mag"),
        ("t.csv.gz", text_file(b"no gzip"), "cannot be read as .csv.gz"),
        ("t.csv.gz", cut(lambda p: p.write_bytes(gzip.compress(b"id\n1\n" * 99))), "cannot be"),
        ("t.parquet", text_file("PAR1"), "cannot be read as .parquet"),
        ("t.parquet", cut(many), "cannot be read as .parquet"),
        ("t.parquet", parquet_file(id=[1.0, 2.0]), "ids are floats, which lose digits"),
        ("t.parquet", parquet_file(id=pa.array([1, None])), "1 ids are missing, first in row 1"),
        ("t.parquet", parquet_file(id=["a", None]), "the id in row 1 is missing"),
        ("t.parquet", parquet_file(id=["1e16", "2e16"]), "ids went through a float"),
        ("t.parquet", parquet_file(id=[[1], [2]]), "column 'id' holds lists"),
        ("t.parquet", parquet_file(id=[True, False]), "ids have type bool"),
        ("t.parquet", parquet_file(id=pa.array([b"\xff", b"a"])), "'id' holds bytes that are no"),
        ("t.fits", image_file, "holds no table; images are no catalogue"),
        ("t.fits", text_file("SIMPLE  ="), "cannot be read as .fits"),
        ("t.fits", cut(fits_file), "the FITS file is cut short; copy it again|cannot be read"),
        ("t.ecsv", text_file("# %ECSV 1.0\n# ---\n# {datatype: [\n"), "cannot be read as .ecsv"),
        ("t.xlsx", text_file("PK"), r"not a table; give .parquet, .csv"),
        ("t.parquet", lambda path: path.mkdir(), "is a folder, expected a table"),
        ("t.parquet", lambda path: None, "no such file"),
    ],
)
def test_what_cannot_be_read_is_one_line_that_names_it(tmp_path, name, make, pattern):
    path = tmp_path / name
    make(path)
    with pytest.raises(DataError, match=pattern) as caught:
        read_table(path, text=("id",)).ids("id")
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize(("digits", "unit"), [("123456789", "ns"), ("123456", "us")])
def test_times_keep_every_digit_of_a_second(tmp_path, digits, unit):
    times = np.array([f"2026-01-31T12:00:00.{digits}", "NaT"], dtype="datetime64[ns]")
    parquet.write_table(pa.table({"x": times}), tmp_path / "t.parquet")
    found = read_table(tmp_path / "t.parquet").column("x")
    assert np.asarray(found).dtype == f"datetime64[{unit}]"
    assert np.array_equal(found, times, equal_nan=True)
