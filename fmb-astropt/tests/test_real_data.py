"""The real files of the project: which objects are usable, and that their vectors vary."""

import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from fmb import Batch, Config, Images, Spectra
from fmb.torch.embedders import Mean

FOLDER = os.environ.get("FMB_TEST_DATA")
pytestmark = pytest.mark.skipif(FOLDER is None, reason="FMB_TEST_DATA is not set")


def batch_of(**inputs):
    n = len(next(iter(inputs.values())))
    return Batch(ids=np.arange(n), inputs=inputs, rows={k: np.arange(n) for k in inputs})


@pytest.fixture(scope="module")
def deep2():
    with h5py.File(Path(FOLDER) / "pairs_deep2_acs" / "deep2_acs_pairs.h5") as file:
        flux, ivar = (file[f"spectrum/optimal/{name}"][:] for name in ("flux", "ivar"))
        wavelength = file["spectrum/optimal/wavelength"][:].astype(np.float64)
        images = file["image"][:]
    return batch_of(
        acs=Images(
            flux=images,
            bands=("F606W", "F814W"),
            band_valid=np.ones((len(images), 2), dtype=bool),
            unit="ct / s",
            pixel_scale_arcsec=0.03,
        ),
        deimos=Spectra(
            flux=flux,
            ivar=ivar,
            mask=ivar <= 0,
            wavelength_aa=wavelength,
            unit="ct",
            calibrated=False,
        ),
    )


@pytest.mark.parametrize(
    ("options", "n_image_tokens"),
    [
        ({"preset": "one-band", "bands": ("F814W",)}, 256),
        ({"preset": "small", "bands": ("F606W", "F814W")}, 36),
    ],
)
def test_all_hubble_and_keck_pairs_are_usable(random_model, deep2, options, n_image_tokens):
    model = random_model(**options)
    inputs = model.preparer({"image": "acs", "spectrum": "deimos"})(deep2)
    assert inputs.valid["image"].all(), inputs.reasons["image"]
    assert inputs.valid["spectrum"].all(), inputs.reasons["spectrum"]
    # 6400-9150 of 3600-9824 A
    assert inputs.arrays["spectrum_mask"].mean() == pytest.approx(2750 / 6224, abs=0.05)
    tokens = model.encode(inputs, ["image", "spectrum", "joint"])
    assert tokens["image"].values.shape == (28, n_image_tokens, 128)
    for view in tokens.values():
        vectors = Mean(Config()).reduce(view).numpy()
        assert np.isfinite(vectors).all()
        assert (np.std(vectors, axis=0) > 0).all()


def test_more_coverage_than_the_spectrograph_has_makes_all_spectra_unusable(random_model, deep2):
    model = random_model(preset="one-band", bands=("F814W",), min_coverage=0.6)
    inputs = model.preparer({"image": "acs", "spectrum": "deimos"})(deep2)
    assert inputs.valid["image"].all()
    assert not inputs.valid["spectrum"].any()
    assert all("the least is 60%" in reason for reason in inputs.reasons["spectrum"])


def test_all_euclid_pictures_are_usable(random_model):
    with h5py.File(Path(FOLDER) / "euclid_q1_vis" / "euclid_q1_vis.h5") as file:
        pictures = file["image"][:]
    batch = batch_of(
        vis=Images(
            flux=pictures[:, None].astype(np.float32),
            bands=("VIS",),
            band_valid=np.ones((len(pictures), 1), dtype=bool),
            unit="display",
            pixel_scale_arcsec=0.1,
        )
    )
    model = random_model(preset="one-band")
    inputs = model.preparer({"image": "vis"})(batch)
    assert inputs.valid["image"].sum() == len(pictures) == 2139
    some = inputs.take(np.arange(0, len(pictures), 20))
    vectors = Mean(Config()).reduce(model.encode(some, ["image"])["image"]).numpy()
    assert np.isfinite(vectors).all()
    assert (np.std(vectors, axis=0) > 0).all()
