"""Light before noise: profiles, point-spread functions, fibres, dust, distances, bands."""

import math

import numpy as np
import pytest

from fmb_surveys.demo.bands import BANDS, EUCLID, transmission
from fmb_surveys.demo.dust import attenuation_curve, milky_way_curve
from fmb_surveys.demo.selection import select_galaxies
from fmb_surveys.demo.starlight import line_fluxes, stellar_flux
from fmb_surveys.planting.canvas import Ellipse, canvas, draw_spots
from fmb_surveys.planting.cosmology import age_gyr, kpc_per_arcsec, luminosity_distance_mpc
from fmb_surveys.planting.fibre import ellipse_share, spot_share
from fmb_surveys.planting.sersic import bessel_j0, bessel_j1, sersic_b, sersic_transform

SEEING_SIGMA = 1.0 / math.sqrt(8 * math.log(2))


def test_bessel_functions_meet_tabulated_values():
    assert bessel_j0(np.array([0.0, 2.404826, 5.520078])) == pytest.approx([1, 0, 0], abs=1e-6)
    assert bessel_j1(np.array([1.0, 3.831706])) == pytest.approx([0.440051, 0.0], abs=1e-6)


def test_the_transform_of_an_exponential_disc_is_its_closed_form():
    k = np.linspace(0.0, 30.0, 400)
    scale = 1.0 / sersic_b(1.0)
    closed = (1 + (2 * np.pi * k * scale) ** 2) ** -1.5
    assert np.abs(sersic_transform(1.0, k) - closed).max() < 1e-4


def test_the_transform_of_index_one_half_is_a_gaussian():
    k = np.linspace(0.0, 5.0, 200)
    closed = np.exp(-2 * np.pi**2 * k**2 / (2 * sersic_b(0.5)))
    assert np.abs(sersic_transform(0.5, k) - closed).max() < 1e-4


@pytest.mark.parametrize("sersic", [1.0, 2.0, 4.0])
def test_half_of_the_light_lies_within_the_effective_radius(sersic):
    re = 24.0
    board = canvas(256, 512, True)
    image = board.image(board.ellipse(Ellipse(0.0, 0.0, re, sersic, 1.0, 0.0)), 1.6)
    y, x = np.mgrid[:256, :256] - 127.5
    within = image[np.hypot(x, y) < re].sum()
    # The wings of index 4 that wrap round the canvas bring 1 % back; pixels add 0.5 %.
    assert within == pytest.approx(0.5, abs=0.012)


def test_an_exponential_disc_has_its_analytic_light_within_any_radius():
    re = 12.0
    board = canvas(192, 384, True)
    image = board.image(board.ellipse(Ellipse(0.3, -0.2, re, 1.0, 1.0, 0.0)), 1.6)
    y, x = np.mgrid[:192, :192] - 95.5
    for radius in (15.0, 30.0, 60.0):
        t = sersic_b(1.0) * radius / re
        enclosed = image[np.hypot(x - 0.3, y + 0.2) < radius].sum()
        assert enclosed == pytest.approx(1 - (1 + t) * math.exp(-t), abs=0.005)


def test_a_flattened_galaxy_has_the_moments_of_its_shape():
    board = canvas(128, 256, True)
    image = board.image(board.ellipse(Ellipse(0.0, 0.0, 6.0, 0.5, 0.5, math.pi / 2)), 1.6)
    y, x = np.mgrid[:128, :128] - 63.5
    image[np.hypot(x, y) > 32.0] = 0.0  # moments would weigh rounding errors of the far corners
    along, across = (image * y**2).sum() / image.sum(), (image * x**2).sum() / image.sum()
    point = board.image(board.phase(0.0, 0.0), 1.6)
    blur = (point * x**2).sum() / point.sum()
    # A Gaussian of half-light radius r has sigma = r / 1.17741; the angle puts it along rows.
    assert along - blur == pytest.approx((6.0 / 1.17741) ** 2, rel=0.02)
    assert across - blur == pytest.approx((3.0 / 1.17741) ** 2, rel=0.02)


@pytest.mark.parametrize("fwhm", [1.6, 3.6, 4.8])
@pytest.mark.parametrize(("x", "y"), [(0.0, 0.0), (0.3, -0.2), (10.25, -7.5)])
def test_a_point_in_fourier_space_is_the_sampled_point_spread_function(fwhm, x, y):
    board = canvas(96, 144, True)
    made = board.image(board.phase(x, y), fwhm)
    zero = np.zeros(1)
    direct = draw_spots(96, np.array([x]), np.array([y]), zero, np.ones((1, 1)), np.array([fwhm]))[
        0
    ]
    # What lies beyond 1.5 times the Nyquist wavenumber of the narrowest band is 0.6 %.
    assert np.abs(made - direct).max() < 0.006 * direct.max()


