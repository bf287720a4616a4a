"""What a survey file describes comes back as the file has it: values, ids, masks, units."""

import os
import pickle
import warnings

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmb import ConfigError, DataError, ShapeError
from fmb.files import read_rows
from fmb_surveys.files.identity import fingerprint

FIELDS = ("flux", "ivar", "mask", "wavelength_aa", "band_valid")


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


def test_objects_that_were_not_observed_are_absent_not_zero(files):
    files.arrays["seen"] = np.array([1, 0, 1, 1, 0, 1], dtype=bool)
    files.spec["present"] = "seen"
    dataset = files.open()
    assert dataset.inputs["spec"].present.tolist() == files.arrays["seen"].tolist()
    assert dataset.inputs["cam"].present is None
    batch = dataset.read(np.array([4, 3, 1, 0]))
    assert batch.rows["spec"].tolist() == [1, 3]
    assert np.array_equal(batch.inputs["spec"].flux, files.arrays["flux"][[3, 0]])


def test_a_batch_without_any_observation_has_empty_inputs(files):
    files.arrays["seen"] = np.array([1, 0, 1, 1, 0, 1], dtype=bool)
    files.spec["present"] = "seen"
    batch = files.open().read(np.array([4, 1]))
    assert batch.inputs["spec"].flux.shape == (0, 40)
    assert batch.rows["spec"].tolist() == []


def test_absent_bands_are_marked(files):
    files.arrays["image"][2, 1] = np.nan
    valid = everything(files.open()).inputs["cam"].band_valid
    assert np.argwhere(~valid).tolist() == [[2, 1]]
    files.arrays["have"] = np.ones((6, 2), dtype=bool)
    files.arrays["have"][4, 0] = False
    files.cam["band_valid"] = "have"
    assert np.argwhere(~everything(files.open()).inputs["cam"].band_valid).tolist() == [[4, 0]]


def test_rows_of_another_file_are_matched_by_id(files, make_h5):
    order = np.array([3, 0, 5, 1])
    others = {name: files.arrays[name][order] for name in ("flux", "ivar", "wave")}
    others["target"] = files.arrays["id"][order].astype(np.uint64)
    others["target"][3] = 77  # belongs to no object
    make_h5(files.folder / "spectra.h5", others)
    files.spec.update(file="spectra.h5", id="target")
    dataset = files.open()
    assert np.flatnonzero(dataset.inputs["spec"].present).tolist() == [0, 3, 5]
    spec = dataset.read(np.array([5, 4, 0])).inputs["spec"]
    assert np.array_equal(spec.flux, files.arrays["flux"][[5, 0]])
    assert "spec: 1 rows belong to no object of the catalogue" in dataset.warnings


def test_rows_of_another_file_are_never_matched_by_order_unless_declared(files, make_h5):
    make_h5(files.folder / "spectra.h5", files.arrays)
    files.spec["file"] = "spectra.h5"
    with pytest.raises(ConfigError, match=r"inputs\.spec is in another file .* same_order = true"):
        files.open()
    files.spec["same_order"] = True
    assert np.array_equal(everything(files.open()).inputs["spec"].flux, files.arrays["flux"])


def test_each_object_may_have_a_file_of_its_own(files, make_h5):
    names = [f"s{row}.h5" for row in range(6)]
    for row in (0, 2, 5):
        one = {name: files.arrays[name][row] for name in ("flux", "ivar", "wave")}
        make_h5(files.folder / names[row], one)
    have = [names[row] if row in (0, 2, 5) else None for row in range(6)]
    table = pd.DataFrame({"object_id": files.arrays["id"], "spec": have})
    table.to_parquet(files.folder / "rows.parquet")
    files.spec["files"] = "rows.parquet"
    dataset = files.open()
    batch = dataset.read(np.array([5, 1, 0]))
    assert batch.rows["spec"].tolist() == [0, 2]
    assert np.array_equal(batch.inputs["spec"].flux, files.arrays["flux"][[5, 0]])
    make_h5(files.folder / "s5.h5", {n: np.ones(3) for n in ("flux", "ivar", "wave")})
    with pytest.raises(ShapeError, match=r"s5\.h5: 'wave' has shape \(3,\)"):
        files.reopen().read(np.array([0, 5]))


def test_a_dataset_pickles_without_open_files_and_reads_again(files):
    dataset = files.open()
    before = everything(dataset)
    after = everything(pickle.loads(pickle.dumps(dataset)))
    for name, data in before.inputs.items():
        for field in FIELDS:
            assert np.array_equal(
                getattr(data, field, None), getattr(after.inputs[name], field, None)
            )


def test_a_forked_process_opens_the_files_of_its_own(files, monkeypatch):
    """An HDF5 handle that two processes share reads from where the other one left it."""
    dataset = files.open()
    everything(dataset)
    opened, honest = [], h5py.File
    monkeypatch.setattr(
        h5py, "File", lambda *args, **kw: opened.append(args) or honest(*args, **kw)
    )
    everything(dataset)
    assert opened == []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads
        child = os.fork()
    if not child:
        code = 99
        try:
            same = np.array_equal(everything(dataset).inputs["cam"].flux, files.arrays["image"])
            code = len(opened) if same else 98
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2  # images and spectra


def test_identity_is_mapping_and_content_not_place(files, tmp_path):
    first = files.open().identity
    moved = tmp_path / "elsewhere"
    files.folder.rename(moved)
    files.folder = moved
    assert files.reopen().identity == first
    files.cam["unit"] = "nJy"
    changed = files.open().identity
    assert changed != first
    files.cam["unit"] = "nmgy"
    files.arrays["image"][0, 0, 0, 0] += 1
    assert files.open().identity != first


def test_a_large_file_counts_by_size_time_and_samples(tmp_path):
    path = tmp_path / "large.h5"
    path.touch()
    os.truncate(path, 2 * 2**30 + 1)  # a hole, which takes no room on the disk
    os.utime(path, (7, 7))
    first = fingerprint(path)
    assert fingerprint(path) == first
    os.utime(path, (1, 1))
    assert fingerprint(path) != first
    with path.open("r+b") as stream:
        stream.write(b"x")
    os.utime(path, (7, 7))
    assert fingerprint(path) != first


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
