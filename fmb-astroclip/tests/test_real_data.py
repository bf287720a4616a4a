"""Real SDSS spectra, which are not what the weights were trained on, through the spectrum view."""

import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from fmb import Batch, Spectra

FOLDER = os.environ.get("FMB_TEST_DATA")
pytestmark = pytest.mark.skipif(FOLDER is None, reason="FMB_TEST_DATA is not set")


@pytest.fixture(scope="module")
def stored():
    with h5py.File(Path(FOLDER) / "sdss_spectra" / "sdss_spectra.h5") as file:
        return {name: file[name][:] for name in ("flux", "ivar", "loglam", "and_mask")}


def batch_of(stored, mask=None):
    flux = stored["flux"]
    spectra = Spectra(
        flux=flux,
        ivar=stored["ivar"],
        mask=np.zeros(flux.shape, dtype=bool) if mask is None else mask,
        wavelength_aa=10 ** stored["loglam"],
        unit="1e-17 erg / (s cm2 Angstrom)",
    )
    rows = np.arange(len(flux))
    return Batch(ids=rows, inputs={"sdss": spectra}, rows={"sdss": rows})


def test_every_sdss_spectrum_has_a_vector_and_they_differ(random_model, stored):
    model = random_model()
    inputs = model.preparer({"spectrum": "sdss"})(batch_of(stored))
    assert inputs.valid["spectrum"].all(), inputs.reasons["spectrum"]
    prepared, good = inputs.arrays["spectrum"], stored["ivar"] > 0
    assert np.isfinite(prepared).all()
    np.testing.assert_array_equal(prepared[good], stored["flux"][good])
    some = np.arange(0, 224, 8)
    vectors = model.encode(inputs.take(some), ["spectrum"])["spectrum"].values[:, 0].numpy()
    assert vectors.shape == (28, 128)
    assert np.isfinite(vectors).all()
    assert (np.std(vectors, axis=0) > 0).all()


def test_spectra_masked_for_the_most_part_are_told_with_their_share(random_model, stored):
    """Counted here by hand: the pixels without data and those the survey's mask names."""
    inputs = random_model().preparer({"spectrum": "sdss"})(batch_of(stored, stored["and_mask"]))
    share = ((stored["ivar"] > 0) & ~stored["and_mask"]).mean(axis=1)
    np.testing.assert_array_equal(inputs.valid["spectrum"], share >= 0.5)
    assert 0 < (share < 0.5).sum() < 20
    told = {reason.partition(" of")[0] for reason in inputs.reasons["spectrum"] if reason}
    assert told <= {f"{part:.0%}" for part in share} | {"no good pixel"}
