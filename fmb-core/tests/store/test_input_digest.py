"""What a model could read of an object decides its digest, and nothing else does."""

from dataclasses import fields, replace

import numpy as np
import pytest

from fmb import Columns, Images, Spectra
from fmb.store.input_digest import input_digests, joined

N = 3
RNG = np.random.default_rng(0)
FULL = {
    "images": Images(
        flux=RNG.normal(size=(N, 2, 4, 4)).astype(np.float32),
        bands=("g", "r"),
        band_valid=np.ones((N, 2), dtype=bool),
        unit="uJy",
        pixel_scale_arcsec=0.1,
        ivar=np.ones((N, 2, 4, 4), dtype=np.float32),
        mask=np.zeros((N, 2, 4, 4), dtype=bool),
        psf_fwhm_arcsec=np.ones((N, 2), dtype=np.float32),
    ),
    "spectra": Spectra(
        flux=RNG.normal(size=(N, 5)).astype(np.float32),
        ivar=np.ones((N, 5), dtype=np.float32),
        mask=np.zeros((N, 5), dtype=bool),
        wavelength_aa=np.linspace(4000, 5000, 5),
        unit="uJy",
        lsf_aa=np.ones((N, 5), dtype=np.float32),
    ),
    "columns": Columns(
        values=np.ones((N, 2), dtype=np.float32),
        names=("a", "b"),
        units=("mag", ""),
        errors=np.ones((N, 2), dtype=np.float32),
        wavelength_aa=(4800.0, 6400.0),
    ),
}
EVERY_FIELD = [(kind, field.name) for kind, data in FULL.items() for field in fields(data)]
OTHER = {
    "bands": ("g", "i"), "unit": "nJy", "pixel_scale_arcsec": 0.2, "calibrated": False,
    "names": ("a", "c"), "units": ("mag", "K"),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), EVERY_FIELD)
def test_every_field_counts(kind, name):
    data, value = FULL[kind], getattr(FULL[kind], name)
    if name in OTHER or isinstance(value, tuple):
        other = OTHER.get(name, (4800.0, 6500.0))  # the bands of columns are no array
        before, after = input_digests(data), input_digests(replace(data, **{name: other}))
        assert (before != after).any(axis=1).all()
        return
    changed = value.copy()
    last = (-1,) * changed.ndim
    changed[last] = not changed[last] if changed.dtype == bool else changed[last] + 1
    before, after = input_digests(data), input_digests(replace(data, **{name: changed}))
    concerned = (before != after).any(axis=1)
    shared = name == "wavelength_aa"  # one grid for all
    assert concerned.tolist() == ([True] * N if shared else [False] * (N - 1) + [True])


@pytest.mark.parametrize("kind", FULL)
def test_an_object_has_the_same_digest_alone_and_among_others(kind):
    data = FULL[kind]
    together = input_digests(data)
    assert together.shape == (N, 16)
    for row in range(N):
        assert np.array_equal(input_digests(data.take([row])), together[row : row + 1])


def test_a_shared_grid_counts_like_one_of_its_own():
    shared = FULL["spectra"]
    own = replace(shared, wavelength_aa=np.tile(shared.wavelength_aa, (N, 1)))
    assert np.array_equal(input_digests(shared), input_digests(own))


def test_what_is_absent_is_not_what_is_empty():
    data = FULL["images"]
    without = replace(data, ivar=None, mask=None)
    assert (input_digests(data) != input_digests(without)).any(axis=1).all()


def test_several_inputs_are_joined_in_order():
    one, two = input_digests(FULL["images"]), input_digests(FULL["spectra"])
    assert np.array_equal(joined({"image": one}), one)
    both, swapped = joined({"a": one, "b": two}), joined({"a": two, "b": one})
    assert both.shape == (N, 16)
    assert (both != swapped).any(axis=1).all()
