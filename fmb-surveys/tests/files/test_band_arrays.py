"""Images whose bands are arrays of their own, listed in survey.toml."""

import numpy as np
import pytest

from fmb import FmbError


@pytest.fixture
def apart(files):
    """The small survey with an array for each of its two bands; row 2 lacks the second."""
    cube = files.arrays.pop("image")
    cube[2, 1] = np.nan
    files.arrays |= {"VIS": cube[:, 0], "NISP/H": cube[:, 1]}
    files.arrays |= {"VIS_ivar": np.abs(cube[:, 0]), "H_ivar": np.abs(np.nan_to_num(cube[:, 1]))}
    files.cam.update(
        {"bands": ["VIS", "H"], "flux": ["VIS", "NISP/H"], "ivar": ["VIS_ivar", "H_ivar"]}
    )
    return files, cube


def test_arrays_of_bands_are_stacked_in_the_order_they_are_listed(apart):
    files, cube = apart
    rows = np.array([5, 2, 0])
    cam = files.open().read(rows).inputs["cam"]
    assert np.array_equal(cam.flux, cube[rows], equal_nan=True)
    assert np.array_equal(cam.ivar, np.abs(np.nan_to_num(cube[rows])))
    files.cam.update(
        {"bands": ["H", "VIS"], "flux": ["NISP/H", "VIS"], "ivar": ["H_ivar", "VIS_ivar"]}
    )
    swapped = files.open().read(rows).inputs["cam"]
    assert np.array_equal(swapped.flux, cube[rows][:, ::-1], equal_nan=True)
    assert swapped.bands == ("H", "VIS")


def test_a_band_that_a_row_lacks_is_not_valid(apart):
    files, _ = apart
    valid = files.open().read(np.arange(6)).inputs["cam"].band_valid
    assert valid.tolist() == [[True, row != 2] for row in range(6)]


def test_an_array_of_one_band_may_have_an_axis_of_one(apart):
    files, cube = apart
    files.arrays["VIS"] = files.arrays["VIS"][:, None]
    cam = files.open().read(np.arange(6)).inputs["cam"]
    assert np.array_equal(cam.flux, cube, equal_nan=True)


def test_files_of_one_object_may_list_arrays_of_bands(files, make_h5, tmp_path):
    import pandas as pd

    for row, ident in enumerate(files.arrays["id"]):
        g, r = files.arrays["image"][row]
        make_h5(files.folder / f"{ident}.h5", {"g": g, "r": r})
    names = [f"{ident}.h5" for ident in files.arrays["id"]]
    index = pd.DataFrame({"object_id": files.arrays["id"], "cam": names})
    index.to_parquet(files.folder / "rows.parquet")
    files.cam.update({"files": "rows.parquet", "flux": ["g", "r"]})
    cam = files.open().read(np.arange(6)).inputs["cam"]
    assert np.array_equal(cam.flux, files.arrays["image"])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"flux": ["VIS"]}, "flux lists 1 arrays for 2 bands"),
        ({"mask": ["a", "b", "c"]}, "mask lists 3 arrays for 2 bands"),
        ({"flux": ["VIS", "NISP/J"]}, "'NISP/J' is not there; did you mean 'NISP/H'"),
        ({"flux": ["VIS", "small"]}, r"'small' has shape \(6, 4, 9\), 'VIS' has \(6, 8, 9\)"),
        ({"ivar": ["VIS_ivar", "small"]}, r"'small' has shape"),
        ({"flux": "VIS"}, r"expected \(n, 2, height, width\) for bands VIS, H"),
    ],
)
def test_arrays_of_bands_that_do_not_fit_are_one_line(apart, change, told):
    files, _ = apart
    files.arrays["small"] = files.arrays["VIS"][:, :4]
    files.cam.update(change)
    with pytest.raises(FmbError, match=told) as caught:
        files.open()
    assert "\n" not in str(caught.value)


def test_bands_in_two_units_are_refused(apart):
    import h5py

    files, _ = apart
    files.write()
    with h5py.File(files.folder / "data.h5", "r+") as file:
        file["VIS"].attrs["unit"] = "nmgy"
        file["NISP/H"].attrs["unit"] = "nJy"
    with pytest.raises(FmbError, match="'NISP/H' has another unit, scale or missing value than 'V"):
        files.reopen()


def test_spectra_name_one_array(files):
    files.spec["flux"] = ["flux", "flux"]
    with pytest.raises(FmbError, match=r"inputs\.spec\.flux"):
        files.open()
