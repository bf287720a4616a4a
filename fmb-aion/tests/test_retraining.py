"""`fmb retrain aion`: before it Euclid is refused, after it the folder takes Euclid's images."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file, save_file

from fmb import Config, DataError, InputInfo, WeightsError
from fmb.cli import main
from fmb.matching.bindings import bind_inputs
from fmb.torch.embedders import Mean
from fmb.weights import read_card
from fmb_aion.adapted import prepare_adapted
from fmb_aion.config import AionConfig
from fmb_aion.model import AionModel
from fmb_aion.parts import Parts
from fmb_aion.presets import FILES, sizes_of
from fmb_aion.recipes import AdapterRecipe, AdapterSizes
from fmb_aion.surveys import ACCEPTS, DES_BANDS, EUCLID_BANDS
from fmb_surveys.demo.survey import DemoSurvey

DEMO = ("--data", "demo", "--set", 'data.inputs=["euclid"]')
SMALL = ("--set", "data.n_objects=24", "--set", "train.hidden=8", "--batch-size", "4")
EUCLID = InputInfo(
    kind="images", unit="uJy", bands=EUCLID_BANDS, shape=(96, 96), pixel_scale_arcsec=0.1
)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("aion")


@pytest.fixture(scope="module")
def fmb(place):
    """Run `fmb` in this process, with a workspace of this module."""

    def invoke(*args):
        env = {"FMB_HOME": str(place / "home")}
        result = CliRunner().invoke(main, [str(a) for a in args], prog_name="fmb", env=env)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


@pytest.fixture(scope="module")
def trained(fmb, place) -> Path:
    """A folder of random weights with an adapter that has learned for 30 updates."""
    args = ("retrain", "aion", *DEMO, "--weights", "random", *SMALL, "--set", "train.steps=30")
    done = fmb(*args, "--out", place / "trained")
    assert done.exit_code == 0, done.stderr
    return place / "trained"


def history(folder):
    with (folder / "training" / "history.csv").open() as stream:
        return [{k: float(v or "nan") for k, v in row.items()} for row in csv.DictReader(stream)]


def bind(folder, **inputs):
    accepts = read_card(folder).accepts
    return bind_inputs("aion", accepts, inputs, wanted={}, allow_out_of_domain=False)


def loaded(folder):
    model = AionModel(AionConfig())
    model.load(folder)
    return model


def euclid_batch(n=3):
    return DemoSurvey(n, 0, ["euclid"]).read(np.arange(n))


def vectors(model, batch, sources):
    inputs = model.preparer(sources)(batch)
    return Mean(Config()).reduce(model.encode(inputs, ["image"])["image"]).numpy()


def test_before_a_training_euclid_is_refused_with_the_way_out_and_after_it_runs(fmb, trained):
    run = ("run", "--model", "aion", *DEMO, "--set", "data.n_objects=24",
           "--detector", "gaussian", "--plot", "score-histogram")  # fmt: skip
    before = fmb(*run, "--weights", "random")
    assert before.exit_code == 2
    assert "`fmb retrain aion` makes" in before.stderr
    after = fmb(*run, "--weights", trained)
    assert after.exit_code == 0, after.stderr
    assert "out of domain" not in after.stderr


def test_held_out_images_come_back_much_better_than_through_the_untrained_adapter(trained):
    rows = history(trained)
    assert rows[-1]["validation_loss"] < 0.5 * rows[0]["validation_loss"]
    for band in EUCLID_BANDS:
        assert rows[-1][f"validation_{band}"] < rows[0][f"validation_{band}"]


def test_the_card_says_bands_unit_pixels_sizes_and_files(trained):
    card = read_card(trained)
    assert card.random_seed is None
    assert card.architecture["adapter"]["hidden"] == 8
    adapter = card.preprocessing["adapter"]
    assert adapter["bands"] == list(EUCLID_BANDS)
    assert (adapter["unit"], adapter["field_px"]) == ("uJy", 96)
    assert set(card.files) == {
        *FILES.values(), "codecs/image/decoder.safetensors", "adapter.safetensors",
    }  # fmt: skip
    (new,) = [a for a in card.accepts if a.bands == EUCLID_BANDS]
    assert new.instruments == ("euclid",)
    assert (new.pixel_scale_arcsec, new.min_size_px) == ((0.1, 0.1), 96)
    assert [a for a in card.accepts if a.bands != EUCLID_BANDS] == list(ACCEPTS)
    assert card.training["weights"]["name"] == "random"
    assert card.training["inputs"] == {"image": "euclid"}


def test_everything_but_the_adapter_is_as_it_was_drawn(trained, fmb, place):
    (start,) = (place / "home" / "weights").glob("aion-random-*")
    drawn = Parts.drawn(sizes_of("small"), read_card(start).random_seed, decoder=True)
    for part, file in FILES.items():
        state = getattr(drawn, part).state_dict()
        stored = load_file(trained / file)
        if part == "image_codec":
            stored |= load_file(trained / "codecs/image/decoder.safetensors")
        assert set(stored) == set(state)
        assert all(torch.equal(stored[name], state[name]) for name in state)


def test_vectors_change_with_the_image_and_not_with_the_batch(trained):
    model, batch = loaded(trained), euclid_batch()
    found = vectors(model, batch, {"image": "euclid"})
    assert found.shape == (3, 64)
    assert np.abs(found[0] - found[1]).max() > 1e-3
    alone = vectors(model, batch.take(np.array([1])), {"image": "euclid"})
    assert np.abs(alone[0] - found[1]).max() < 1e-5 * np.abs(found).max()
    images = batch.inputs["euclid"]
    brighter = replace(batch, inputs={"euclid": replace(images, flux=2 * images.flux)})
    assert np.abs(vectors(model, brighter, {"image": "euclid"}) - found).max() > 1e-3


def test_the_same_image_in_another_unit_gives_the_same_vector(trained):
    model, batch = loaded(trained), euclid_batch(1)
    images = batch.inputs["euclid"]
    in_jy = replace(images, flux=(images.flux.astype(float) * 1e-6).astype(np.float32), unit="Jy")
    found = [
        vectors(model, replace(batch, inputs={"euclid": given}), {"image": "euclid"})
        for given in (images, in_jy)
    ]
    # rounding of the unit may tip one of 576 codes
    np.testing.assert_allclose(*found, atol=0.02)


def test_the_codecs_own_bands_give_what_they_gave_before(trained, random_model, legacy_desi, place):
    batch, sources = legacy_desi(2), {"image": "legacysurvey"}
    (start,) = (place / "home" / "weights").glob("aion-random-*")
    model = random_model(seed=read_card(start).random_seed)
    np.testing.assert_array_equal(
        vectors(loaded(trained), batch, sources), vectors(model, batch, sources)
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"unit": "counts"}, "has unit 'counts', the weights need uJy or nmgy"),
        ({"unit": "display"}, "has unit 'display'"),
        ({"bands": EUCLID_BANDS[:3]}, "VIS, NISP-Y, NISP-J, the weights"),
        ({"bands": ("VIS", "Y", "J", "H")}, "has bands VIS, Y, J, H, the weights"),
        ({"shape": (95, 96)}, "is 95 x 96 pixels, the weights need at least 96"),
        ({"pixel_scale_arcsec": 0.3}, 'pixel scale 0.3", trained on 0.1-0.1"'),
    ],
)
def test_euclid_images_that_do_not_fit_are_refused_in_one_line(trained, changes, told):
    with pytest.raises(DataError, match=told) as raised:
        bind(trained, euclid=replace(EUCLID, **changes))
    assert "\n" not in str(raised.value)
    assert bind(trained, euclid=EUCLID).slots == {"image": "euclid"}


def test_a_survey_with_euclid_and_legacy_images_is_a_choice_for_the_user(trained):
    legacy = replace(
        EUCLID, unit="nmgy", bands=DES_BANDS, shape=(152, 152), pixel_scale_arcsec=0.262
    )
    with pytest.raises(DataError, match=r"both fit image; choose with --input aion\.image="):
        bind(trained, euclid=EUCLID, legacysurvey=legacy)
    assert bind(trained, legacysurvey=legacy).slots == {"image": "legacysurvey"}


def test_a_training_takes_no_survey_that_needs_no_adapter(fmb, place):
    args = ("retrain", "aion", "--data", "demo", "--set", 'data.inputs=["legacysurvey"]')
    done = fmb(*args, "--weights", "random", *SMALL, "--out", place / "refused")
    assert done.exit_code == 2
    assert "legacysurvey has bands DES-G" in done.stderr
    assert "the weights need VIS, NISP-Y, NISP-J, NISP-H" in done.stderr


@pytest.mark.parametrize("spoilt", ["missing", "unexpected", "gone"])
def test_the_adapters_file_is_loaded_strictly(trained, fmb, tmp_path, spoilt):
    folder = tmp_path / "w"
    shutil.copytree(trained, folder)
    path = folder / "adapter.safetensors"
    state = load_file(path)
    if spoilt == "gone":
        path.unlink()
    elif spoilt == "missing":
        save_file({n: t for n, t in state.items() if n != "to_hsc.out.bias"}, path)
    else:
        save_file(state | {"extra": torch.zeros(1)}, path)
    told = {"missing": r"missing: to_hsc\.out\.bias", "unexpected": "unexpected: extra",
            "gone": "cannot be read"}[spoilt]  # fmt: skip
    with pytest.raises(WeightsError, match=told):
        loaded(folder)
    if spoilt == "gone":
        done = fmb("embed", "--model", "aion", *DEMO, "--weights", folder)
        assert "adapter.safetensors is missing" in done.stderr


def test_a_card_that_half_speaks_of_an_adapter_is_refused(trained, tmp_path):
    card = json.loads((trained / "card.json").read_text())
    card["preprocessing"]["adapter"] = None
    (tmp_path / "card.json").write_text(json.dumps(card))
    with pytest.raises(WeightsError, match="differ on having an adapter"):
        loaded(tmp_path)


def test_a_training_goes_on_from_a_folder_and_copies_what_it_does_not_train(fmb, trained, place):
    args = ("retrain", "aion", *DEMO, "--weights", trained, "--set", "data.n_objects=24")
    half = ("--set", "train.stored=float16")
    done = fmb(*args, *half, "--batch-size", "4", "--set", "train.steps=4", "--out", place / "more")
    assert done.exit_code == 0, done.stderr
    rows = history(place / "more")
    assert rows[0]["validation_loss"] == pytest.approx(
        min(row["validation_loss"] for row in history(trained)), rel=1e-5
    )
    card = read_card(place / "more")
    stored = load_file(place / "more" / "adapter.safetensors")
    assert {value.dtype for value in stored.values()} == {torch.float16}
    for file in (f for f in card.files if f != "adapter.safetensors"):
        assert (place / "more" / file).read_bytes() == (trained / file).read_bytes()
    assert card.accepts == read_card(trained).accepts
    assert np.isfinite(vectors(loaded(place / "more"), euclid_batch(1), {"image": "euclid"})).all()


def test_an_imported_folder_is_trained_and_its_codec_stays_to_the_byte(fmb, golden_model, place):
    args = ("retrain", "aion", *DEMO, "--weights", golden_model, *SMALL, "--set", "train.steps=5")
    done = fmb(*args, "--set", "train.learning_rate=1e-3", "--out", place / "golden")
    assert done.exit_code == 0, done.stderr
    (start,) = (place / "home" / "weights").glob("aion-model-*")
    for file in read_card(start).files:
        assert (place / "golden" / file).read_bytes() == (start / file).read_bytes()
    (new,) = [a for a in read_card(place / "golden").accepts if a.bands == EUCLID_BANDS]
    assert new.instruments == ("euclid",)
    run = ("embed", "--model", "aion", *DEMO, "--set", "data.n_objects=24")
    assert fmb(*run, "--weights", place / "golden").exit_code == 0


@pytest.mark.slow
def test_a_longer_training_beats_the_mean_image(fmb, place):
    """The floor is what knows the survey and not the object: each pixel's mean over the survey."""
    args = ("retrain", "aion", *DEMO, "--weights", "random", "--set", "data.n_objects=100",
            "--set", "train.hidden=8", "--batch-size", "4", "--set", "train.steps=250",
            "--set", "train.patience=0", "--out", place / "longer")  # fmt: skip
    done = fmb(*args)
    assert done.exit_code == 0, done.stderr
    images = euclid_batch(100).inputs["euclid"]
    stretched = np.arcsinh(
        prepare_adapted(images, AdapterRecipe(), 0.5).flux
        / np.array(AdapterSizes().softening_ujy)[:, None, None]
    )
    floor = np.square(stretched - stretched.mean(0)).mean()
    rows = history(place / "longer")
    assert rows[-1]["validation_loss"] < 0.1 * rows[0]["validation_loss"]
    assert rows[-1]["validation_loss"] < floor
