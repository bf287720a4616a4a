"""Catalogue rows of planted objects say what one would measure on their pixels."""

from dataclasses import replace

import numpy as np
import pytest

from fmb_surveys.planting import Planted, PlantingConfig
from fmb_surveys.planting.following import columns_that_follow
from fmb_surveys.planting.measuring import Aperture, snr_ratio
from fmb_surveys.planting.needs import make_offer
from fmb_surveys.planting.target import Cutouts, Spectrum


def gaussian_cutouts(sigma_px: float, total: float = 1000.0) -> Cutouts:
    y, x = np.mgrid[:81, :81] - 40.0
    light = total * np.exp(-0.5 * (x**2 + y**2) / sigma_px**2) / (2 * np.pi * sigma_px**2)
    return Cutouts(
        name="cam",
        bands=("VIS",),
        flux=light[None].astype(np.float32),
        ivar=np.full((1, 81, 81), 1e4, dtype=np.float32),
        mask=None,
        pixel_scale_arcsec=0.1,
        psf_fwhm_arcsec=None,
        ujy_per_unit=1.0,
        wavelength_aa=None,
    )


def rows_of(survey, kind: str, **settings):
    """(host row, copy row) of each copy, as dictionaries of catalogue columns."""
    settings = {"n_per_kind": 3, "strengths": (1.0,), **settings}
    planted = Planted(survey, PlantingConfig(mode="paired", kinds=(kind,), **settings))
    catalog = planted.catalog
    hosts = [catalog.iloc[injection.host].to_dict() for injection in planted.injections]
    copies = [catalog.iloc[len(survey) + k].to_dict() for k in range(len(hosts))]
    return list(zip(hosts, copies, strict=True))


def test_light_that_is_twice_as_bright_and_wide_is_measured_so():
    aperture = Aperture(gaussian_cutouts(3.0), gaussian_cutouts(4.5, total=2000.0))
    assert aperture.flux_ratio(0) == pytest.approx(2.0, rel=1e-5)
    # 1 %: the weight is cut at the edge of the aperture.
    assert aperture.size_ratio(0) == pytest.approx(1.5, rel=0.01)
    assert aperture.snr_ratio(0) == pytest.approx(2.0, rel=1e-5)


@pytest.mark.parametrize("told_by", ["ivar", "mask"])
def test_what_is_bad_in_either_is_measured_in_neither(told_by):
    mask = np.zeros((1, 81, 81), dtype=bool)
    host, copy = (replace(gaussian_cutouts(3.0), mask=mask.copy()) for _ in range(2))
    copy.flux[0, :, 38:42] = 0.0
    if told_by == "ivar":
        copy.ivar[0, :, 38:42] = 0.0
    else:
        copy.mask[0, :, 38:42] = True
    assert Aperture(host, copy).flux_ratio(0) == 1.0
    assert Aperture(host, copy).size_ratio(0) == 1.0


def test_light_fainter_than_its_noise_leaves_a_finite_row():
    nothing, light = gaussian_cutouts(3.0, total=0.0), gaussian_cutouts(3.0, total=-50.0)
    for aperture in (Aperture(nothing, light), Aperture(light, nothing)):
        assert (aperture.flux_ratio(0), aperture.size_ratio(0)) == (1.0, 1.0)


def test_the_sky_of_a_picture_is_no_light():
    host, copy = gaussian_cutouts(3.0), gaussian_cutouts(3.0, total=2000.0)
    for cutouts in (host, copy):
        cutouts.flux[:] += 70.0
    pictures = [replace(cutouts, pedestal=np.array([70.0])) for cutouts in (host, copy)]
    assert Aperture(*pictures).flux_ratio(0) == pytest.approx(2.0, rel=1e-3)


def test_signal_to_noise_follows_flux_and_the_ivar_that_is_told():
    def spectrum(flux, ivar):
        return Spectrum(
            name="spec",
            flux=np.full(500, flux, dtype=np.float32),
            ivar=np.full(500, ivar, dtype=np.float32),
            mask=np.zeros(500, dtype=bool),
            wavelength_aa=4000.0 + np.arange(500),
            flambda_per_unit=1.0,
        )

    assert snr_ratio(spectrum(2.0, 4.0), spectrum(3.0, 4.0)) == pytest.approx(1.5)
    assert snr_ratio(spectrum(2.0, 4.0), spectrum(2.0, 1.0)) == pytest.approx(0.5)


def test_magnitudes_of_an_active_nucleus_are_those_of_host_and_point(make_plain):
    survey = make_plain(noise=1e-4)
    survey.catalog["flux_h"] = 3.0
    # Half of the light at rest 5100 A is the power law: 2e-17 of the host and as much of it in the
    # fibre, which catches only a part of a point.
    from fmb_surveys.planting.fibre import spot_share

    caught = float(spot_share(np.zeros(1), np.zeros(1))[0])
    for host, copy in rows_of(survey, "agn"):
        pivot = 5100.0 * (1 + host["redshift"])
        host_ujy = 10 ** (0.4 * (23.9 - host["mag_vis"]))
        point = {
            aa: 2.0 / caught * (aa / pivot) ** -1.54 * aa**2 / 2.99792458e18 * 1e12
            for aa in (7150.0, 17720.0)
        }
        expected = -2.5 * np.log10(1 + point[7150.0] / host_ujy)
        # 3 %: the continuum is the median of noisy pixels.
        assert copy["mag_vis"] - host["mag_vis"] == pytest.approx(expected, rel=0.03)
        brighter = 1 + point[17720.0] / (3 * host_ujy)
        assert copy["flux_h"] / 3.0 == pytest.approx(brighter, rel=0.03)


