"""Anomalies in images: where their light goes, how much of it, and what ivar is told."""

import math

import numpy as np
import pytest

from fmb_surveys.planting.fibre import spot_share
from fmb_surveys.planting.lens import lensed_points
from fmb_surveys.planting.nucleus import power_law_share

SKY = 1e-3


def added(host, copy):
    """(bands, height, width) light that was planted, with its noise if any."""
    return (copy.inputs["cam"].flux - host.inputs["cam"].flux)[0].astype(np.float64)


def test_arcs_bring_the_flux_of_their_magnitude(plain, plant):
    for host, copy, row in plant(plain, "lens", 0.0, 1.0):
        assert row.planted_value == pytest.approx(24.5 if row.strength == 0 else 22.0)
        expected = 10 ** (0.4 * (23.9 - row.planted_value))
        # All images lie within 4 arcsec, the width of the cutout; the wings of the profile do not.
        assert added(host, copy)[0].sum() == pytest.approx(expected, rel=0.02)


def test_arcs_are_bluer_than_the_host_by_the_stated_amount(plain, plant):
    for host, copy, _ in plant(plain, "lens", 1.0, n=6):
        light = added(host, copy).sum(axis=(1, 2))
        colour = -2.5 * np.log10(light[0] / light[1])
        host_colour = 2.5 * math.log10(3.0)
        assert 0.65 < host_colour - colour < 1.6  # stated 0.7-1.5; measured colours of the host


def test_images_of_a_lens_lie_round_its_einstein_radius():
    radii = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        x, y, share = lensed_points(1.2, rng)
        assert share.sum() == pytest.approx(1.0)
        # A source within 0.65 radii has its images within 0.35-1.65 radii of a round lens.
        radius = np.hypot(x, y)
        inside = (radius > 0.2 * 1.2) & (radius < 1.9 * 1.2)
        assert share[inside].sum() > 0.97
        radii.append(share @ radius)
    # A round isothermal lens puts the two images of a source at distance b at 1.2 +- b with fluxes
    # in proportion to these radii: the mean radius is 1.2 + b^2 / 1.2, with b^2 = 0.21 x 1.44.
    assert np.mean(radii) == pytest.approx(1.2 * 1.21, rel=0.07)


def test_a_planted_point_has_the_width_of_the_point_spread_function_in_each_band(plain, plant):
    host, copy, _ = plant(plain, "agn", 1.0, n=1)[0]
    for band, fwhm in enumerate((0.2, 0.5)):
        light = added(host, copy)[band]
        # Light within a circle: 0.5 of the peak at half the width for core and wings alike, so
        # the flux over the peak measures the width. By the formulas of two Gaussians:
        ratios, shares = np.array([1.0, 2.2]), np.array([0.82, 0.18])
        sigma = 0.1 * np.sqrt(light.sum() / (light.max() * 2 * np.pi) * (shares / ratios**2).sum())
        core = np.array([sigma * r for r in ratios])
        height = shares / core**2
        half = np.interp(
            -0.5,
            -(height * np.exp(-0.5 * (np.arange(0, 1, 1e-4)[:, None] / core) ** 2)).sum(1)
            / height.sum(),
            np.arange(0, 1, 1e-4),
        )
        # The middle of an even cutout lies on a corner of four pixels, below the peak.
        corner = np.exp(-0.5 * 0.5 * (0.1 / core[0]) ** 2)
        assert 2 * half * np.sqrt(corner) == pytest.approx(fwhm, rel=0.08)


def test_the_point_has_the_flux_of_the_power_law_that_the_fibre_caught(plain, plant):
    caught = float(spot_share(np.zeros(1), np.zeros(1))[0])
    for host, copy, row in plant(plain, "agn", 0.0, 1.0):
        share = power_law_share(row.planted_value)
        assert share == pytest.approx(0.05 if row.strength == 0 else 0.5)
        pivot = 5100.0 * (1 + row.redshift)
        height = 2.0 * share / (1 - share) / caught
        for band, aa in enumerate((7150.0, 17720.0)):
            flambda = height * (aa / pivot) ** -1.54
            ujy = flambda * 1e-17 * aa**2 / 2.99792458e18 * 1e29
            # The continuum is measured to 0.2 / sqrt(170 pixels): 1 %.
            assert added(host, copy)[band].sum() == pytest.approx(ujy, rel=0.04)


