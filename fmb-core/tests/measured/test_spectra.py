"""Measures of spectra whose level and noise are known."""

import numpy as np
import pytest

from fmb import Spectra
from fmb.measured.spectra import SPECTRUM_ROLES, measure_spectra

N = 4001


def spectra(flux, ivar=None, mask=None):
    flux = np.atleast_2d(flux).astype(np.float32)
    return Spectra(
        flux=flux,
        ivar=None if ivar is None else np.broadcast_to(ivar, flux.shape).astype(np.float32),
        mask=np.zeros(flux.shape, dtype=bool) if mask is None else np.atleast_2d(mask),
        wavelength_aa=np.linspace(4000, 9000, flux.shape[1]),
        unit="nJy",
    )


def measures(*args, **more):
    return dict(zip(SPECTRUM_ROLES, measure_spectra(spectra(*args, **more)).T, strict=True))


def log_of(level, error):
    return np.log10((level + np.hypot(level, 2 * error)) / 2)


def test_noise_light_and_ratio_are_medians_over_the_pixels():
    found = measures(np.full(N, 6.0), ivar=0.25)  # noise 2, ratio 3
    assert found["noise"] == pytest.approx(np.log10(2))
    assert found["measured_snr"] == pytest.approx(log_of(3, 1))
    # The error of a median of normal noise is sqrt(pi / 2) times that of a mean.
    assert found["light"] == pytest.approx(log_of(6, 2 * np.sqrt(np.pi / 2 / N)))
    assert found["masked"] == 0


def test_without_ivar_the_noise_is_that_of_neighbouring_pixels():
    rng = np.random.default_rng(0)
    slope = np.linspace(100, 140, N)  # of no curvature: it is no noise
    found = measures(slope + rng.normal(0, 5, N))
    # A median of 4,000 correlated deviations is good to about 3 %.
    assert 10 ** found["noise"] == pytest.approx(5, rel=0.1)
    assert 10 ** found["measured_snr"] == pytest.approx(120 / 5, rel=0.1)
    assert np.isnan(measures(np.full(N, 6.0))["noise"])  # no noise at all is none that is known


def test_bad_pixels_are_left_out_and_counted():
    flux, ivar, mask = np.full(100, 6.0), np.full(100, 0.25), np.zeros(100, dtype=bool)
    flux[:10], ivar[10:25], mask[25:45] = np.nan, 0, True
    flux[10:45] = 1e6
    found, whole = measures(flux, ivar=ivar, mask=mask), measures(np.full(100, 6.0), ivar=0.25)
    assert found["masked"] == pytest.approx(0.45)
    assert found["noise"] == whole["noise"]
    assert found["measured_snr"] == whole["measured_snr"]


def test_a_spectrum_with_fewer_than_eight_pixels_is_not_measured():
    mask = np.ones((2, 100), dtype=bool)
    mask[0, :7], mask[1, :8] = False, False
    found = measures(np.full((2, 100), 6.0), ivar=0.25, mask=mask)
    assert found["masked"].tolist() == pytest.approx([0.93, 0.92])
    for role in ("noise", "light", "measured_snr"):
        assert np.isfinite(found[role]).tolist() == [False, True]
