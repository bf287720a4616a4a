"""The simulated survey: what is in it, how noisy it is, and that it is the same every time."""

import pickle

import numpy as np
import pytest

from fmb import ROLES, DataError
from fmb_surveys.demo.bands import BANDS, EUCLID, LEGACY, Instrument, transmission
from fmb_surveys.demo.rendering import Scene, render
from fmb_surveys.demo.selection import select_galaxies
from fmb_surveys.demo.sky import make_plan, object_ids
from fmb_surveys.demo.sky_spectrum import WAVELENGTH_AA
from fmb_surveys.demo.spectra import add_lines, component_shares, fibre_spectrum
from fmb_surveys.demo.surroundings import Others, draw_knots, draw_neighbours
from fmb_surveys.demo.survey import DemoSurvey


@pytest.fixture(scope="module")
def survey() -> DemoSurvey:
    return DemoSurvey(400, 0)


@pytest.fixture(scope="module")
def batch(survey):
    return survey.read(np.arange(40))


def images_equal(a, b) -> bool:
    return all(
        np.array_equal(getattr(a, name), getattr(b, name))
        for name in ("flux", "ivar", "mask", "psf_fwhm_arcsec")
    )


def test_the_inputs_are_what_the_survey_says(survey, batch):
    for name, bands, size in (
        ("euclid", ("VIS", "NISP-Y", "NISP-J", "NISP-H"), 96),
        ("legacysurvey", ("DES-G", "DES-R", "DES-I", "DES-Z"), 152),
    ):
        images, info = batch.inputs[name], survey.inputs[name]
        assert images.bands == info.bands == bands
        assert images.flux.shape[1:] == (4, size, size)
        assert images.unit == info.unit
        assert images.pixel_scale_arcsec == info.pixel_scale_arcsec
        assert images.flux.dtype == images.ivar.dtype == np.float32
        assert np.isfinite(images.flux).all()
    spectra = batch.inputs["desi"]
    assert spectra.flux.shape[1] == 7781
    assert spectra.wavelength_aa[[0, -1]].tolist() == [3600.0, 9824.0]
    assert np.diff(spectra.wavelength_aa) == pytest.approx(0.8)


def test_units_are_known_to_astropy(survey):
    from astropy import units

    # A nanomaggy is 3.631 microjansky.
    assert units.Unit(survey.inputs["legacysurvey"].unit).to("uJy") == pytest.approx(3.631)
    assert units.Unit(survey.inputs["euclid"].unit).to("uJy") == 1.0
    assert units.Unit(survey.inputs["desi"].unit).is_equivalent("erg / (s cm2 Angstrom)")
    for unit in survey.catalog.attrs["units"].values():
        units.Unit(unit)


def test_ids_have_nineteen_digits_and_survive_no_float(survey):
    assert survey.ids.dtype == np.int64
    assert {len(str(i)) for i in survey.ids.tolist()} == {19}
    assert len(set(survey.ids.tolist())) == len(survey)
    assert (survey.ids.astype(np.float64).astype(np.int64) != survey.ids).mean() > 0.9
    assert not (np.diff(survey.ids) > 0).all()
    assert len(set(object_ids(np.arange(100_000), 5).tolist())) == 100_000


def test_an_object_is_the_same_whatever_it_is_read_with(survey, batch):
    rows = np.array([31, 4, 17])
    alone = survey.read(rows)
    for name in ("euclid", "legacysurvey", "desi"):
        where = [np.flatnonzero(batch.rows[name] == row)[0] for row in rows]
        assert np.array_equal(alone.inputs[name].flux, batch.inputs[name].flux[where])
        assert np.array_equal(alone.inputs[name].ivar, batch.inputs[name].ivar[where])


def test_a_longer_survey_starts_with_the_same_objects(survey):
    short = pickle.loads(pickle.dumps(DemoSurvey(60, 0)))
    assert np.array_equal(short.ids, survey.ids[:60])
    assert short.catalog.equals(survey.catalog.iloc[:60])
    rows = np.array([2, 59])
    assert images_equal(short.read(rows).inputs["euclid"], survey.read(rows).inputs["euclid"])


def test_another_seed_is_another_sky(survey):
    other = DemoSurvey(60, 1)
    assert not set(other.ids.tolist()) & set(survey.ids.tolist())
    assert abs(np.corrcoef(other.catalog.mag_vis, survey.catalog.mag_vis[:60])[0, 1]) < 0.5


