"""What leaves FMB is read by others as it was: integers, text, gaps, units and words."""

import csv
import gzip
import io
import json
import warnings

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.table import Table, TableMergeError
from exported_tables import GAPS, IDS, TOLD

from fmb import ConfigError, DataError
from fmb_surveys.export.exported import Exported, Field
from fmb_surveys.export.formats import FORMATS, file_parts, format_of


def written(name, table, units=None, **options):
    fields = {c: Field(f"about {c}", (units or {}).get(c, ""), "meta.id") for c in table}
    return b"".join(file_parts(name, Exported.of_table(table, fields), TOLD, **options))


def read(name, body, folder):
    path = folder / f"x.{name}"
    path.write_bytes(body)
    return Table.read(path)


@pytest.mark.parametrize("kind", IDS)
@pytest.mark.parametrize("name", ["fits", "votable", "ecsv", "parquet"])
def test_ids_come_back_exact_in_astropy(tmp_path, name, kind):
    back = read(name, written(name, pd.DataFrame({"object_id": IDS[kind]})), tmp_path)
    ids = back["object_id"]
    if (name, kind) == ("votable", "uint64"):  # VOTable knows no such number
        assert [int(one) for one in ids.tolist()] == IDS[kind].tolist()
        return
    if kind != "str":
        assert ids.dtype.newbyteorder("=") == IDS[kind].dtype
    found = [one.decode() if isinstance(one, bytes) else one for one in ids.tolist()]
    assert found == IDS[kind].tolist()


@pytest.mark.parametrize("kind", IDS)
def test_a_csv_has_every_digit_and_letter_of_an_id(kind):
    text = written("csv", pd.DataFrame({"object_id": IDS[kind]})).decode()
    assert [row["object_id"] for row in csv.DictReader(io.StringIO(text))] == [
        str(one) for one in IDS[kind].tolist()
    ]


@pytest.mark.parametrize("kind", IDS)
@pytest.mark.parametrize("name", ["csv", "parquet"])
def test_ids_come_back_exact_in_pandas(name, kind):
    body = io.BytesIO(written(name, pd.DataFrame({"object_id": IDS[kind]})))
    text = {"object_id": str} if kind == "str" else None  # a CSV cannot tell 007 from 7
    back = pd.read_csv(body, dtype=text) if name == "csv" else pd.read_parquet(body)
    assert back["object_id"].tolist() == IDS[kind].tolist()


def test_integers_of_fits_are_64_bits_wide_and_without_a_sign_by_an_offset():
    table = pd.DataFrame({"a": IDS["int64"], "b": IDS["uint64"]})
    header = fits.getheader(io.BytesIO(written("fits", table)), 1)
    assert (header["TFORM1"], header["TFORM2"], header["TZERO2"]) == ("K", "K", 2**63)
    assert "TZERO1" not in header


@pytest.mark.parametrize("name", ["fits", "votable", "ecsv"])
def test_what_is_missing_is_masked_and_nothing_else_is(tmp_path, name):
    back = read(name, written(name, GAPS), tmp_path)
    for column in GAPS:
        expected = GAPS[column].isna().to_numpy()
        values = back[column]
        masked = np.ma.getmaskarray(np.ma.asarray(values))
        if values.dtype.kind == "f":
            masked = masked | np.isnan(np.ma.filled(values, np.nan))
        if (name, column) == ("votable", "text"):  # astropy makes a missing text an empty one
            masked = values == ""
        assert masked.tolist() == expected.tolist(), column
        known = GAPS[column][~expected].tolist()
        found = [v.decode() if isinstance(v, bytes) else v for v in values[~masked].tolist()]
        assert found == known, column


def test_a_missing_integer_without_a_sign_keeps_its_neighbours_exact(tmp_path):
    table = pd.DataFrame({"u": pd.array([2**63 + 1, None], dtype="UInt64")})
    back = read("fits", written("fits", table), tmp_path)
    assert back["u"][0] in (str(2**63 + 1), str(2**63 + 1).encode())


def test_small_integers_with_a_sign_are_numbers_in_fits(tmp_path):
    table = pd.DataFrame({"i": np.array([-5, 0, 7], dtype=np.int8)})
    assert read("fits", written("fits", table), tmp_path)["i"].tolist() == [-5, 0, 7]


def test_nullable_columns_keep_their_types_in_parquet():
    back = pd.read_parquet(io.BytesIO(written("parquet", GAPS)))
    for column in ("flag", "fold", "byte", "low", "p"):
        assert back[column].dtype == GAPS[column].dtype
        assert back[column].isna().tolist() == GAPS[column].isna().tolist()
    assert back["low"][0] == -(2**63)


def test_units_meanings_and_provenance_go_along(tmp_path):
    table = pd.DataFrame({"ra": [1.5], "flux": [2.0]})
    units = {"ra": "deg", "flux": "no unit at all"}
    header = fits.getheader(io.BytesIO(written("fits", table, units)), 1)
    assert (header["TUNIT1"], header["TCOMM1"]) == ("deg", "about ra")
    assert ("TUNIT2" in header, header["TCOMM2"]) == (False, "about flux [no unit at all]")
    assert header["TUCD1"] == "meta.id"
    told = " ".join(map(str, header["COMMENT"]))
    assert (header["FMBRUN"], "reference: none" in told) == ("mine", True)
    assert "simulated data: not evidence" in told
    ecsv = read("ecsv", written("ecsv", table, units), tmp_path)
    assert (ecsv.meta["notes"], ecsv["ra"].unit.to_string()) == (TOLD["notes"], "deg")
    assert ecsv["ra"].description == "about ra"
    schema = pq.read_schema(io.BytesIO(written("parquet", table, units)))
    assert json.loads(schema.metadata[b"fmb"]) == TOLD
    assert schema.field("ra").metadata == {
        b"about": b"about ra",
        b"unit": b"deg",
        b"ucd": b"meta.id",
    }


