import json
import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from fmb import Batch, ConfigError, DataError, Inputs, Tokens, WeightsError
from fmb_astroclip.config import AstroCLIPConfig
from fmb_astroclip.model import AstroCLIPModel

VIEWS = ["image", "spectrum"]


def vectors(model, inputs, views=VIEWS):
    return {
        view: tokens.values[:, 0].numpy() for view, tokens in model.encode(inputs, views).items()
    }


def test_a_batch_becomes_one_finite_token_a_view(random_model, legacy_desi, sources):
    model = random_model()
    inputs = model.preparer(sources)(legacy_desi(3))
    found = model.encode(inputs, VIEWS)
    assert all(isinstance(tokens, Tokens) for tokens in found.values())
    assert {view: tuple(tokens.values.shape) for view, tokens in found.items()} == {
        "image": (3, 1, 128),
        "spectrum": (3, 1, 128),
    }
    for vector in vectors(model, inputs).values():
        assert np.isfinite(vector).all()
        assert (np.ptp(vector, axis=0) > 0).all()


@pytest.mark.parametrize("fixture", ["random", "reference"])
def test_vectors_do_not_depend_on_the_batch(
    fixture, random_model, reference_model, legacy_desi, sources
):
    model = random_model() if fixture == "random" else reference_model
    inputs = model.preparer(sources)(legacy_desi(24))
    together = vectors(model, inputs)
    for rows in ([0], [23, 5], [11, 3, 17, 2, 19]):
        for view, some in vectors(model, inputs.take(np.array(rows))).items():
            scale = np.abs(together[view]).max()
            assert np.abs(some - together[view][rows]).max() < 1e-5 * scale


def test_spectra_of_different_lengths_share_a_batch_without_touching_each_other(
    reference_model, spectra_of
):
    rng = np.random.default_rng(0)
    whole = rng.normal(2, 1, (4, 500))
    lengths = [500, 431, 300, 431]
    grid = np.tile(3600 + 0.8 * np.arange(500), (4, 1))
    for row, length in zip(grid, lengths, strict=True):
        row[length:] = -1
    together = spectra_batch(spectra_of(whole, wavelength_aa=grid))
    inputs = reference_model.preparer({"spectrum": "desi"})(together)
    assert inputs.arrays["spectrum_pixels"].tolist() == lengths
    found = vectors(reference_model, inputs, ["spectrum"])["spectrum"]
    for i, length in enumerate(lengths):
        alone = spectra_batch(spectra_of(whole[i : i + 1, :length]))
        inputs = reference_model.preparer({"spectrum": "desi"})(alone)
        vector = vectors(reference_model, inputs, ["spectrum"])["spectrum"]
        np.testing.assert_allclose(found[i], vector[0], atol=1e-5)


def spectra_batch(spectra):
    rows = np.arange(len(spectra))
    return Batch(ids=rows, inputs={"desi": spectra}, rows={"desi": rows})


def test_a_view_is_the_same_whatever_is_asked_for_beside_it(random_model, legacy_desi, sources):
    model = random_model()
    inputs = model.preparer(sources)(legacy_desi(4))
    together = vectors(model, inputs)
    for view in VIEWS:
        alone = vectors(model, inputs, [view])
        assert list(alone) == [view]
        np.testing.assert_array_equal(alone[view], together[view])


def test_what_is_masked_does_not_reach_the_vectors(reference_model, legacy_desi, sources):
    batch, found = legacy_desi(2), []
    for value in (np.nan, 1e6):
        changed = {}
        for name, data in batch.inputs.items():
            flux, mask = data.flux.copy(), np.zeros(data.flux.shape, dtype=bool)
            mask[..., 60:90] = True
            flux[mask] = value
            changed[name] = type(data)(**{**vars(data), "flux": flux, "mask": mask})
        inputs = reference_model.preparer(sources)(
            Batch(ids=batch.ids, inputs=changed, rows=batch.rows)
        )
        assert inputs.valid["image"].all()
        assert inputs.valid["spectrum"].all()
        found.append(vectors(reference_model, inputs))
    for view in VIEWS:
        np.testing.assert_array_equal(found[0][view], found[1][view])


def test_the_preparer_pickles_and_gives_the_same(random_model, legacy_desi, sources):
    batch = legacy_desi(2)
    prepare = random_model().preparer(sources)
    stored = pickle.dumps(prepare)
    assert len(stored) < 4096  # no weights in it
    first, second = prepare(batch), pickle.loads(stored)(batch)
    for name, array in first.arrays.items():
        np.testing.assert_array_equal(second.arrays[name], array)