def test_only_the_inputs_asked_for_are_read(survey):
    assert list(survey.read(np.arange(2), ["desi"]).inputs) == ["desi"]
    with pytest.raises(DataError, match="did you mean 'desi'"):
        survey.read(np.arange(2), ["dessi"])
    assert list(DemoSurvey(20, 0, ("euclid",)).inputs) == ["euclid", "phot"]
    with pytest.raises(DataError, match="no input hsc"):
        DemoSurvey(20, 0, ("hsc",))


def test_magnitudes_and_redshifts_keep_their_limits(survey):
    assert survey.catalog.mag_vis.between(17.5, 21.0).all()
    assert survey.catalog.redshift.between(0.029, 0.601).all()  # with a catalogue error of 1e-4
    assert survey.catalog.ebv.between(0.0, 0.15).all()
    assert (survey.catalog.label == "ordinary").all()


def test_the_red_sequence_is_where_it_is_in_the_sky(survey):
    """g-r of early types: 1.05 at z = 0.15, 1.45 at z = 0.3 (Eisenstein et al. 2001, table 1)."""
    early = survey.catalog[survey.catalog.galaxy_type == "quiescent"]
    colour = early.mag_g - early.mag_r - 0.95 * early.ebv
    slope, at = np.polyfit(early.redshift - 0.3, colour, 1)
    assert at == pytest.approx(1.45, abs=0.12)
    assert slope == pytest.approx((1.45 - 1.05) / 0.15, abs=0.8)
    late = survey.catalog[survey.catalog.galaxy_type == "star-forming"]
    assert (late.mag_g - late.mag_r).median() < colour.median() - 0.2


def test_early_types_are_smaller_and_brighter_in_the_middle(survey):
    heavy = survey.catalog[survey.catalog.logmass.between(10.3, 10.9)]
    size = heavy.groupby("galaxy_type")["size"].median()
    assert size["quiescent"] < size["star-forming"]


def test_signal_to_noise_covers_the_stated_range(survey):
    snr = survey.catalog.snr.dropna()
    assert np.percentile(snr, 2) < 0.6
    assert 4 < np.percentile(snr, 98) < 10


@pytest.mark.parametrize(("name", "instrument"), [("euclid", EUCLID), ("legacysurvey", LEGACY)])
def test_empty_sky_is_as_noisy_as_the_depth_says(survey, batch, name, instrument):
    catalog = survey.catalog
    for band, described in enumerate(instrument.bands):
        ratios = []
        for k, row in enumerate(batch.rows[name]):
            if catalog["size"][row] > 0.8 or catalog.depth[row] < -0.5:
                continue
            corner = batch.inputs[name].flux[k, band, :16, :16]
            scatter = 1.4826 * np.median(np.abs(corner - np.median(corner)))
            stated = 3631e6 * 10 ** (-0.4 * (described.noise_mag + catalog.depth[row]))
            ratios.append(scatter / (stated / instrument.ujy_per_unit))
        # 256 pixels give the scatter to 7 %; the median of about ten objects to 3 %.
        assert np.median(ratios) == pytest.approx(1.0, abs=0.08)


def test_repeats_differ_by_their_stated_noise_only(survey):
    catalog = survey.catalog
    repeated = np.flatnonzero(catalog.group != catalog.object_id)
    assert len(repeated)
    chi_images, chi_spectra = [], []
    for row in repeated:
        first = int(np.flatnonzero(catalog.object_id == catalog.group[row])[0])
        pair = survey.read(np.array([first, row]))
        assert catalog.mag_vis[first] == catalog.mag_vis[row]
        assert (
            np.hypot(
                (catalog.ra[first] - catalog.ra[row]) * np.cos(np.radians(catalog.dec[row])),
                catalog.dec[first] - catalog.dec[row],
            )
            < 1 / 3600
        )
        for images in (pair.inputs["euclid"], pair.inputs["legacysurvey"]):
            if len(images) == 2:
                flux, ivar = images.flux[:, 1:], images.ivar[:, 1:]  # VIS may have a blemish
                chi_images.append((flux[0] - flux[1]) / np.sqrt(1 / ivar[0] + 1 / ivar[1]))
        spectra = pair.inputs["desi"]
        if len(spectra) == 2:
            good = ~spectra.mask.any(0) & (spectra.wavelength_aa < 5500)  # without sky lines
            ivar = spectra.ivar[:, good]
            chi = (spectra.flux[0] - spectra.flux[1])[good]
            chi_spectra.append(chi / np.sqrt(1 / ivar[0] + 1 / ivar[1]))
    assert np.concatenate([c.ravel() for c in chi_images]).std() == pytest.approx(1.0, abs=0.01)
    assert np.concatenate(chi_spectra).std() == pytest.approx(1.0, abs=0.03)