def test_planted_light_brings_its_own_photons_and_ivar_is_told(make_plain, plant):
    gain = 500.0
    pairs = plant(make_plain(gain=gain, noise=SKY), "lens", 1.0, n=8)
    smooth = plant(make_plain(noise=SKY), "lens", 1.0, n=8)
    chi = []
    for (host, copy, _), (flat_host, flat_copy, _) in zip(pairs, smooth, strict=True):
        old, new = host.inputs["cam"].ivar[0, 0], copy.inputs["cam"].ivar[0, 0]
        light = added(flat_host, flat_copy)[0]  # the same arcs where ivar tells of no photons
        bright = light > 0.5 * light.max()
        # What a gain of 500 electrons a microjansky asks for.
        told = (1 / new - 1 / old)[bright] / (light[bright] / gain)
        assert np.median(told) == pytest.approx(1.0, abs=0.1)
        noise = (added(host, copy)[0] - light)[bright]
        chi.append(noise / np.sqrt((1 / new - 1 / old)[bright]))
    chi = np.concatenate(chi)
    assert chi.std() == pytest.approx(1.0, abs=4 / np.sqrt(2 * len(chi)) + 0.05)


def test_a_survey_whose_ivar_leaves_sources_out_gets_light_without_noise(plain, plant):
    host, copy, _ = plant(plain, "lens", 1.0, n=1)[0]
    assert np.array_equal(copy.inputs["cam"].ivar, host.inputs["cam"].ivar)


def test_a_companion_is_as_bright_as_stated(plain, plant):
    for host, copy, row in plant(plain, "merger", 0.0, 1.0, n=6):
        y, x = np.mgrid[:80, :80] - 39.5
        near = np.hypot(x, y) < 25.0  # colours and ratio are taken within 2.5 arcsec
        host_flux = host.inputs["cam"].flux[0, 0][near].sum()
        total = added(host, copy)[0].sum()
        companion = host_flux * 10 ** (-0.4 * (1.5 if row.strength == 0 else 0.2))
        # Tails add light, a companion of index 3 near the edge loses some.
        assert 0.75 * companion < total < 1.6 * companion


def test_the_companion_lies_at_3_to_15_kpc(plain, plant):
    from fmb_surveys.planting.cosmology import kpc_per_arcsec

    for host, copy, row in plant(plain, "merger", 0.0, n=6):
        light = added(host, copy)[0]
        y, x = np.unravel_index(light.argmax(), light.shape)
        kpc = 0.1 * np.hypot(x - 39.5, y - 39.5) * float(kpc_per_arcsec(row.redshift))
        assert 2.5 < kpc < 15.5


def test_a_trail_has_its_height_and_touches_one_band_only(plain, plant):
    for host, copy, row in plant(plain, "trail", 0.0, 1.0):
        light = added(host, copy)
        assert light[0].max() / SKY == pytest.approx(row.planted_value, rel=0.1)
        assert not light[1].any()
        assert np.array_equal(copy.inputs["cam"].ivar, host.inputs["cam"].ivar)
        assert np.array_equal(copy.inputs["spec"].flux, host.inputs["spec"].flux)


def test_cosmic_rays_are_sharper_than_any_star(plain, plant):
    for host, copy, row in plant(plain, "cosmic-rays", 0.0, 1.0, n=5):
        light = added(host, copy)[0]
        hit = light > 0
        assert 1 <= hit.sum() <= round(row.planted_value) * 26 * 2  # 2.5 arcsec in half steps
        assert (light[hit] / SKY).min() > 0.9 * 10 * 0.6
        assert (light[hit] / SKY).max() < 1.1 * 30 * 1.4 * 2  # two tracks may cross
        # Outside its track a cosmic ray leaves nothing, unlike a blurred point.
        assert (light[~hit] == 0).all()