def test_sizes_shrink_with_a_point_and_grow_with_a_companion(plain):
    plain.catalog["size"] = 0.7
    plain.catalog.attrs["roles"] = {"size": "size"}
    assert all(copy["size"] < 0.65 for _, copy in rows_of(plain, "agn"))
    assert all(copy["size"] > 0.72 for _, copy in rows_of(plain, "merger"))


def test_what_nothing_changed_is_as_in_the_row_of_the_host(plain):
    own = {"object_id", "label", "strength", "planted_value", "declared_view", "family"}
    own |= {"injected_from"}
    for kind in ("masked-columns", "known-burst", "wrong-redshift"):
        for host, copy in rows_of(plain, kind):
            told = {"redshift"} if kind == "wrong-redshift" else set()
            changed = {name for name in host if host[name] != copy[name]}
            assert changed - own == told


def test_an_artefact_of_one_camera_is_in_no_other_magnitude(plain):
    plain.catalog["mag_g"] = 21.0
    for host, copy in rows_of(plain, "trail"):
        assert copy["mag_vis"] < host["mag_vis"] - 1e-4
        assert copy["mag_g"] == 21.0
        assert copy["snr"] == host["snr"]
    for host, copy in rows_of(plain, "agn"):  # light is in all: the nearest band stands in
        assert copy["mag_g"] - 21.0 == pytest.approx(copy["mag_vis"] - host["mag_vis"])


def test_a_burst_of_noise_leaves_the_signal_to_noise_and_a_swap_takes_the_donors(plain):
    for host, copy in rows_of(plain, "noise-burst"):
        assert copy["snr"] == pytest.approx(host["snr"], rel=0.02)
        assert copy["mag_vis"] == host["mag_vis"]
    known = set(plain.catalog["snr"])
    for host, copy in rows_of(plain, "swap-easy"):
        assert copy["snr"] != host["snr"]
        assert copy["snr"] in known


def test_what_is_missing_stays_missing_and_what_nobody_knows_is_named(plain):
    plain.catalog["mag_vis"] = np.nan
    plain.catalog["logmass"] = 10.5
    plain.catalog["mag_err_vis"] = 0.1
    plain.catalog["n_exposures"] = 4
    planted = Planted(plain, PlantingConfig(mode="paired", kinds=("agn",), n_per_kind=2))
    assert planted.catalog["mag_vis"].isna().all()
    assert planted.kept == ["logmass", "mag_err_vis", "n_exposures"]
    assert set(planted.catalog["n_exposures"]) == {4}
    assert planted.catalog["n_exposures"].dtype == np.int64


def test_a_catalogue_that_is_not_to_be_measured_again_reads_no_pixel(plain):
    looked = []
    read = plain.read
    plain.read = lambda rows, inputs=None: looked.extend(rows) or read(rows, inputs)
    config = PlantingConfig(mode="paired", kinds=("agn",), n_per_kind=2, remeasure=False)
    planted = Planted(plain, config, sound=True)
    copies = planted.catalog.iloc[len(plain) :]
    hosts = plain.catalog.set_index("object_id").loc[copies["injected_from"]]
    assert copies["mag_vis"].tolist() == hosts["mag_vis"].tolist()
    assert looked == []
    measured = Planted(plain, config.model_copy(update={"remeasure": True}), sound=True)
    assert looked == []  # not before the catalogue is looked at
    assert (measured.catalog["mag_vis"].iloc[len(plain) :] < copies["mag_vis"]).all()
    assert set(looked) == {i.host for i in planted.injections}


@pytest.mark.parametrize(
    ("name", "follows"),
    [
        ("mag_vis", ("magnitude", 0)),
        ("MAG_AUTO_VIS", ("magnitude", 0)),
        ("vismag", ("magnitude", 0)),
        ("cModelMag_h", ("magnitude", 1)),
        ("FLUX_H", ("flux", 1)),
        ("flux_nisp-h", ("flux", 1)),
        ("fluxerr_h", None),
        ("flux_ivar_h", None),
        ("mag_lim_vis", None),
        ("mag", None),
        ("image_quality_h", None),
        ("h", None),
    ],
)
def test_names_of_columns_tell_what_they_measure(plain, name, follows):
    plain.catalog = plain.catalog[["object_id"]].assign(**{name: 1.0})
    offer = make_offer(plain, {}, {})
    found, kept = columns_that_follow(plain.catalog, plain.inputs, offer)
    if follows is None:
        assert (found, kept) == ([], [name])
    else:
        assert [(item.what, item.band) for item in found] == [follows]
        assert kept == []


def test_the_role_of_a_column_says_what_its_name_does_not(plain):
    plain.catalog["m"] = 20.0
    plain.catalog.attrs["roles"] = {"magnitude": "m", "snr": "snr"}
    del plain.inputs["spec"]
    found, _ = columns_that_follow(plain.catalog, plain.inputs, make_offer(plain, {}, {}))
    what = {item.column: (item.what, item.kind, item.band) for item in found}
    assert what["m"] == ("magnitude", "images", 0)
    assert what["snr"] == ("snr", "images", 0)
