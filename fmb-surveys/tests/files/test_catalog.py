"""Catalogues: positions in degrees whatever the file has, records, columns of any kind."""

import h5py
import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import Angle
from astropy.table import Table

from fmb import DataError

RA, DEC = (
    np.array([10.684708, 350.25, 0.0, 201.3651, 83.82208, 150.1]),
    np.array([41.26875, -0.5, -89.9, -43.0191, -5.391111, 2.2]),
)


def in_table(files, **columns):
    """The same survey with a catalogue of its own; inputs are matched by id."""
    files.toml["catalog"] = {"file": "cat.ecsv", "id": "id", "ra": "ra", "dec": "dec"}
    for source in (files.cam, files.spec):
        source["id"] = "id"
    table = Table({"id": files.arrays["id"], **columns})
    table.write(files.folder / "cat.ecsv", overwrite=True)


def positions(files):
    catalog = files.open().catalog
    assert catalog.attrs["units"] == {**catalog.attrs["units"], "ra": "deg", "dec": "deg"}
    return catalog["ra"].to_numpy(), catalog["dec"].to_numpy()


@pytest.mark.parametrize(
    ("ra_unit", "dec_unit"),
    [("deg", "deg"), ("rad", "rad"), ("hourangle", "deg"), ("arcsec", "arcmin"), ("mas", "mas")],
)
@pytest.mark.parametrize("kind", [str, np.bytes_])
def test_an_angle_in_any_unit_becomes_degrees(files, ra_unit, dec_unit, kind):
    files.arrays["ra"] = (RA * u.deg).to_value(ra_unit)
    files.arrays["dec"] = (DEC * u.deg).to_value(dec_unit)
    files.write()
    with h5py.File(files.folder / "data.h5", "a") as file:
        file["ra"].attrs["unit"] = kind(ra_unit)
        file["dec"].attrs["units"] = kind(dec_unit)
    catalog = files.reopen().catalog
    assert np.allclose(catalog["ra"], RA, rtol=0, atol=1e-12 * 360)
    assert np.allclose(catalog["dec"], DEC, rtol=0, atol=1e-12 * 360)
    assert catalog.attrs["units"]["ra"] == "deg"


def test_the_survey_file_says_a_unit_where_the_file_does_not(files):
    files.arrays.update(ra=np.radians(RA), dec=np.radians(DEC))
    files.toml["catalog"]["units"] = {"ra": "rad", "dec": "rad"}
    ra, dec = positions(files)
    assert np.allclose(ra, RA, atol=1e-10)
    assert np.allclose(dec, DEC, atol=1e-10)


def test_a_unit_that_contradicts_the_file_is_refused(files):
    files.toml["catalog"]["units"] = {"ra": "rad"}
    files.write()
    with h5py.File(files.folder / "data.h5", "a") as file:
        file["ra"].attrs["unit"] = "deg"
    with pytest.raises(DataError, match=r"'ra' is in 'deg' .* in 'rad' by units\.ra"):
        files.reopen()


@pytest.mark.parametrize("mark", [":", "hms", " "])
def test_sexagesimal_positions_become_degrees(files, mark):
    sep = {":": ":", "hms": "fromunit", " ": " "}[mark]
    ra = Angle(RA, u.deg).to_string(u.hourangle, sep=sep, precision=6)
    dec = Angle(DEC, u.deg).to_string(u.deg, sep=sep, precision=5)
    in_table(files, ra=ra, dec=dec)
    read_ra, read_dec = positions(files)
    assert np.allclose(read_ra, RA, atol=1e-8)
    assert np.allclose(read_dec, DEC, atol=1e-8)


def test_text_that_is_no_position_is_named_with_its_row(files):
    ra = [f"{value}" for value in RA]
    ra[3] = "unknown"
    in_table(files, ra=ra, dec=DEC)
    with pytest.raises(DataError, match=r"cat\.ecsv: column 'ra' holds 'unknown' in row 3"):
        files.open()


def test_positions_that_look_like_radians_are_doubted_and_nothing_is_guessed(files):
    files.arrays.update(ra=np.radians(RA), dec=np.radians(DEC))
    dataset = files.open()
    assert np.array_equal(dataset.catalog["ra"], np.radians(RA))
    assert any('units = { ra = "rad", dec = "rad" }' in text for text in dataset.warnings)


def test_positions_that_cannot_be_radians_are_not_doubted(files):
    files.arrays.update(ra=RA, dec=DEC)
    assert not files.open().warnings


def test_columns_of_hdf5_are_the_numbers_that_the_file_means(files):
    files.arrays["mag"] = np.array([2000, 2150, -999, 1900, 2200, 1], dtype=">i2")
    files.arrays["count"] = np.array([0, 1, 2, 3, 4, 65535], dtype="<u2")
    files.toml["catalog"]["columns"] = ["mag", "count"]
    files.write()
    with h5py.File(files.folder / "data.h5", "a") as file:
        file["mag"].attrs.update(scale_factor=0.01, _FillValue=np.int16(-999), unit=b"mag")
        file["count"].attrs["BZERO"] = 32768
    catalog = files.reopen().catalog
    assert np.allclose(catalog["mag"], [20, 21.5, np.nan, 19, 22, 0.01], equal_nan=True)
    assert catalog["count"].tolist() == [32768, 32769, 32770, 32771, 32772, 98303]
    assert catalog.attrs["units"]["mag"] == "mag"


