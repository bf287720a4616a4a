"""Cutouts kept beside a run come back as the batch they were."""

import json
from dataclasses import fields

import numpy as np
import pytest

from fmb.contract.inputs import Batch, Columns, Images, Spectra
from fmb.datasets.cutouts import read_cutouts, write_cutouts
from fmb.messages.errors import StoreError

GRID = np.array([4000.0, 4001.5, 4003.0])


def images(n, **changes):
    flux = np.arange(n * 2 * 3 * 3, dtype=np.float32).reshape(n, 2, 3, 3)
    flux[0, 0, 0, 0] = np.nan
    made = {
        "flux": flux,
        "bands": ("G", "R"),
        "band_valid": np.arange(2 * n).reshape(n, 2) % 3 > 0,
        "unit": "nmgy",
        "pixel_scale_arcsec": 0.25,
        "mask": flux > 7,
    }
    return Images(**{**made, **changes})


def spectra(n, grid=GRID, **changes):
    flux = np.arange(3 * n, dtype=np.float32).reshape(n, 3)
    made = {
        "flux": flux,
        "mask": flux % 2 > 0,
        "wavelength_aa": grid,
        "unit": "counts",
        "calibrated": False,
    }
    return Spectra(**{**made, **changes})


def batch(ids=(10, 2**62 + 1, 30, -4)):
    """Four objects; what the second and fourth lack differs, the third has nothing but numbers."""
    return Batch(
        ids=np.array(ids),
        inputs={
            "cam": images(2, ivar=np.ones((2, 2, 3, 3), np.float32)),
            "shared": spectra(3),
            "own": spectra(1, GRID + np.zeros((1, 1)), ivar=np.ones((1, 3), np.float32)),
            "photometry": Columns(
                values=np.eye(4, 2, dtype=np.float32), names=("g", "r"), units=("mag", "mag")
            ),
            "nobody": spectra(0),
        },
        rows={
            "cam": np.array([0, 1]),
            "shared": np.array([0, 1, 3]),
            "own": np.array([3]),
            "photometry": np.arange(4),
            "nobody": np.array([], dtype=np.int64),
        },
    )


def assert_same(one, other):
    assert type(one) is type(other)
    for field in fields(one):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b)
            assert (a.dtype, a.shape) == (b.dtype, b.shape)
        else:
            assert a == b
            assert type(a) is type(b)


@pytest.mark.parametrize(
    "ids", [(10, 2**62 + 1, 30, -4), ("DEEP2-1", "ü", "x", "a long name")], ids=["numbers", "text"]
)
def test_a_batch_comes_back_as_it_was(tmp_path, ids):
    whole = batch(ids)
    write_cutouts(tmp_path, whole)
    back = read_cutouts(tmp_path)
    assert back.ids.tolist() == list(ids)
    assert list(back.inputs) == list(whole.inputs)
    for name, data in whole.inputs.items():
        assert_same(data, back.inputs[name])
        assert back.rows[name].tolist() == whole.rows[name].tolist()


def test_a_grid_that_is_shared_stays_shared_and_one_of_its_own_goes_with_its_object(tmp_path):
    write_cutouts(tmp_path, batch())
    back = read_cutouts(tmp_path).take([3])
    assert back.inputs["shared"].wavelength_aa.shape == (3,)
    assert back.inputs["own"].wavelength_aa.shape == (1, 3)


def test_a_scale_that_numpy_computed_is_a_number_like_any_other(tmp_path):
    one = Batch(
        ids=np.array([1]),
        inputs={"cam": images(1, pixel_scale_arcsec=np.float64(0.1), unit=np.str_("nmgy"))},
        rows={"cam": np.array([0])},
    )
    write_cutouts(tmp_path, one)
    back = read_cutouts(tmp_path).inputs["cam"]
    assert (back.pixel_scale_arcsec, back.unit) == (0.1, "nmgy")


def test_two_files_hold_it_and_only_one_of_them_arrays(tmp_path):
    write_cutouts(tmp_path, batch())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cutouts.json", "cutouts.safetensors"]
    record = json.loads((tmp_path / "cutouts.json").read_text())
    assert record["inputs"][0] == {
        "name": "cam",
        "kind": "images",
        "fields": {
            "bands": ["G", "R"],
            "unit": "nmgy",
            "pixel_scale_arcsec": 0.25,
            "psf_fwhm_arcsec": None,
        },
        "arrays": ["flux", "band_valid", "ivar", "mask"],
    }


def test_the_name_of_an_instrument_may_hold_anything(tmp_path):
    names = ["0/rows", "cam/flux", "cam", "ids"]
    one = Batch(
        ids=np.array([1]),
        inputs={name: images(1, flux=np.full((1, 2, 3, 3), i)) for i, name in enumerate(names)},
        rows={name: np.array([0]) for name in names},
    )
    write_cutouts(tmp_path, one)
    back = read_cutouts(tmp_path)
    assert [(name, data.flux[0, 0, 0, 0]) for name, data in back.inputs.items()] == [
        ("0/rows", 0),
        ("cam/flux", 1),
        ("cam", 2),
        ("ids", 3),
    ]


def test_where_none_were_kept_there_are_none(tmp_path):
    assert read_cutouts(tmp_path) is None


@pytest.mark.parametrize("version", ["fmb-cutouts/2", None])
def test_cutouts_of_another_version_are_refused(tmp_path, version):
    write_cutouts(tmp_path, batch())
    path = tmp_path / "cutouts.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": version}))
    with pytest.raises(StoreError, match=r"cutouts\.json is not fmb-cutouts/1; run again"):
        read_cutouts(tmp_path)


def test_cutouts_whose_arrays_are_gone_or_damaged_are_refused(tmp_path):
    write_cutouts(tmp_path, batch())
    arrays = tmp_path / "cutouts.safetensors"
    arrays.write_bytes(arrays.read_bytes()[:-10])
    with pytest.raises(StoreError, match=r"cutouts\.safetensors is damaged"):
        read_cutouts(tmp_path)
    arrays.unlink()
    with pytest.raises(StoreError, match=r"cutouts\.safetensors: no such file"):
        read_cutouts(tmp_path)