def test_only_fed_slots_are_prepared(random_model, legacy_desi):
    prepared = random_model().preparer({"image": "legacysurvey"})(legacy_desi(2))
    assert set(prepared.valid) == set(prepared.arrays) == {"image"}


def test_a_batch_with_missing_inputs_is_refused(random_model, legacy_desi, sources):
    whole = legacy_desi(3)
    part = Batch(
        ids=whole.ids,
        inputs={**whole.inputs, "desi": whole.inputs["desi"].take([0, 2])},
        rows={**whole.rows, "desi": np.array([0, 2])},
    )
    with pytest.raises(DataError, match="'desi' is there for 2 of 3 objects"):
        random_model().preparer(sources)(part)
    with pytest.raises(DataError, match="expected Spectra, the batch has a Images"):
        random_model().preparer({"spectrum": "legacysurvey"})(whole)


def test_random_weights_come_from_the_seed_alone(random_model, legacy_desi, sources):
    inputs = random_model().preparer(sources)(legacy_desi(2))
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = vectors(random_model(seed=7), inputs)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    again, other = vectors(random_model(seed=7), inputs), vectors(random_model(seed=8), inputs)
    for view in VIEWS:
        np.testing.assert_array_equal(first[view], again[view])
        assert np.abs(first[view] - other[view]).max() > 1e-3


def test_reduced_precision_is_close_and_comes_back_finite(random_model, legacy_desi, sources):
    inputs = random_model().preparer(sources)(legacy_desi(2))
    model = random_model(precision="bf16")
    exact = vectors(random_model(), inputs)
    for view, tokens in model.encode(inputs, VIEWS).items():
        rough = tokens.values[:, 0].float().numpy()
        scale = np.abs(exact[view]).max()
        assert 0 < np.abs(exact[view] - rough).max() < 0.05 * scale  # 8 bits of mantissa


def test_a_view_the_network_does_not_give_is_named(random_model):
    with pytest.raises(ConfigError, match="view 'joint': the network gives image, spectrum"):
        random_model().encode(Inputs(arrays={}, valid={}), ["joint"])


def load(folder):
    model = AstroCLIPModel(AstroCLIPConfig())
    model.load(folder)
    return model


def test_weights_load_strictly_and_name_what_is_wrong_in_one_line(reference_folder):
    path = reference_folder / "model.safetensors"
    state = load_file(path)
    del state["image_encoder.backbone.norm.weight"]
    state["extra"] = torch.zeros(2)
    state["spectrum_encoder.mlp.encoder.bias"] = torch.zeros(3)
    save_file(state, path)
    with pytest.raises(WeightsError) as raised:
        load(reference_folder)
    message = str(raised.value)
    assert "\n" not in message
    assert "missing: image_encoder.backbone.norm.weight" in message
    assert "unexpected: extra" in message
    assert "other size: spectrum_encoder.mlp.encoder.bias (3,), expected (128,)" in message


def test_tensors_that_the_card_does_not_list_are_not_loaded(reference_folder):
    card = reference_folder / "card.json"
    (reference_folder / "b.safetensors").hardlink_to(reference_folder / "model.safetensors")
    card.write_text(json.dumps(json.loads(card.read_text()) | {"files": ["b.safetensors"]}))
    with pytest.raises(WeightsError, match=r"loads model\.safetensors, which is not listed"):
        load(reference_folder)


def test_truncated_tensors_are_said_in_one_line(reference_folder):
    path = reference_folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="not a whole safetensors file") as raised:
        load(reference_folder)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"model":"astroclip"', '"model":"aion"', "are for model 'aion'"),
        ('"cross_heads":4', '"cross_heads":5', "32 is not a multiple of 5 heads"),
        ('"size_px":144', '"size_px":140', "not a multiple of the patch of 12 px"),
        ('"planes":[2,1,0]', '"planes":[2,1,1]', "planes must name 0, 1 and 2 once each"),
        ('"overlap_px":10', '"overlap_px":20', "needs overlap_px < section_px"),
        ('"unit":"nmgy"', '"unit":"Jy"', "unit = 'Jy'"),
        ('"softening":20.0', '"softenin":20.0', "did you mean 'softening'"),
    ],
)
def test_a_card_that_contradicts_itself_is_refused(reference_folder, old, new, told):
    card = reference_folder / "card.json"
    text = card.read_text()
    assert old in text
    card.write_text(text.replace(old, new))
    with pytest.raises(WeightsError, match=told) as raised:
        load(reference_folder)
    assert str(card) in str(raised.value)
    assert "\n" not in str(raised.value)
