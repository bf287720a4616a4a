"""Tables as astropy writes them: scaled, masked, of positions and times, several in a file."""

import gzip

import h5py
import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import MaskedColumn
from astropy.table import Table as AstropyTable
from astropy.time import Time

from fmb import DataError
from fmb.files import Stated, meant, read_column, read_table


def test_scaled_shifted_and_masked_columns_of_fits_have_the_values_that_fits_defines(tmp_path):
    stored = np.array([-32768, -1, 0, 7, 32767], dtype=">i2")
    columns = [
        fits.Column("scaled", "I", array=stored),
        fits.Column("unsigned", "I", array=stored.astype(np.int64) + 32768, bzero=32768),
        fits.Column("holed", "J", array=np.array([1, -99, 3, 4, 5]), null=-99),
        fits.Column("flag", "L", array=np.array([True, False, True, True, False])),
        fits.Column("name", "6A", array=["a", "b b", "NA", "None", "null"]),
        fits.Column("pair", "2E", array=np.ones((5, 2))),
        fits.Column("z", "M", array=np.ones(5, dtype=complex)),
    ]
    path = tmp_path / "t.fits"
    fits.BinTableHDU.from_columns(columns).writeto(path)
    for key, value in (("TSCAL1", 0.5), ("TZERO1", 3.0)):
        fits.setval(path, key, value=value, ext=1)
    packed = tmp_path / "t.fits.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    for file in (path, packed):
        table = read_table(file)
        assert np.asarray(table.columns["scaled"]).tolist() == (stored * 0.5 + 3.0).tolist()
        assert np.asarray(table.columns["unsigned"]).tolist() == [0, 32767, 32768, 32775, 65535]
        holed = table.columns["holed"]
        assert holed.isna().tolist() == [False, True, False, False, False]
        assert [int(v) for v in holed[~holed.isna()]] == [1, 3, 4, 5]
        assert table.columns["flag"].tolist() == [True, False, True, True, False]
        assert table.columns["name"].tolist() == ["a", "b b", "NA", "None", "null"]
        assert table.unread == {"pair": "arrays of shape (2,)", "z": "complex numbers"}


def test_positions_and_times_of_astropy_are_named_where_they_are_asked_for(tmp_path):
    place = SkyCoord([1, 2] * u.deg, [3, 4] * u.deg)
    when = Time([60000, 60001], format="mjd")
    AstropyTable({"id": [1, 2], "place": place, "when": when}).write(tmp_path / "t.ecsv")
    table = read_table(tmp_path / "t.ecsv")
    assert table.ids("id").tolist() == [1, 2]
    with pytest.raises(DataError, match="column 'place' holds SkyCoord objects"):
        table.column("place")


def test_the_first_of_several_tables_of_a_fits_file_is_read_and_it_is_said(tmp_path):
    tables = [AstropyTable({"id": [n]}) for n in (1, 2)]
    hdus = [fits.table_to_hdu(table) for table in tables]
    for hdu, name in zip(hdus, ("REDSHIFTS", "FIBERMAP"), strict=True):
        hdu.name = name
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(tmp_path / "t.fits")
    table = read_table(tmp_path / "t.fits")
    assert table.ids("id").tolist() == [1]
    assert table.notes == ("t.fits holds 2 tables; the first, REDSHIFTS, is read",)


@pytest.mark.parametrize("name", ["t.parquet", "t.h5"])
def test_what_astropy_masks_is_missing_where_a_format_has_no_masks(tmp_path, name):
    table = AstropyTable({"id": [1, 2, 3]})
    table["mag"] = MaskedColumn([20.0, 21.0, 22.0], mask=[0, 1, 0], unit="mag")
    table["n"] = MaskedColumn([4, 5, 6], mask=[0, 0, 1])
    table["name"] = MaskedColumn(["a", "b", "c"], mask=[1, 0, 0])
    path = tmp_path / name
    if name == "t.parquet":
        table.write(path)
        read = read_table(path)
        assert list(read.columns) == ["id", "mag", "n", "name"]
        assert read.units == {"mag": "mag"}
        columns = read.columns
    else:
        table.write(path, path="data", serialize_meta=True)
        with h5py.File(path) as file:
            columns = {
                one: meant(read_column(file, f"data/{one}")[0], Stated())
                for one in ("mag", "n", "name")
            }
    assert np.isnan(columns["mag"]).tolist() == [False, True, False]
    assert columns["n"].isna().tolist() == [False, False, True]
    assert columns["name"].tolist() == [None, "b", "c"]
