"""What a file says is no value is none: its object has no vector, and is counted."""

import gzip

import h5py
import numpy as np
import pytest
from astropy.io import fits

from fmb.own.vector_file import open_vector_file
from fmb.store.digests import Digests
from fmb.vectors.asked import OwnVectors

N, D = 12, 9
IDS = 100 + np.arange(N)
VALUES = np.random.default_rng(2).integers(-90, 90, (N, D))
WITHOUT = ["1 object has no {} vector, missing or not finite: 103"]


def read(path, **options):
    return open_vector_file(OwnVectors(file=str(path), **options), Digests(path.parent / "work"))


def only(survey):
    (view,) = survey.vectors.values()
    return view


def with_gap(kind, gap):
    values = VALUES.astype(kind)
    values[3, 4] = gap
    return values


@pytest.mark.parametrize("kind", ["f4", ">f8", "i2"])
@pytest.mark.parametrize("attribute", ["_FillValue", "missing_value"])
@pytest.mark.parametrize("chunks", [None, (5, 2)])
@pytest.mark.parametrize("apart", [False, True], ids=["matrix", "numbered"])
def test_a_fill_value_among_vectors_of_hdf5_is_no_value(tmp_path, kind, attribute, chunks, apart):
    values = with_gap(kind, -999)
    with h5py.File(tmp_path / "v.h5", "w") as file:
        file["object_id"] = IDS
        parts = {f"f{i}": values[:, i] for i in range(D)} if apart else {"f": values}
        for name, held in parts.items():
            size = None if chunks is None else chunks[: held.ndim]
            dataset = file.create_dataset(name, data=held, chunks=size)
            dataset.attrs[attribute] = np.array([-999], kind)
    survey = read(tmp_path / "v.h5")
    assert survey.warnings == [WITHOUT[0].format("f")]
    assert only(survey).values.tolist() == np.delete(VALUES, 3, axis=0).tolist()


def test_vectors_whose_fill_value_is_nan_stay_where_they_lie(tmp_path):
    with h5py.File(tmp_path / "v.h5", "w") as file:
        file["object_id"] = IDS
        file.create_dataset("f", data=with_gap("f4", np.nan)).attrs["_FillValue"] = np.float32(
            "nan"
        )
    survey = read(tmp_path / "v.h5")
    assert survey.warnings == [WITHOUT[0].format("f")]
    (part,) = only(survey).parts
    assert isinstance(part, np.memmap)


@pytest.mark.parametrize("ending", ["fits", "fits.gz"])
@pytest.mark.parametrize("apart", [False, True], ids=["matrix", "numbered"])
@pytest.mark.parametrize("scale", [1, 0.5])
def test_a_null_among_vectors_of_fits_is_no_value(tmp_path, ending, apart, scale):
    path, values = tmp_path / f"v.{ending}", with_gap("i2", -999)
    columns = (
        [fits.Column(f"f{i}", "I", null=-999, array=values[:, i]) for i in range(D)]
        if apart
        else [fits.Column("f", f"{D}I", null=-999, array=values)]
    )
    ids = fits.Column("object_id", "K", array=IDS)
    fits.BinTableHDU.from_columns([ids, *columns]).writeto(path)
    for number in range(len(columns) if scale != 1 else 0):
        fits.setval(path, f"TSCAL{number + 2}", value=scale, ext=1)
    survey = read(path)
    assert survey.warnings == [WITHOUT[0].format("f")]
    assert only(survey).values.tolist() == (np.delete(VALUES, 3, axis=0) * scale).tolist()


@pytest.mark.parametrize("ending", ["fits", "fits.gz"])
def test_yes_and_no_of_fits_are_one_and_zero_and_neither_is_no_value(tmp_path, ending):
    path, truth = tmp_path / f"v.{ending}", VALUES > 0
    table = fits.BinTableHDU.from_columns(
        [
            fits.Column("object_id", "K", array=IDS),
            fits.Column("f", f"{D}L", array=truth),
            fits.Column("flag", "L", array=truth[:, 0]),
        ]
    )
    table.writeto(tmp_path / "plain.fits")
    with fits.open(tmp_path / "plain.fits") as plain:
        row, start = plain[1].header["NAXIS1"], plain.fileinfo(1)["datLoc"]
    content = bytearray((tmp_path / "plain.fits").read_bytes())
    content[start + 3 * row + 8 + 4] = 0  # behind the eight bytes of the id
    path.write_bytes(gzip.compress(content) if ending == "fits.gz" else content)
    survey = read(path)
    assert survey.warnings == [WITHOUT[0].format("f")]
    assert only(survey).values.tolist() == np.delete(truth, 3, axis=0).astype(float).tolist()
    assert survey.catalog["flag"].tolist() == truth[:, 0].tolist()


def test_single_bits_of_fits_are_left_out_by_name(tmp_path):
    columns = [
        fits.Column("object_id", "K", array=IDS),
        fits.Column("f", f"{D}E", array=VALUES),
        fits.Column("bits", "16X", array=np.ones((N, 16), bool)),
    ]
    fits.BinTableHDU.from_columns(columns).writeto(tmp_path / "v.fits")
    survey = read(tmp_path / "v.fits")
    assert [name.view for name in survey.vectors] == ["f"]
    assert survey.warnings == [f"{tmp_path}/v.fits: left out bits (single bits)"]


@pytest.mark.parametrize(("name", "told"), [("", "table 1"), ("EARLY", "table 1, EARLY,")])
def test_of_several_tables_of_fits_a_note_says_which_is_read(tmp_path, name, told):
    def table(rows):
        columns = [
            fits.Column("object_id", "K", array=IDS[rows]),
            fits.Column("f", f"{D}E", array=VALUES[rows]),
        ]
        return fits.BinTableHDU.from_columns(columns, name=name or None)

    tables = [table(slice(6)), table(slice(6, N))]
    fits.HDUList([fits.PrimaryHDU(), *tables]).writeto(tmp_path / "v.fits")
    survey = read(tmp_path / "v.fits")
    assert survey.warnings == [f"v.fits holds 2 tables; {told} is read"]
    assert survey.ids.tolist() == IDS[:6].tolist()
