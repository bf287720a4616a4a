import pickle

import numpy as np
import pytest
import torch
from aion import AION
from aion.codecs import ImageCodec, SpectrumCodec

from fmb import Batch, Config, ConfigError, DataError
from fmb.torch.embedders import Mean
from fmb_aion.config import AionConfig
from fmb_aion.parts import Parts
from fmb_aion.presets import random_card
from fmb_aion.recipes import unpack_card

VIEWS = ["image", "spectrum", "joint"]


def vectors(model, inputs, views=VIEWS):
    return {v: Mean(Config()).reduce(t).numpy() for v, t in model.encode(inputs, views).items()}


def test_a_batch_becomes_one_finite_vector_a_view(random_model, legacy_desi, sources):
    model = random_model()
    inputs = model.preparer(sources)(legacy_desi(3))
    found = model.encode(inputs, VIEWS)
    shapes = {view: tuple(tokens.values.shape) for view, tokens in found.items()}
    assert shapes == {"image": (3, 576, 64), "spectrum": (3, 273, 64), "joint": (3, 849, 64)}
    for vector in vectors(model, inputs).values():
        assert np.isfinite(vector).all()
        assert (np.ptp(vector, axis=0) > 0).all()


def test_random_codecs_tell_objects_apart(random_model, legacy_desi, sources):
    inputs = random_model().preparer(sources)(legacy_desi(6))
    sizes, recipe = unpack_card(random_card(AionConfig(), 0), "card")
    numbers = Parts.drawn(sizes, 0).tokenise(
        inputs, ["image", "spectrum"], recipe, torch.device("cpu")
    )
    for _, tokens in numbers.values():
        assert len(tokens.unique()) > 50
        assert (tokens[0] != tokens[1]).float().mean() > 0.1


@pytest.mark.parametrize("size", [1, 8])
def test_vectors_do_not_depend_on_the_batch(random_model, legacy_desi, sources, size):
    model = random_model()
    inputs = model.preparer(sources)(legacy_desi(16))
    together = vectors(model, inputs)
    parts = [
        vectors(model, inputs.take(np.arange(start, start + size))) for start in range(0, 16, size)
    ]
    for view in VIEWS:
        alone = np.concatenate([found[view] for found in parts])
        assert np.abs(alone - together[view]).max() < 1e-5 * np.abs(together[view]).max()


def test_vectors_of_an_object_do_not_depend_on_others_without_a_spectrum(
    random_model, legacy_desi, sources
):
    model, batch = random_model(), legacy_desi(6)
    whole = vectors(model, model.preparer(sources)(batch))
    # as the core groups a survey in which objects 1 and 4 have no spectrum
    kept, without = np.array([0, 2, 3, 5]), np.array([1, 4])
    both = vectors(model, model.preparer(sources)(batch.take(kept)))
    images = Batch(
        ids=without,
        inputs={"legacysurvey": batch.inputs["legacysurvey"].take(without)},
        rows={"legacysurvey": np.arange(2)},
    )
    image_only = vectors(model, model.preparer({"image": "legacysurvey"})(images), ["image"])
    for view in VIEWS:
        scale = np.abs(whole[view]).max()
        assert np.abs(both[view] - whole[view][kept]).max() < 1e-5 * scale
    scale = np.abs(whole["image"]).max()
    assert np.abs(image_only["image"] - whole["image"][without]).max() < 1e-5 * scale


def test_encoding_twice_gives_the_same_and_leaves_the_inputs(random_model, legacy_desi, sources):
    model, batch = random_model(), legacy_desi(2)
    batch.inputs["legacysurvey"].flux[:, :, 50, 50] = 100  # beyond the codec's clamps
    inputs = model.preparer(sources)(batch)
    before = {name: array.copy() for name, array in inputs.arrays.items()}
    first, second = vectors(model, inputs), vectors(model, inputs)
    for view in VIEWS:
        np.testing.assert_array_equal(first[view], second[view])
    for name, array in inputs.arrays.items():
        np.testing.assert_array_equal(array, before[name])


def test_the_joint_vector_sees_both_inputs_and_the_others_their_own(
    random_model, legacy_desi, sources, changed
):
    model, batch = random_model(), legacy_desi(3)
    other = legacy_desi(3, seed=1)
    first = vectors(model, model.preparer(sources)(batch))
    for slot, name in sources.items():
        mixed = changed(batch, name, flux=other.inputs[name].flux)
        found = vectors(model, model.preparer(sources)(mixed))
        untouched = "spectrum" if slot == "image" else "image"
        assert np.abs(found["joint"] - first["joint"]).max() > 1e-4
        assert np.abs(found[slot] - first[slot]).max() > 1e-4
        np.testing.assert_array_equal(found[untouched], first[untouched])


def test_a_view_is_the_same_whatever_is_asked_for_beside_it(random_model, legacy_desi, sources):
    model = random_model()
    inputs = model.preparer(sources)(legacy_desi(3))
    together = vectors(model, inputs)
    for view in VIEWS:
        alone = vectors(model, inputs, [view])
        assert list(alone) == [view]
        np.testing.assert_array_equal(alone[view], together[view])


