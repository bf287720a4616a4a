"""The table of kinds, and refusing those a survey cannot take."""

from dataclasses import replace

import pytest

from fmb import ConfigError, DataError, UnknownNameError, build
from fmb_surveys.planting import KINDS, Planted, PlantingConfig, find_kind
from fmb_surveys.planting.planters import PLANTERS


def test_every_kind_is_declared_with_a_view_a_range_and_a_planter():
    assert set(PLANTERS) == set(KINDS)
    for name, kind in KINDS.items():
        assert kind.name == name
        assert kind.auroc[0] < kind.auroc[1]
        assert bool(kind.parameter) == (kind.weak != kind.strong)


def test_negative_controls_are_declared_unseen_at_one_half():
    controls = [kind for kind in KINDS.values() if kind.family == "control"]
    assert [kind.name for kind in controls] == ["masked-columns", "known-burst", "wrong-redshift"]
    for kind in controls:
        assert kind.view == "nobody"
        assert sum(kind.auroc) / 2 == pytest.approx(0.5)


def test_strength_runs_from_weak_to_strong():
    lens, agn = KINDS["lens"], KINDS["agn"]
    assert [lens.value(s) for s in (0.0, 0.5, 1.0)] == pytest.approx([24.5, 23.25, 22.0])
    # Geometric steps: the middle of 15 and 100 is their geometric mean.
    assert [agn.value(s) for s in (0.0, 0.5, 1.0)] == pytest.approx([15.0, 1500**0.5, 100.0])


def test_an_unknown_kind_is_told_with_the_nearest_one():
    with pytest.raises(UnknownNameError, match="did you mean 'merger'"):
        find_kind("mergers")
    with pytest.raises(ConfigError, match="did you mean 'merger'"):
        build(PlantingConfig, {"mode": "paired", "kinds": ["mergers"]}, "data")


@pytest.mark.parametrize(
    ("kind", "missing", "reason"),
    [
        ("lens", "psf_fwhm_arcsec", "cam tells no point-spread function"),
        ("lens", "calibration", "spec is not flux-calibrated"),
        ("merger", "redshift", "no column for redshift"),
        ("fibre-offset", "spec", "the survey has no spectra"),
        ("agn", "calibration", "spec is not flux-calibrated"),
        ("trail", "cam", "the survey has no images"),
        ("noise-burst", "spectrum ivar", "spec has no ivar"),
        ("swap-hard", "mag_vis", "no column for magnitude"),
        ("swap-hard", "snr", "no column for snr"),
    ],
)
def test_a_kind_the_survey_cannot_take_is_refused_by_name(plain, without, kind, missing, reason):
    survey = without(plain, missing)
    with pytest.raises(DataError, match=f"{kind} cannot be planted: .*{reason}") as refusal:
        Planted(survey, PlantingConfig(mode="paired", kinds=(kind,), n_per_kind=1))
    assert "\n" not in str(refusal.value)


def test_masked_columns_need_a_mask_or_an_ivar(plain, without):
    config = PlantingConfig(mode="paired", kinds=("masked-columns",), n_per_kind=1)
    survey = without(plain, "mask")
    assert len(Planted(survey, config).injections)
    with pytest.raises(DataError, match="cam has neither ivar nor mask"):
        Planted(without(survey, "ivar"), config)


def test_display_pictures_take_artefacts_but_no_light(plain):
    plain.images = replace(plain.images, unit="display")
    plain.inputs["cam"] = replace(plain.inputs["cam"], unit="display", calibrated=False)
    with pytest.raises(DataError, match="merger cannot be planted: cam is in 'display'"):
        Planted(plain, PlantingConfig(mode="paired", kinds=("merger",)))
    planted = Planted(plain, PlantingConfig(mode="paired", kinds=("trail",), n_per_kind=2))
    assert planted.injections


def test_bands_of_unknown_wavelength_are_named(plain):
    bands = ("VIS", "Q7")
    plain.images = replace(plain.images, bands=bands)
    plain.inputs["cam"] = replace(plain.inputs["cam"], bands=bands)
    with pytest.raises(DataError, match="bands of unknown wavelength: VIS, Q7"):
        Planted(plain, PlantingConfig(mode="paired", kinds=("lens",)))


def test_without_names_the_rest_is_planted_and_the_reasons_are_warnings(plain, without):
    survey = without(plain, "spec")
    planted = Planted(survey, PlantingConfig(mode="paired", n_per_kind=1))
    assert {i.kind.name for i in planted.injections} == {
        "lens",
        "merger",
        "trail",
        "cosmic-rays",
        "dead-columns",
        "masked-columns",
        "wrong-redshift",
    }
    assert any(line.startswith("agn cannot be planted: ") for line in planted.warnings)
    assert planted.warnings[0] == "plain"


def test_a_survey_in_which_nothing_fits_is_refused(plain, without):
    survey = without(without(plain, "spec"), "cam")
    survey.catalog = survey.catalog.drop(columns="redshift")
    with pytest.raises(DataError, match="cannot be planted"):
        Planted(survey, PlantingConfig(mode="paired"))


def test_a_width_and_a_column_can_be_given_where_the_data_tell_none(plain, without):
    survey = without(plain, "psf_fwhm_arcsec")
    survey.catalog = survey.catalog.rename(columns={"redshift": "ZSPEC"})
    config = PlantingConfig(
        mode="paired",
        kinds=("merger",),
        n_per_kind=1,
        columns={"redshift": "ZSPEC"},
        psf_fwhm_arcsec={"cam": (0.2, 0.5)},
    )
    assert Planted(survey, config).injections
    for wrong in (
        {"columns": {"redshift": "Z"}},
        {"columns": {"colour": "ZSPEC"}},
        {"psf_fwhm_arcsec": {"hsc": (0.7,)}},
    ):
        with pytest.raises(DataError, match="planting: "):
            Planted(survey, config.model_copy(update=wrong))
