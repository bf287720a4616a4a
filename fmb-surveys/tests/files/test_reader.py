"""What a survey file describes comes back as the file has it: values, ids, masks, units."""

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmb import DataError
from fmb.files import read_rows


def everything(dataset):
    return dataset.read(np.arange(len(dataset)))


def test_arrays_come_back_as_the_file_has_them(files):
    batch = everything(files.open())
    cam, spec = batch.inputs["cam"], batch.inputs["spec"]
    assert np.array_equal(cam.flux, files.arrays["image"])
    assert np.array_equal(spec.flux, files.arrays["flux"])
    assert np.array_equal(spec.ivar, files.arrays["ivar"])
    assert np.array_equal(spec.wavelength_aa, files.arrays["wave"])
    assert cam.bands == ("G", "R")
    assert cam.unit == "nmgy"
    assert not spec.mask.any()
    assert cam.band_valid.all()


@given(st.permutations(range(6)), st.integers(1, 6))
def test_rows_in_any_order_give_the_same_objects(tmp_path_factory, order, count):
    rows = np.array(order[:count])
    folder = tmp_path_factory.getbasetemp() / "any-order"
    path = folder / "rows.h5"
    if not folder.exists():
        folder.mkdir()
        with h5py.File(path, "w") as file:
            values = np.arange(6 * 5).reshape(6, 5)
            file.create_dataset("chunked", data=values, chunks=(2, 3), compression="gzip")
            file.create_dataset("contiguous", data=values)
    with h5py.File(path) as file:
        for name in ("chunked", "contiguous"):
            assert np.array_equal(read_rows(file[name], rows), file[name][()][rows])


def test_a_row_asked_for_twice_comes_twice(files):
    flux = files.open().read(np.array([3, 3, 5])).inputs["cam"].flux
    assert np.array_equal(flux, files.arrays["image"][[3, 3, 5]])


def test_no_rows_are_no_objects_of_the_same_shape(files):
    batch = files.open().read(np.arange(0))
    assert batch.inputs["cam"].flux.shape == (0, 2, 8, 9)
    assert batch.inputs["cam"].band_valid.shape == (0, 2)
    assert batch.inputs["spec"].flux.shape == (0, files.arrays["flux"].shape[1])


def test_only_the_inputs_asked_for_are_read(files):
    batch = files.open().read(np.array([2]), ["spec"])
    assert list(batch.inputs) == ["spec"]
    with pytest.raises(DataError, match="no input is called 'spek'; did you mean 'spec'"):
        files.reopen().read(np.array([2]), ["spek"])


def test_one_band_needs_no_band_axis(files):
    files.arrays["image"] = files.arrays["image"][:, 0]
    files.cam["bands"] = ["VIS"]
    cam = everything(files.open()).inputs["cam"]
    assert np.array_equal(cam.flux[:, 0], files.arrays["image"])


def test_pictures_keep_their_grey_levels_and_are_called_not_photometric(files):
    files.arrays["image"] = np.arange(6 * 2 * 8 * 9, dtype=np.uint8).reshape(6, 2, 8, 9)
    files.cam["unit"] = "display"
    dataset = files.open()
    assert np.array_equal(everything(dataset).inputs["cam"].flux, files.arrays["image"])
    assert everything(dataset).inputs["cam"].flux.dtype == np.float32
    assert not dataset.inputs["cam"].calibrated
    [warning] = dataset.warnings
    assert warning.startswith("not photometric: display-stretched images carry no flux scale")


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        (2**62 + np.arange(6), 2**62 + np.arange(6)),
        (np.arange(2**64 - 6, 2**64 - 1, dtype=np.uint64), None),
        (np.array([-(2**63), -1, 0, 1, 2, 3]), None),
        (np.array([b"a", b"b", b"c", b"d", b"e", b"f-\xc3\xa9"]), ["a", "b", "c", "d", "e", "f-é"]),
        (np.array(list("abcdef"), dtype=object), list("abcdef")),
    ],
    ids=["int64", "uint64", "negative", "bytes", "text"],
)
def test_ids_keep_every_digit_and_letter(files, stored, read):
    for name in files.arrays:
        files.arrays[name] = files.arrays[name][: len(stored)]
    files.arrays["id"] = stored
    ids = files.open().ids
    assert ids.tolist() == (list(read) if read is not None else stored.tolist())
    assert ids.dtype.kind == (stored.dtype.kind if stored.dtype.kind in "iu" else "U")


def test_the_catalogue_has_roles_columns_and_units(files):
    files.toml["catalog"]["redshift"] = "mag"
    files.toml["catalog"]["units"] = {"mag": "mag"}
    catalog = files.open().catalog
    assert list(catalog.columns) == ["ra", "dec", "redshift", "mag", "kind"]
    assert catalog["kind"].tolist() == files.arrays["kind"].tolist()
    assert np.array_equal(catalog["redshift"], files.arrays["mag"])
    assert catalog.attrs["units"] == {"ra": "deg", "dec": "deg", "mag": "mag"}


def test_all_columns_are_those_beside_the_ids(files):
    files.toml["catalog"]["columns"] = "all"
    files.arrays["elsewhere/z"] = np.zeros(6)
    assert list(files.open().catalog.columns) == ["ra", "dec", "kind", "mag"]