@pytest.mark.parametrize("format", ["parquet", "parquet.votable"])
def test_astropy_reads_values_units_and_meanings_of_a_parquet(tmp_path, format):
    table = GAPS.assign(ra=[1.5, 2.5, 3.5], id=np.array([2**53 + 1, 2**62 + 1, 3], dtype="u8"))
    table = table.assign(flux=np.float32([1, 2, 3]), mu=["µ", "long text", ""], is_repeat=True)
    units = {"ra": "deg", "flux": "nmgy", "z": "mag(AB)", "p": "um"}
    (tmp_path / "x.parquet").write_bytes(written("parquet", table, units))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of lengths that are guessed, of units in conflict
        back = Table.read(tmp_path / "x.parquet", format=format)
    assert back.colnames == list(table)
    for name in ("ra", "id", "flux", "mu", "is_repeat"):
        assert back[name].tolist() == table[name].tolist(), name
    assert back["flag"].tolist() == [True, None, False]
    assert [str(back[name].unit) for name in ("ra", "z", "p")] == ["deg", "mag", "um"]
    assert (back["ra"].description, back["ra"].meta["ucd"]) == ("about ra", "meta.id")
    assert back["flux"].description == "about flux [nmgy]"


def test_numbers_beyond_63_bits_of_a_parquet_never_become_floats(tmp_path):
    (tmp_path / "x.parquet").write_bytes(written("parquet", pd.DataFrame({"a": IDS["uint64"]})))
    assert Table.read(tmp_path / "x.parquet")["a"].tolist() == IDS["uint64"].tolist()
    with pytest.raises(TableMergeError):  # where a float would be without a word
        Table.read(tmp_path / "x.parquet", format="parquet.votable")


@pytest.mark.parametrize(
    ("unit", "written_as"),
    [("mag(AB)", "mag"), ("uJy", "uJy"), ("dex(solMass)", None), ("nonsense", None)],
)
def test_units_in_fits_are_those_that_readers_know(unit, written_as):
    body = written("fits", pd.DataFrame({"a": [1.0]}), {"a": unit})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = Table.read(io.BytesIO(body), format="fits")
    assert (table["a"].unit and table["a"].unit.to_string()) == written_as


def test_text_that_fits_cannot_hold_is_refused_with_its_column():
    table = pd.DataFrame({"object_id": ["Ångström"]})
    with pytest.raises(DataError, match=r"column 'object_id': 'Ångström' .* --format ecsv"):
        written("fits", table)
    assert "Ångström" in written("csv", table).decode()


def test_a_long_text_of_a_fits_header_is_whole_and_announced():
    about = "what this column holds, told at length: " * 4
    exported = Exported.of_table(pd.DataFrame({"a": [1.0]}), {"a": Field(about.strip())})
    header = fits.getheader(io.BytesIO(b"".join(file_parts("fits", exported, TOLD))), 1)
    assert (header["TCOMM1"], header["LONGSTRN"]) == (about.strip(), "OGIP 1.0")


def test_a_column_of_nothing_is_no_trouble(tmp_path):
    table = pd.DataFrame({"a": ["", ""], "b": [np.nan, np.nan]})
    for name in FORMATS:
        assert len(read(name, written(name, table), tmp_path)) == 2


def test_the_same_table_is_the_same_file_also_when_compressed():
    table = pd.DataFrame({"a": [1, 2]})
    for name in FORMATS:
        assert written(name, table) == written(name, table)
    assert gzip.decompress(written("csv", table, zipped=True)) == written("csv", table)


@pytest.mark.parametrize(
    ("file", "wanted", "name"),
    [
        ("a.fits", None, "fits"),
        ("a.b.ecsv", None, "ecsv"),
        ("a.csv.gz", None, "csv"),
        ("a.vot.gz", None, "votable"),
        ("a.xml", None, "votable"),
        ("a.dat", "fits", "fits"),
        ("a.csv", "ecsv", "ecsv"),
    ],
)
def test_the_ending_says_the_format_unless_it_is_named(tmp_path, file, wanted, name):
    assert format_of(tmp_path / file, wanted) == name


@pytest.mark.parametrize(
    ("file", "wanted", "why"),
    [
        ("a.fit", None, "add --format; did you mean 'fits'?"),
        ("a", None, "its ending is no format"),
        ("a.parquet.gz", None, "leave .gz out"),
        ("a.csv", "fitz", "no format is called 'fitz'; did you mean 'fits'?"),
    ],
)
def test_a_format_that_there_is_not_is_refused(tmp_path, file, wanted, why):
    with pytest.raises(ConfigError) as error:
        format_of(tmp_path / file, wanted)
    assert why in str(error.value)


@pytest.mark.parametrize(("name", "text"), [("fits", "a "), ("ecsv", " a"), ("ecsv", "a ")])
def test_text_whose_blanks_a_format_drops_is_refused_with_its_column(name, text):
    table = pd.DataFrame({"object_id": [text, "a"]})
    with pytest.raises(DataError, match=r"column 'object_id': .* blank, .* csv or parquet"):
        written(name, table)


def test_a_name_that_fits_cannot_hold_is_refused():
    with pytest.raises(DataError, match=r"the name of column 'é' is not ASCII"):
        written("fits", pd.DataFrame({"é": [1.0]}))