def test_a_table_of_records_in_hdf5_is_a_catalogue(files):
    kind = [("id", "i8"), ("ra", ">f8"), ("dec", "f8"), ("class", "S8"), ("vector", "f4", (3,))]
    table = np.zeros(6, dtype=kind)
    table["id"], table["ra"], table["dec"] = files.arrays["id"], RA, DEC
    table["class"] = [b"NA", b"None", b"null", b"QSO     ", b"STAR", b"GALAXY"]
    files.arrays["table"] = table
    files.toml["catalog"] = {"id": "table/id", "ra": "table/ra", "dec": "table/dec"}
    files.toml["catalog"]["columns"] = "all"
    dataset = files.open()
    assert dataset.ids.tolist() == files.arrays["id"].tolist()
    assert np.array_equal(dataset.catalog["ra"], RA)
    assert dataset.catalog["class"].tolist() == ["NA", "None", "null", "QSO", "STAR", "GALAXY"]
    assert "vector" not in dataset.catalog


@pytest.mark.parametrize(
    ("column", "values", "pattern"),
    [
        (
            "table",
            np.zeros(6, dtype=[("a", "i4")]),
            r"'table' is a table; name its columns: table/a",
        ),
        ("table/b", np.zeros(6, dtype=[("a", "i4")]), r"'table' has no field 'b'"),
        ("table/a", np.zeros(6, dtype=[("a", "c8")]), r"table/a' has type complex64, expected"),
        ("z", np.zeros(6, dtype="c16"), r"'/z' has type complex128, expected numbers"),
        ("pair", np.zeros((6, 2)), r"column 'pair' has shape \(6, 2\) for 6 ids"),
        ("text", np.array([b"\xff\xfe"] * 6), r"'text' holds bytes that are no text \(UTF-8\)"),
    ],
)
def test_a_column_that_holds_no_single_value_is_named(files, column, values, pattern):
    files.arrays[column.partition("/")[0]] = values
    files.toml["catalog"]["columns"] = [column]
    with pytest.raises(DataError, match=pattern):
        files.open()


def test_columns_left_out_of_all_are_told(files):
    in_table(files, ra=RA, dec=DEC, coefficients=np.ones((6, 4)), z=np.ones(6, dtype=complex))
    files.toml["catalog"]["columns"] = "all"
    dataset = files.open()
    assert list(dataset.catalog) == ["ra", "dec"]
    (told,) = dataset.warnings
    assert "coefficients (arrays of shape (4,)), z (complex numbers)" in told


def test_labels_that_look_like_nothing_stay_labels(files):
    labels = ["NA", "None", "null", "", "nan", "QSO"]
    lines = [f"{i},{label}" for i, label in zip(files.arrays["id"], labels, strict=True)]
    (files.folder / "cat.csv").write_text("\n".join(["id,class", *lines]))
    files.toml["catalog"] = {"file": "cat.csv", "id": "id", "label": "class"}
    for source in (files.cam, files.spec):
        source["id"] = "id"
    assert files.open().catalog["label"].tolist() == labels


@pytest.mark.parametrize(("unit", "in_degrees"), [("rad", 180 / np.pi), ("hourangle", 15), ("", 1)])
def test_numbers_with_a_leading_zero_are_in_their_unit_too(files, unit, in_degrees):
    numbers = np.array([1.5, 2.25, 0.5, 3.0, 0.125, 2.0])
    lines = [f"{i},{ra:08.5f},0.5" for i, ra in zip(files.arrays["id"], numbers, strict=True)]
    (files.folder / "cat.csv").write_text("\n".join(["id,ra,dec", *lines]))
    files.toml["catalog"] = {"file": "cat.csv", "id": "id", "ra": "ra", "dec": "dec"}
    if unit:
        files.toml["catalog"]["units"] = {"ra": unit}
    for source in (files.cam, files.spec):
        source["id"] = "id"
    assert np.allclose(files.open().catalog["ra"], numbers * in_degrees, rtol=1e-12)
    lines[0] = lines[0].replace("01.50000", "010.5 ")  # as text, which one bad number makes it
    lines[1] = lines[1].replace("02.25000", "0002")
    (files.folder / "cat.csv").write_text("\n".join(["id,ra,dec", *lines]))
    numbers[:2] = 10.5, 2
    assert np.allclose(files.reopen().catalog["ra"], numbers * in_degrees, rtol=1e-12)


def test_sexagesimal_text_in_radians_contradicts_itself(files):
    in_table(files, ra=["10:20:30"] * 6, dec=DEC)
    files.toml["catalog"]["units"] = {"ra": "rad"}
    with pytest.raises(DataError, match=r"'ra' is in 'rad' and holds '10:20:30' in row 0"):
        files.open()