@pytest.fixture(scope="module")
def alone():
    """The scene of a target of the survey without blends and neighbours: alone(row)."""
    plan = make_plan(400, 0)
    galaxies, flux_ujy = select_galaxies(int(plan.source.max()) + 1, 0)
    others = draw_neighbours(np.random.default_rng(0))
    none = Others(**{name: value[:0] for name, value in vars(others).items()})

    def alone(row: int) -> Scene:
        source = int(plan.source[row])
        knots = draw_knots(galaxies, source, np.random.default_rng(row))
        return Scene(galaxies, source, flux_ujy[source], knots, none, none)

    return alone


def test_the_spectrum_has_the_colour_and_flux_of_the_image_in_the_fibre(alone):
    """Two ways to one number: pixels of a cutout in 1 arcsec seeing, and the spectrum."""
    fine = Instrument("fine", LEGACY.bands, 152, 0.05, "uJy", 1.0)
    y, x = np.mgrid[:152, :152] - 75.5
    aperture = np.hypot(x, y) * 0.05 < 0.75
    for row in range(8):
        scene = alone(row)
        shares = component_shares(scene.galaxies)[scene.row]
        # A core and wings of 1 arcsec width are not the Gaussian seeing of the fibre: compare the
        # colours, and the flux within what 18 % of the light in the wings can move.
        image = render(scene, fine, np.full(4, 1.0))[:, aperture].sum(1)
        spectrum = fibre_spectrum(scene, shares).astype(np.float64)
        through = [transmission(band, WAVELENGTH_AA) for band in LEGACY.bands[:3]]
        wave = WAVELENGTH_AA
        synthetic = np.array(
            [np.sum(spectrum * wave * t) / np.sum(t / wave) / 2.99792458e18 * 1e12 for t in through]
        )
        image_colour = -2.5 * np.log10(image[:2] / image[1:3])
        colour = -2.5 * np.log10(synthetic[:-1] / synthetic[1:])
        assert colour == pytest.approx(image_colour, abs=0.03)
        assert synthetic == pytest.approx(image[:3], rel=0.15)


def test_the_image_has_the_flux_of_the_catalogue(survey, alone):
    small = np.flatnonzero((survey.catalog["size"] < 0.5) & (survey.catalog.mag_vis < 20.5))[:5]
    for row in small:
        scene = alone(int(row))
        total = render(scene, EUCLID, np.array([0.16, 0.36, 0.42, 0.48])).sum(axis=(1, 2))
        mags = 23.9 - 2.5 * np.log10(total)
        stated = survey.catalog.loc[row, ["mag_vis", "mag_y", "mag_j", "mag_h"]]
        # Up to 5 % of the light of such galaxies falls outside 9.6 arcsec.
        assert mags == pytest.approx(stated.to_numpy(float), abs=0.06)


def test_lines_bring_their_flux_wherever_they_fall():
    for centre in (3728.8, 6564.6, 6564.9):
        flux = np.zeros(7781)
        add_lines(flux, np.array([centre]), np.array([12.0]), 80.0)
        assert flux.sum() * 0.8 == pytest.approx(12.0, rel=1e-3)
    flux = np.zeros(7781)
    add_lines(flux, np.array([3000.0, 10500.0]), np.ones(2), 80.0)
    assert not flux.any()


def test_bulges_of_spirals_are_redder_than_their_discs():
    galaxies, flux_ujy = select_galaxies(400, 0)
    flux = flux_ujy[galaxies.kind == "star-forming"]
    g, r = BANDS.index(LEGACY.bands[0]), BANDS.index(LEGACY.bands[1])
    colour = -2.5 * np.log10(flux[:, :, g] / flux[:, :, r])
    assert np.median(colour[:, 0] - colour[:, 1]) > 0.1
    assert np.median(colour[:, 2] - colour[:, 1]) < -0.2


def test_every_role_that_the_simulation_has_a_column_for_is_told(survey):
    roles = survey.catalog.attrs["roles"]
    assert set(roles) == set(ROLES) - {"split", "survey"}
    assert set(roles.values()) <= set(survey.catalog.columns)
    assert roles["magnitude"] == "mag_r"
    assert roles["class"] == "label"
    # A cell of the sky was observed in one go, to one depth.
    cells = survey.catalog.groupby(roles["field"])[roles["depth"]]
    assert (cells.nunique() == 1).all()
