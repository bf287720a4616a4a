"""Spectra become rows of flux: units, masked pixels, padding."""

import numpy as np
import pytest

from fmb import Batch, DataError, ShapeError
from fmb_astroclip.presets import PUBLISHED
from fmb_astroclip.spectra import prepare_spectra


def prepared(spectra, min_coverage=0.5):
    return prepare_spectra(spectra, PUBLISHED.spectrum, max_pixels=8010, min_coverage=min_coverage)


def noise(n=2, pixels=200):
    return np.random.default_rng(0).normal(3, 1, (n, pixels)).astype(np.float32)


def test_flux_is_left_as_it_is(spectra_of):
    """Its level and deviation are a token of their own, made in the network."""
    flux = noise()
    found = prepared(spectra_of(flux))
    np.testing.assert_array_equal(found.values, flux)
    assert found.lengths.tolist() == [200, 200]
    assert found.reasons == ["", ""]


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("erg / (s cm2 Angstrom)", 1e17), ("1e-16 erg / (s cm2 Angstrom)", 10), ("W / m3", 1e10)],
)
def test_units_are_converted(spectra_of, unit, factor):
    """1 W/m3 is 1e7 erg/s over 1e4 cm2 and 1e10 A: 1e-7 erg/s/cm2/A, 1e10 of ours."""
    found = prepared(spectra_of(noise() / factor, unit=unit))
    np.testing.assert_allclose(found.values, noise(), rtol=1e-6)


@pytest.mark.parametrize("unit", ["counts", "ct", "nmgy", "Jy"])
def test_other_units_are_refused(spectra_of, unit):
    with pytest.raises(DataError, match="cannot be converted to 1e-17 erg"):
        prepared(spectra_of(noise(), unit=unit))


@pytest.mark.parametrize("bad", ["mask", "ivar", "nan", "wavelength"])
def test_bad_pixels_lie_on_the_line_between_good_ones(spectra_of, bad):
    line = np.broadcast_to(np.linspace(1, 5, 200), (1, 200))
    hole = np.zeros(line.shape, dtype=bool)
    hole[:, 50:70] = hole[:, 120] = True
    flux = np.where(hole, np.nan if bad == "nan" else 1e5, line)
    grid = np.where(hole, -1, 3600 + 0.8 * np.arange(200))
    changes = {
        "mask": {"mask": hole},
        "ivar": {"ivar": np.where(hole, 0, 1).astype(np.float32)},
        "wavelength": {"wavelength_aa": grid},
    }
    found = prepared(spectra_of(flux, **changes.get(bad, {})))
    np.testing.assert_allclose(found.values, line, rtol=1e-6)


def test_bad_ends_have_the_median_of_the_nearest_twenty_good_pixels(spectra_of):
    flux = noise(1)
    mask = np.zeros(flux.shape, dtype=bool)
    mask[:, :30] = mask[:, 180:] = True
    found = prepared(spectra_of(flux, mask=mask)).values[0]
    assert set(found[:30].tolist()) == {float(np.median(flux[0, 30:50]))}
    assert set(found[180:].tolist()) == {float(np.median(flux[0, 160:180]))}
    np.testing.assert_array_equal(found[30:180], flux[0, 30:180])


def test_padding_at_the_end_is_left_off(spectra_of):
    grid = np.tile(3600 + 0.8 * np.arange(200), (2, 1))
    grid[1, 150:] = -1
    found = prepared(spectra_of(noise(), wavelength_aa=grid))
    assert found.lengths.tolist() == [200, 150]
    np.testing.assert_array_equal(found.values[1, :150], noise()[1, :150])
    assert np.isnan(found.values[1, 150:]).all()


def test_unusable_spectra_have_a_reason_and_hold_no_numbers(spectra_of):
    flux, mask = noise(5), np.zeros((5, 200), dtype=bool)
    mask[1] = True
    mask[2, :120] = True
    grid = np.tile(3600 + 0.8 * np.arange(200), (5, 1))
    grid[3, 15:] = 0
    grid[4] = -1
    found = prepared(spectra_of(flux, mask=mask, wavelength_aa=grid))
    assert found.reasons == [
        "",
        "no good pixel",
        "40% of the pixels are good, the least is 50%",
        "15 px have a wavelength, the least is 21",
        "no good pixel",
    ]
    assert np.isnan(found.values[1:]).all()
    np.testing.assert_array_equal(found.values[0], flux[0])


def test_the_least_coverage_is_an_option(spectra_of):
    mask = np.zeros((1, 200), dtype=bool)
    mask[:, :120] = True
    assert prepared(spectra_of(noise(1), mask=mask), min_coverage=0.4).reasons == [""]


@pytest.mark.parametrize("pixels", [20, 8011])
def test_spectra_too_short_or_too_long_are_refused(spectra_of, pixels):
    with pytest.raises(ShapeError, match=f"spectra of {pixels} px: these weights take 21 to 8010"):
        prepared(spectra_of(noise(1, pixels)))


@pytest.mark.parametrize("pixels", [21, 8010])
def test_the_shortest_and_the_longest_spectrum_are_taken(spectra_of, reference_model, pixels):
    rows = np.arange(1)
    batch = Batch(ids=rows, inputs={"d": spectra_of(noise(1, pixels))}, rows={"d": rows})
    inputs = reference_model.preparer({"spectrum": "d"})(batch)
    assert inputs.valid["spectrum"].all()
    vectors = reference_model.encode(inputs, ["spectrum"])["spectrum"].values
    assert vectors.isfinite().all()


def test_a_flux_that_no_source_has_makes_a_spectrum_unusable(spectra_of):
    flux = noise()
    flux[1, 100] = -1e30
    found = prepared(spectra_of(flux))
    assert found.reasons == ["", "a flux of 1.0e+30 x 1e-17 erg / (s cm2 Angstrom): no data"]


@pytest.mark.parametrize("scale", [1e14, 1e-30])
def test_the_network_gives_numbers_for_all_that_is_taken(spectra_of, reference_model, scale):
    rows = np.arange(2)
    batch = Batch(ids=rows, inputs={"d": spectra_of(noise() * scale)}, rows={"d": rows})
    inputs = reference_model.preparer({"spectrum": "d"})(batch)
    assert inputs.valid["spectrum"].all()
    assert reference_model.encode(inputs, ["spectrum"])["spectrum"].values.isfinite().all()
