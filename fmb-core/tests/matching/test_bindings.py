from dataclasses import replace

import pytest

from fmb.contract.inputs import InputInfo
from fmb.contract.model import Accepts
from fmb.matching.bindings import bind_inputs, feeds
from fmb.messages.errors import DataError

EUCLID = InputInfo(
    kind="images",
    unit="uJy",
    bands=("VIS", "NISP-Y"),
    shape=(96, 96),
    pixel_scale_arcsec=0.1,
)
HST = InputInfo(
    kind="images", unit="electron / s", bands=("F814W",), shape=(201, 201), pixel_scale_arcsec=0.03
)
DESI = InputInfo(
    kind="spectra", unit="counts", shape=(7781,), wavelength_aa=(3600.0, 9824.0), calibrated=False
)
IMAGE = Accepts(slot="image", kind="images", bands=("VIS",), min_size_px=16)
SPECTRUM = Accepts(slot="spectrum", kind="spectra", wavelength_aa=(3600.0, 9824.0))


def bind(*accepts, inputs, wanted=None, allow=False):
    return bind_inputs("m", accepts, inputs, wanted=wanted or {}, allow_out_of_domain=allow)


def test_each_slot_gets_the_instrument_that_fits_it():
    bound = bind(IMAGE, SPECTRUM, inputs={"euclid": EUCLID, "hst": HST, "desi": DESI})
    assert bound.slots == {"image": "euclid", "spectrum": "desi"}


def test_a_slot_that_nothing_fits_stays_empty():
    assert bind(IMAGE, SPECTRUM, inputs={"hst": HST, "desi": DESI}).slots == {"spectrum": "desi"}


@pytest.mark.parametrize(
    ("accepts", "inputs", "why"),
    [
        (IMAGE, {"hst": HST}, "has bands F814W, the weights need VIS"),
        (Accepts(slot="image", kind="images", min_size_px=300), {"hst": HST}, "at least 300"),
        (
            Accepts(slot="image", kind="images", units=("nmgy",)),
            {"hst": HST},
            "unit 'electron / s'",
        ),
        (Accepts(slot="spectrum", kind="spectra", calibrated=True), {"desi": DESI}, "calibrated"),
        (
            Accepts(slot="spectrum", kind="spectra", wavelength_aa=(10_000.0, 25_000.0)),
            {"desi": DESI},
            "covers 3600-9824 A, the weights 10000-25000 A",
        ),
        (
            Accepts(slot="spectrum", kind="spectra", wavelength_aa=(36_000.0, 98_240.0)),
            {"desi": DESI},
            "covers 3600-9824 A, the weights 36000-98240 A; are these nanometres",
        ),
        (
            Accepts(slot="image", kind="images", bands=("VIS",), other_bands="convert them first"),
            {"hst": HST},
            "has bands F814W, the weights need VIS; convert them first$",
        ),
        (IMAGE, {"desi": DESI}, "the survey has no such input"),
    ],
)
def test_an_input_that_cannot_feed_the_model_is_named_with_the_reason(accepts, inputs, why):
    with pytest.raises(DataError, match=why):
        bind(accepts, inputs=inputs)


def test_of_two_alternatives_the_one_with_the_inputs_bands_says_why():
    other = Accepts(slot="image", kind="images", bands=("K",))
    small = Accepts(slot="image", kind="images", bands=("F814W",), min_size_px=300)
    for alternatives in ((other, small), (small, other)):
        with pytest.raises(DataError, match="is 201 x 201 pixels"):
            bind(*alternatives, inputs={"hst": HST})


def test_a_convertible_unit_is_accepted():
    accepts = Accepts(slot="image", kind="images", units=("nJy",))
    assert bind(accepts, inputs={"euclid": EUCLID}).slots == {"image": "euclid"}


def test_two_instruments_that_fit_one_slot_need_a_choice():
    inputs = {"euclid": EUCLID, "wide": EUCLID}
    with pytest.raises(DataError, match=r"--input m\.image=euclid"):
        bind(IMAGE, inputs=inputs)
    assert bind(IMAGE, inputs=inputs, wanted={"image": "wide"}).slots == {"image": "wide"}


def test_an_instrument_of_the_training_is_preferred():
    known = Accepts(slot="image", kind="images", bands=("VIS",), instruments=("wide",))
    assert bind(known, inputs={"euclid": EUCLID, "wide": EUCLID}).slots == {"image": "wide"}


def test_out_of_domain_data_need_a_word_and_are_tagged():
    scaled = Accepts(slot="image", kind="images", pixel_scale_arcsec=(0.2, 0.3))
    with pytest.raises(DataError, match="--allow-out-of-domain"):
        bind(scaled, inputs={"euclid": EUCLID})
    bound = bind(scaled, inputs={"euclid": EUCLID}, allow=True)
    assert bound.out_of_domain == ('euclid: pixel scale 0.1", trained on 0.2-0.3"',)


def test_a_misspelt_slot_gets_a_suggestion():
    with pytest.raises(DataError, match="did you mean 'image'"):
        bind(IMAGE, inputs={"euclid": EUCLID}, wanted={"images": "euclid"})


def test_an_alternative_of_a_slot_is_enough():
    other = Accepts(slot="image", kind="images", bands=("F814W",))
    assert bind(IMAGE, other, inputs={"hst": HST}).slots == {"image": "hst"}


HSC = Accepts(slot="image", kind="images", bands=("HSC-G", "HSC-R", "HSC-I"), subset=True)
DES = Accepts(slot="image", kind="images", bands=("DES-G", "DES-R", "DES-Z"), subset=True)


def images(*bands):
    return InputInfo(kind="images", unit="nmgy", bands=bands, shape=(96, 96))


def test_a_model_that_takes_any_of_some_bands_takes_a_part_of_them():
    assert bind(HSC, DES, inputs={"hsc": images("HSC-R", "HSC-I")}).slots == {"image": "hsc"}


@pytest.mark.parametrize("bands", [("HSC-R", "DES-R"), ("HSC-R", "VIS"), ("hsc-r",)])
def test_bands_of_two_surveys_in_one_image_are_refused(bands):
    with pytest.raises(DataError, match="take some of HSC-G, HSC-R, HSC-I"):
        bind(HSC, DES, inputs={"hsc": images(*bands)})


def test_a_spectrum_longer_than_the_weights_take_is_refused():
    short = Accepts(slot="spectrum", kind="spectra", max_pixels=7780)
    with pytest.raises(DataError, match="has 7781 pixels, the weights take at most 7780"):
        bind(short, inputs={"desi": DESI})
    assert bind(
        Accepts(slot="spectrum", kind="spectra", max_pixels=7781), inputs={"desi": DESI}
    ).slots == {"spectrum": "desi"}


def test_an_input_feeds_what_it_is_not_refused_for_in_or_out_of_domain():
    assert feeds(IMAGE, "euclid", EUCLID)
    assert feeds(replace(IMAGE, pixel_scale_arcsec=(0.2, 0.3)), "euclid", EUCLID)
    assert not feeds(IMAGE, "hst", HST)
    assert not feeds(IMAGE, "desi", DESI)
