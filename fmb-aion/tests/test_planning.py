"""Which surveys can feed AION, and what is said of those that cannot."""

from dataclasses import replace

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from fmb import DataError, InputInfo
from fmb.cli import main
from fmb.matching.bindings import bind_inputs
from fmb_aion.surveys import ACCEPTS, DES_BANDS, HSC_BANDS, HSC_UNIT

LEGACY = InputInfo(
    kind="images",
    unit="3.631e-06 Jy",
    bands=DES_BANDS,
    shape=(152, 152),
    pixel_scale_arcsec=0.262,
)
HSC = replace(LEGACY, unit=HSC_UNIT, bands=HSC_BANDS, shape=(160, 160), pixel_scale_arcsec=0.168)
EUCLID = InputInfo(
    kind="images",
    unit="uJy",
    bands=("VIS", "NISP-Y", "NISP-J", "NISP-H"),
    shape=(96, 96),
    pixel_scale_arcsec=0.1,
)
DESI = InputInfo(
    kind="spectra",
    unit="1e-17 erg / (s cm2 Angstrom)",
    shape=(7781,),
    wavelength_aa=(3600.0, 9824.0),
)


def bind(*, wanted=None, allow=False, **inputs):
    return bind_inputs("aion", ACCEPTS, inputs, wanted=wanted or {}, allow_out_of_domain=allow)


def test_the_instruments_of_the_demo_survey_are_told_apart():
    bound = bind(euclid=EUCLID, legacysurvey=LEGACY, desi=DESI)
    assert bound.slots == {"image": "legacysurvey", "spectrum": "desi"}
    assert not bound.out_of_domain


@pytest.mark.parametrize(
    "info", [HSC, replace(HSC, bands=HSC_BANDS[1:3]), replace(LEGACY, bands=("DES-Z", "DES-G"))]
)
def test_images_of_both_surveys_and_some_of_their_bands_fit(info):
    assert bind(camera=info).slots == {"image": "camera"}


def test_two_surveys_are_a_choice_for_the_user():
    with pytest.raises(DataError, match="hsc and legacysurvey both fit image; choose with"):
        bind(hsc=HSC, legacysurvey=LEGACY)
    chosen = bind(hsc=HSC, legacysurvey=LEGACY, wanted={"image": "hsc"})
    assert chosen.slots == {"image": "hsc"}


@pytest.mark.parametrize(
    ("info", "told"),
    [
        (EUCLID, "other bands need an adapter in the weights, which `fmb retrain aion` makes"),
        (replace(LEGACY, bands=("DES-G", "HSC-R")), "has bands DES-G, HSC-R, the weights take"),
        (replace(LEGACY, unit="display"), "has unit 'display', the weights need nmgy or Jy"),
        (replace(LEGACY, shape=(95, 152)), "is 95 x 152 pixels, the weights need at least 96"),
        (
            replace(LEGACY, pixel_scale_arcsec=0.1),
            'pixel scale 0.1", trained on 0.249-0.275".*--allow-out-of-domain',
        ),
    ],
)
def test_images_that_do_not_fit_are_refused_in_one_line(info, told):
    with pytest.raises(DataError, match=told) as raised:
        bind(camera=info)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("info", "told"),
    [
        (replace(DESI, calibrated=False), "is not flux-calibrated"),
        (replace(DESI, unit="counts"), "has unit 'counts'"),
        (replace(DESI, wavelength_aa=(360.0, 982.4)), "covers 360-982 A.*are these nanometres"),
        (replace(DESI, wavelength_aa=(11_000.0, 17_000.0)), "the weights 3500-10462 A$"),
    ],
)
def test_spectra_that_do_not_fit_are_refused_in_one_line(info, told):
    with pytest.raises(DataError, match=told) as raised:
        bind(desi=info)
    assert "\n" not in str(raised.value)


def test_spectra_of_another_instrument_are_out_of_domain():
    with pytest.raises(DataError, match="trained on desi, sdss, boss, eboss"):
        bind(weave=DESI)
    assert bind(weave=DESI, allow=True).slots == {"spectrum": "weave"}


def test_a_survey_of_euclid_images_alone_ends_with_2_and_the_way_out(tmp_path, monkeypatch):
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["id"] = np.arange(4)
        file["image"] = np.ones((4, 4, 96, 96), dtype=np.float32)
    (tmp_path / "survey.toml").write_text(
        'name = "q1"\nfile = "data.h5"\n[catalog]\nid = "id"\n[inputs.euclid]\nkind = "images"\n'
        'flux = "image"\nbands = ["VIS", "NISP-Y", "NISP-J", "NISP-H"]\nunit = "uJy"\n'
        "pixel_scale_arcsec = 0.1\n"
    )
    monkeypatch.setenv("FMB_HOME", str(tmp_path / "home"))
    arguments = ["--model", "aion", "--weights", "random", "--detector", "gaussian"]
    data = ["--data", str(tmp_path / "survey.toml")]
    result = CliRunner().invoke(main, ["run", *arguments, *data], prog_name="fmb")
    assert result.exit_code == 2
    assert "`fmb retrain aion` makes" in result.stderr
    assert "euclid has bands VIS, NISP-Y, NISP-J, NISP-H" in result.stderr