def test_an_error_becomes_ivar_and_what_is_not_positive_is_masked(files):
    error = np.full((6, 40), 0.5)
    error[0, :3] = 0.0, -1.0, np.nan
    files.arrays["sigma"] = error
    del files.spec["ivar"]
    files.spec["error"] = "sigma"
    spec = everything(files.open()).inputs["spec"]
    assert spec.ivar[0, :4].tolist() == [0.0, 0.0, 0.0, 4.0]
    assert spec.mask[0, :4].tolist() == [True, True, True, False]


def test_log_wavelengths_and_nanometres_become_angstrom(files):
    files.arrays["loglam"] = np.log10(files.arrays["wave"])
    del files.spec["wavelength"]
    files.spec["loglam"] = "loglam"
    grid = everything(files.open()).inputs["spec"].wavelength_aa
    assert np.allclose(grid, files.arrays["wave"], rtol=1e-12)  # one log10 and its inverse
    del files.spec["loglam"]
    files.spec.update(wavelength="wave", wavelength_unit="nm")
    grid = everything(files.open()).inputs["spec"].wavelength_aa
    assert np.allclose(grid, 10.0 * files.arrays["wave"], rtol=1e-12)  # astropy's factor


def test_a_shared_grid_stays_shared(files):
    files.arrays["wave"] = files.arrays["wave"][0]
    dataset = files.open()
    assert everything(dataset).inputs["spec"].wavelength_aa.shape == (40,)
    assert dataset.inputs["spec"].wavelength_aa == (
        files.arrays["wave"][0],
        files.arrays["wave"][-1],
    )


def test_masks_count_any_bit_and_good_is_their_opposite(files):
    bits = np.zeros((6, 40), dtype=np.int32)
    bits[1, 4] = 1024
    files.arrays["bits"] = bits
    files.spec["mask"] = "bits"
    assert np.argwhere(everything(files.open()).inputs["spec"].mask).tolist() == [[1, 4]]
    del files.spec["mask"]
    files.spec["good"] = "bits"
    good = ~everything(files.open()).inputs["spec"].mask
    assert np.argwhere(good).tolist() == [[1, 4]]


def test_pixels_without_flux_ivar_or_wavelength_are_masked(files):
    files.arrays["flux"][0, 3] = np.nan
    files.arrays["ivar"][1, 4] = 0.0
    files.arrays["wave"][2, -2:] = -1.0  # padding
    files.arrays["ivar"][2, -2:] = 0.0
    mask = everything(files.open()).inputs["spec"].mask
    assert np.argwhere(mask).tolist() == [[0, 3], [1, 4], [2, 38], [2, 39]]


@pytest.mark.parametrize("wrong", [-1.0, np.nan, 4000.0])
def test_a_good_pixel_at_an_impossible_wavelength_masks_the_whole_spectrum(files, wrong):
    files.arrays["wave"][2, 20] = wrong
    mask = everything(files.open()).inputs["spec"].mask
    assert mask[2].all()
    assert not np.delete(mask, 2, axis=0).any()


def test_a_stored_value_can_mean_missing(files):
    files.arrays["image"][0, 0, 0, 0] = -99
    files.arrays["flux"][1, 2] = -99
    files.cam["missing"] = files.spec["missing"] = -99.0
    batch = everything(files.open())
    assert np.argwhere(np.isnan(batch.inputs["cam"].flux)).tolist() == [[0, 0, 0, 0]]
    assert np.argwhere(batch.inputs["spec"].mask).tolist() == [[1, 2]]


def test_a_scale_multiplies_the_stored_flux(files):
    files.arrays["image"] = np.arange(6 * 2 * 8 * 9, dtype=np.int16).reshape(6, 2, 8, 9)
    files.cam["scale"] = 0.5
    assert np.array_equal(everything(files.open()).inputs["cam"].flux, 0.5 * files.arrays["image"])


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".fits", ".ecsv"])
def test_a_catalogue_may_be_a_table_and_ids_stay_exact(files, suffix):
    from astropy.table import Table

    ids = files.arrays["id"] = np.array([2**62 + 1, -5, 7, 2**53 + 1, 0, 9])
    path = files.folder / f"cat{suffix}"
    table = Table({"TARGETID": ids, "RA": files.arrays["ra"], "DEC": files.arrays["dec"]})
    table["partner"] = np.ma.array(ids[::-1], mask=[0, 1, 0, 0, 0, 0])
    table["kind"] = [str(k) for k in files.arrays["kind"]]
    table["RA"].unit = "deg"
    if suffix == ".parquet":
        table.to_pandas().to_parquet(path)
    else:
        table.write(path, format={".csv": "ascii.csv", ".ecsv": "ascii.ecsv"}.get(suffix))
    files.toml["catalog"] = {
        "file": path.name,
        "id": "TARGETID",
        "ra": "RA",
        "dec": "DEC",
        "columns": "all",
    }
    for source in (files.cam, files.spec):
        source["id"] = "id"
    dataset = files.open()
    assert dataset.ids.tolist() == ids.tolist()
    assert dataset.ids.dtype == np.int64
    partner = dataset.catalog["partner"]
    assert partner.isna().tolist() == [False, True, False, False, False, False]
    assert [int(p) for p in partner.dropna()] == ids[::-1][[0, 2, 3, 4, 5]].tolist()
    assert dataset.catalog["kind"].tolist() == files.arrays["kind"].tolist()
    assert np.array_equal(everything(dataset).inputs["cam"].flux, files.arrays["image"])