@pytest.mark.parametrize("fwhm", [4.0, 7.0])
def test_the_point_spread_function_is_half_as_high_half_its_width_away(fwhm):
    one = np.ones((1, 1))
    image = draw_spots(101, np.zeros(1), np.zeros(1), np.zeros(1), one, np.array([fwhm]))[0]
    profile = image[50, 50:]
    half = np.interp(-0.5 * profile[0], -profile, np.arange(len(profile)))
    assert 2 * half == pytest.approx(fwhm, rel=0.02)  # linear between pixels
    assert image.sum() == pytest.approx(1.0, abs=1e-4)


def test_spots_keep_their_flux_in_every_band():
    flux = np.array([[2.0, 5.0], [1.0, 0.5]])
    places = np.array([3.0, -6.5])
    image = draw_spots(80, places, -places, np.array([1.0, 2.0]), flux, np.array([1.6, 4.6]))
    assert image.sum(axis=(1, 2)) == pytest.approx(flux.sum(0), rel=1e-3)


def test_the_fibre_catches_the_analytic_share_of_a_gaussian_spot():
    sigma = np.array([0.0, 0.3, 1.0])
    total = sigma**2 + SEEING_SIGMA**2
    expected = 1 - np.exp(-(0.75**2) / (2 * total))
    assert spot_share(sigma, np.zeros(3)) == pytest.approx(expected, abs=2e-3)
    # A Sersic profile of index 1/2 is a Gaussian of sigma = re / 1.17741.
    share = ellipse_share(1.17741 * sigma[1:], np.full(2, 0.5), np.ones(2))
    assert share == pytest.approx(expected[1:], abs=2e-3)


def test_the_fibre_off_a_spot_catches_what_a_sum_over_the_aperture_gives():
    y, x = np.mgrid[-3:3:0.01, -3:3:0.01] + 0.005
    sigma = math.hypot(0.2, SEEING_SIGMA)
    for distance in (0.5, 1.0, 1.5):
        light = np.exp(-((x - distance) ** 2 + y**2) / (2 * sigma**2)) / (2 * math.pi * sigma**2)
        expected = light[np.hypot(x, y) < 0.75].sum() * 1e-4
        assert spot_share(np.array([0.2]), np.array([distance]))[0] == pytest.approx(
            expected, abs=2e-3
        )


def test_distances_and_ages_are_those_of_the_stated_universe():
    # H0 = 70, Omega_m = 0.3, flat: the values of Wright 2006, PASP 118, 1711 (calculator).
    assert float(luminosity_distance_mpc(1.0)) == pytest.approx(6607.7, rel=1e-4)
    assert float(kpc_per_arcsec(0.5)) == pytest.approx(6.104, rel=1e-3)
    assert float(age_gyr(0.0)) == pytest.approx(13.46, rel=1e-3)


def test_dust_curves_are_normalised_in_v():
    assert attenuation_curve(np.array([5500.0]))[0] == pytest.approx(1.0, abs=0.01)
    b, v = milky_way_curve(np.array([4400.0, 5494.0]))
    assert v == pytest.approx(3.1, abs=0.02)
    assert b - v == pytest.approx(1.0, abs=0.05)  # by the definition of E(B-V)
    assert (np.diff(attenuation_curve(np.linspace(1500, 25000, 500))) < 0).all()


def test_band_fluxes_are_the_integral_of_the_spectrum_through_the_band():
    galaxies, fluxes = select_galaxies(6, 3)
    for row in range(6):
        wave, parts = stellar_flux(galaxies.light, row, (3600.0, 9824.0))
        centres, lines = line_fluxes(galaxies.light, row)
        for k in (4, 5, 6):  # DES-G, R, I lie within the spectrum
            band = BANDS[k]
            through = transmission(band, wave)
            # A photon counter's mean f_nu: integral(f_lambda lambda T) / (c integral(T / lambda)).
            norm = np.trapezoid(through / wave, wave) * 2.99792458e18
            stars = np.trapezoid(parts * wave * through, wave, axis=1)
            gas = (lines * centres * transmission(band, centres)).sum(1)
            ujy = (stars + gas) / norm * 1e-17 * 1e29
            dimmed = (
                10
                ** (
                    -0.4 * galaxies.light.ebv[row] * milky_way_curve(np.array([band.effective_aa]))
                )[0]
            )
            # rel: photometry averages the spectrum over 16 pixels (0.3 %).
            assert fluxes[row, :, k] == pytest.approx(ujy * dimmed, rel=0.01, abs=1e-4)


def test_the_stated_depth_is_a_flux():
    # 31.0 AB magnitudes: 3631 Jy x 10^(-0.4 x 31) = 1.4454e-3 microjansky.
    assert EUCLID.bands[0].noise_ujy == pytest.approx(3631e6 * 10 ** (-0.4 * 31.0), rel=1e-3)