def test_dead_columns_are_zero_and_nothing_tells(plain, plant):
    for host, copy, row in plant(plain, "dead-columns", 0.0, 1.0):
        before, after = host.inputs["cam"], copy.inputs["cam"]
        dead = (after.flux[0, 0] == 0).all(axis=0)
        assert dead.sum() == round(row.planted_value)
        assert np.diff(np.flatnonzero(dead)).tolist() == [1] * (int(dead.sum()) - 1)
        assert np.array_equal(after.flux[0, 0][:, ~dead], before.flux[0, 0][:, ~dead])
        assert np.array_equal(after.flux[0, 1], before.flux[0, 1])
        assert np.array_equal(after.ivar, before.ivar)
        assert not after.mask.any()


def test_masked_columns_differ_from_the_host_under_the_mask_only(plain, plant):
    for host, copy, row in plant(plain, "masked-columns", 0.0, 1.0):
        before, after = host.inputs["cam"], copy.inputs["cam"]
        assert after.mask.sum() == 80 * round(row.planted_value)
        assert not after.ivar[after.mask].any()
        for name in ("flux", "ivar"):
            old, new = getattr(before, name), getattr(after, name)
            assert np.array_equal(old[~after.mask], new[~after.mask])
        assert np.array_equal(copy.inputs["spec"].flux, host.inputs["spec"].flux)


def test_artefacts_work_without_ivar_and_mask(plain, without, plant):
    survey = without(without(plain, "ivar"), "mask")
    for kind in ("trail", "cosmic-rays", "dead-columns"):
        host, copy, _ = plant(survey, kind, 1.0, n=1)[0]
        assert added(host, copy)[0].any()


def test_light_is_planted_in_a_cutout_that_is_not_square(plain, plant):
    from dataclasses import replace

    images = plain.images
    plain.images = replace(
        images, **{n: getattr(images, n)[:, :, 5:75, :] for n in ("flux", "ivar", "mask")}
    )
    plain.inputs["cam"] = replace(plain.inputs["cam"], shape=(70, 80))
    host, copy, _ = plant(plain, "agn", 1.0, n=1)[0]
    light = added(host, copy)[0]
    assert light.shape == (70, 80)
    y, x = np.mgrid[:70, :80]
    assert (light * y).sum() / light.sum() == pytest.approx(34.5, abs=0.05)
    assert (light * x).sum() / light.sum() == pytest.approx(39.5, abs=0.05)


def test_points_and_a_tiny_galaxy_are_blurred_alike(plain):
    from fmb_surveys.planting.canvas import Ellipse
    from fmb_surveys.planting.lightmap import blurred_ellipse, blurred_points
    from fmb_surveys.planting.target import Cutouts

    images = plain.images
    cutouts = Cutouts(
        name="cam",
        bands=images.bands,
        flux=images.flux[0],
        ivar=images.ivar[0],
        mask=images.mask[0],
        pixel_scale_arcsec=0.1,
        psf_fwhm_arcsec=np.array([0.2, 0.5]),
        ujy_per_unit=1.0,
        wavelength_aa=None,
    )
    # One point on the middle of a pixel, 13 columns right of and 6 rows below the middle.
    x, y = 1.35, -0.65
    points = blurred_points(cutouts, np.array([x]), np.array([y]), np.ones(1))
    galaxy = blurred_ellipse(cutouts, Ellipse(x, y, 0.0, 0.5, 1.0, 0.0))
    assert points.sum(axis=(1, 2)) == pytest.approx(1.0, abs=2e-3)
    assert np.unravel_index(points[0].argmax(), (80, 80)) == (33, 53)
    # 0.6 %: wavenumbers that the canvas leaves out.
    assert np.abs(points - galaxy).max() < 0.006 * galaxy.max()