def test_each_input_is_tokenised_once_for_all_views(
    random_model, legacy_desi, sources, monkeypatch
):
    model = random_model()
    inputs = model.preparer(sources)(legacy_desi(2))
    calls = []
    for codec in (ImageCodec, SpectrumCodec):

        def counted(self, x, codec=codec, encode=codec.encode):
            calls.append(codec)
            return encode(self, x)

        monkeypatch.setattr(codec, "encode", counted)
    model.encode(inputs, VIEWS)
    assert calls == [ImageCodec, SpectrumCodec]


def test_lower_precision_changes_vectors_a_little_and_tokens_not_at_all(
    random_model, legacy_desi, sources, monkeypatch
):
    exact, rough = random_model(), random_model(precision="bf16")
    inputs = exact.preparer(sources)(legacy_desi(2))
    seen = []
    encode = AION.encode

    def watched(self, numbers, **options):
        seen.append(numbers)
        return encode(self, numbers, **options)

    monkeypatch.setattr(AION, "encode", watched)
    found = vectors(exact, inputs, ["joint"])["joint"], vectors(rough, inputs, ["joint"])["joint"]
    for domain, tokens in seen[0].items():
        assert torch.equal(tokens, seen[1][domain])
    assert np.isfinite(found[1]).all()
    assert found[1].dtype == np.float32
    # bfloat16 has 8 bits
    assert 0 < np.abs(found[0] - found[1]).max() < 2**-6 * np.abs(found[0]).max()


def test_invalid_objects_are_told_apart_before_anything_is_computed(
    random_model, legacy_desi, sources, changed
):
    batch = legacy_desi(3)
    flux = batch.inputs["legacysurvey"].flux.copy()
    flux[0] = np.nan
    mask = batch.inputs["desi"].mask.copy()
    mask[2] = True
    batch = changed(changed(batch, "legacysurvey", flux=flux), "desi", mask=mask)
    inputs = random_model().preparer(sources)(batch)
    assert inputs.valid["image"].tolist() == [False, True, True]
    assert inputs.valid["spectrum"].tolist() == [True, True, False]
    assert [bool(text) for text in inputs.reasons["image"]] == [True, False, False]
    assert [bool(text) for text in inputs.reasons["spectrum"]] == [False, False, True]


@pytest.mark.parametrize(
    ("source", "option", "domain"),
    [
        ("desi", "auto", "tok_spectrum_desi"),
        ("weave", "auto", "tok_spectrum_desi"),
        ("sdss", "auto", "tok_spectrum_sdss"),
        ("boss", "auto", "tok_spectrum_sdss"),
        ("eboss", "auto", "tok_spectrum_sdss"),
        ("sdss", "desi", "tok_spectrum_desi"),
        ("desi", "sdss", "tok_spectrum_sdss"),
    ],
)
def test_the_survey_of_a_spectrum_is_its_instruments_or_the_one_that_is_set(
    random_model, legacy_desi, batch_of, source, option, domain
):
    model = random_model(spectrum_survey=option)
    batch = batch_of(**{source: legacy_desi(1).inputs["desi"]})
    inputs = model.preparer({"spectrum": source})(batch)
    assert set(inputs.arrays) == {f"{domain}.{n}" for n in ("flux", "ivar", "mask", "wavelength")}
    assert model.encode(inputs, ["spectrum"])["spectrum"].values.shape == (1, 273, 64)


def test_the_same_spectrum_of_another_survey_is_another_vector(random_model, legacy_desi, batch_of):
    spectra = legacy_desi(1).inputs["desi"]
    model = random_model()
    found = [
        vectors(
            model, model.preparer({"spectrum": name})(batch_of(**{name: spectra})), ["spectrum"]
        )
        for name in ("desi", "sdss")
    ]
    assert np.abs(found[0]["spectrum"] - found[1]["spectrum"]).max() > 1e-3


def test_the_preparer_pickles_and_gives_the_same(random_model, legacy_desi, sources):
    model, batch = random_model(), legacy_desi(2)
    prepare = model.preparer(sources)
    stored = pickle.dumps(prepare)
    assert len(stored) < 4096  # no weights in it
    first, second = prepare(batch), pickle.loads(stored)(batch)
    for name, array in first.arrays.items():
        np.testing.assert_array_equal(second.arrays[name], array)


def test_a_batch_with_missing_inputs_is_refused(random_model, legacy_desi, sources):
    batch = legacy_desi(3)
    part = Batch(
        ids=batch.ids,
        inputs={**batch.inputs, "desi": batch.inputs["desi"].take([0, 2])},
        rows={**batch.rows, "desi": np.array([0, 2])},
    )
    with pytest.raises(DataError, match="'desi' is there for 2 of 3 objects"):
        random_model().preparer(sources)(part)
    with pytest.raises(DataError, match="expected Spectra, the batch has a Images"):
        random_model().preparer({"spectrum": "legacysurvey"})(batch)


def test_an_unknown_view_is_refused(random_model, legacy_desi, sources):
    model = random_model()
    with pytest.raises(ConfigError, match="view 'images': AION gives image, spectrum, joint"):
        model.encode(model.preparer(sources)(legacy_desi(1)), ["images"])
