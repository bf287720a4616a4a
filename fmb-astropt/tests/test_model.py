import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from fmb import Batch, Config, ConfigError, DataError, Inputs, WeightsError
from fmb.torch.embedders import Mean
from fmb_astropt.config import AstroPTConfig
from fmb_astropt.model import AstroPTModel
from fmb_astropt.presets import random_card

VIEWS = ["image", "spectrum", "joint"]


def vectors(model, inputs, views=VIEWS):
    return {v: Mean(Config()).reduce(t).numpy() for v, t in model.encode(inputs, views).items()}


def test_a_batch_becomes_one_finite_vector_a_view(random_model, euclid_desi, sources):
    model = random_model()
    inputs = model.preparer(sources)(euclid_desi(3))
    found = model.encode(inputs, VIEWS)
    shapes = {view: tuple(tokens.values.shape) for view, tokens in found.items()}
    assert shapes == {"image": (3, 36, 128), "spectrum": (3, 98, 128), "joint": (3, 134, 128)}
    assert found["joint"].segment.tolist() == [0] * 36 + [1] * 98
    for vector in vectors(model, inputs).values():
        assert np.isfinite(vector).all()
        assert (np.ptp(vector, axis=0) > 0).all()


def test_vectors_do_not_depend_on_the_batch(random_model, euclid_desi, sources):
    model = random_model()
    inputs = model.preparer(sources)(euclid_desi(64))
    together = vectors(model, inputs)
    some = range(0, 64, 9)
    one_by_one = [vectors(model, inputs.take(np.array([i]))) for i in some]
    for view in VIEWS:
        alone = np.concatenate([found[view] for found in one_by_one])
        scale = np.abs(together[view]).max()
        assert np.abs(alone - together[view][some]).max() < 1e-5 * scale


def test_a_view_is_the_same_whatever_is_asked_for_beside_it(random_model, euclid_desi, sources):
    model = random_model()
    inputs = model.preparer(sources)(euclid_desi(4))
    together = vectors(model, inputs)
    for view in VIEWS:
        alone = vectors(model, inputs, [view])
        assert list(alone) == [view]
        assert np.abs(alone[view] - together[view]).max() < 1e-5 * np.abs(together[view]).max()


def test_what_is_masked_does_not_reach_the_vectors(random_model, euclid_desi, sources):
    model, batch = random_model(), euclid_desi(2)
    found = []
    for value in (np.nan, 1e6):
        flux = batch.inputs["desi"].flux.copy()
        mask = np.zeros(flux.shape, dtype=bool)
        mask[:, 300:700] = True
        flux[mask] = value
        changed = type(batch.inputs["desi"])(
            **{**vars(batch.inputs["desi"]), "flux": flux, "mask": mask}
        )
        inputs = model.preparer({"spectrum": "desi"})(
            Batch(ids=batch.ids, inputs={"desi": changed}, rows={"desi": np.arange(2)})
        )
        found.append(vectors(model, inputs, ["spectrum"])["spectrum"])
    np.testing.assert_array_equal(found[0], found[1])


def test_the_preparer_pickles_and_gives_the_same(random_model, euclid_desi, sources):
    model, batch = random_model(), euclid_desi(2)
    prepare = model.preparer(sources)
    stored = pickle.dumps(prepare)
    assert len(stored) < 4096  # no weights in it
    first, second = prepare(batch), pickle.loads(stored)(batch)
    for name, array in first.arrays.items():
        np.testing.assert_array_equal(second.arrays[name], array)


def test_only_fed_slots_are_prepared(random_model, euclid_desi):
    prepared = random_model().preparer({"image": "euclid"})(euclid_desi(2))
    assert set(prepared.valid) == {"image"}
    assert set(prepared.arrays) == {"image", "image_mask"}


def test_a_batch_with_missing_inputs_is_refused(random_model, euclid_desi, sources):
    whole = euclid_desi(3)
    part = Batch(
        ids=whole.ids,
        inputs={**whole.inputs, "desi": whole.inputs["desi"].take([0, 2])},
        rows={**whole.rows, "desi": np.array([0, 2])},
    )
    with pytest.raises(DataError, match="'desi' is there for 2 of 3 objects"):
        random_model().preparer(sources)(part)
    with pytest.raises(DataError, match="expected Spectra, the batch has a Images"):
        random_model().preparer({"spectrum": "euclid"})(whole)


def test_random_weights_come_from_the_seed_alone(random_model, euclid_desi, sources):
    inputs = random_model().preparer(sources)(euclid_desi(2))
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = vectors(random_model(seed=7), inputs)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    again, other = vectors(random_model(seed=7), inputs), vectors(random_model(seed=8), inputs)
    for view in VIEWS:
        np.testing.assert_array_equal(first[view], again[view])
        assert np.abs(first[view] - other[view]).max() > 1e-3


def test_reduced_precision_is_close_and_comes_back_finite(random_model, euclid_desi, sources):
    inputs = random_model().preparer(sources)(euclid_desi(2))
    exact, rough = vectors(random_model(), inputs), vectors(random_model(precision="bf16"), inputs)
    for view in VIEWS:
        scale = np.abs(exact[view]).max()
        assert 0 < np.abs(exact[view] - rough[view]).max() < 0.05 * scale  # 8 bits of mantissa


def test_a_view_the_weights_do_not_give_is_named(tmp_path):
    card = random_card(AstroPTConfig(), 0)
    only_images = card.model_copy(
        update={
            "architecture": {
                **card.architecture,
                "modalities": card.architecture["modalities"][:1],
            },
            "preprocessing": {"image": card.preprocessing["image"]},
        }
    )
    (tmp_path / "card.json").write_text(only_images.model_dump_json())
    model = AstroPTModel(AstroPTConfig())
    model.load(tmp_path)
    with pytest.raises(ConfigError, match="view 'joint': these weights give image; choose"):
        model.encode(Inputs(arrays={}, valid={}), ["joint"])


@pytest.fixture
def saved(tmp_path):
    """A folder with a small network's tensors and a card that says they are not random."""
    from fmb_astropt.network import draw_network
    from fmb_astropt.recipes import unpack_card

    card = random_card(AstroPTConfig(), 0)
    small = {**card.architecture, "n_layer": 2, "n_embd": 16}
    card = card.model_copy(update={"architecture": small, "random_seed": None})
    network = draw_network(unpack_card(card, "card")[0], 0)
    (tmp_path / "card.json").write_text(card.model_dump_json())
    save_file(network.state_dict(), tmp_path / "model.safetensors")
    return tmp_path


def load(folder):
    model = AstroPTModel(AstroPTConfig())
    model.load(folder)
    return model


def change(folder, edit):
    path = folder / "model.safetensors"
    state = load_file(path)
    edit(state)
    save_file(state, path)


def test_saved_weights_load(saved):
    assert load(saved)


def test_weights_load_strictly_and_name_what_is_wrong_in_one_line(saved):
    def edit(state):
        del state["transformer.ln_f.weight"]
        state["extra"] = torch.zeros(2)
        state["lm_head.images.c_proj.weight"] = torch.zeros(3, 4)

    change(saved, edit)
    with pytest.raises(WeightsError) as raised:
        load(saved)
    message = str(raised.value)
    assert "\n" not in message
    assert "missing: transformer.ln_f.weight" in message
    assert "unexpected: extra" in message
    assert "other size: lm_head.images.c_proj.weight (3, 4), expected (1024, 64)" in message


def test_weights_of_another_size_list_a_few_and_count_the_rest(saved):
    card = saved / "card.json"
    card.write_text(card.read_text().replace('"n_embd":16', '"n_embd":32'))
    with pytest.raises(WeightsError, match=r"other size: .* and \d+ more$"):
        load(saved)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"model":"astropt"', '"model":"aion"', "are for model 'aion'"),
        ('"n_head":4', '"n_head":5', "not a multiple of 5 heads"),
        ('"patch_px":16,"patch_order"', '"patch_px":8,"patch_order"', "makes tokens of 256"),
        ('"block_size":512', '"block_size":100', "134 tokens do not fit a block of 100"),
        ('"scaling":"asinh-noise"', '"scaling":"zscore"', "scaling = 'zscore'"),
        ('"positions":"index"', '"positions":"wavelength"', "positions of preprocessing.spectrum"),
    ],
)
def test_a_card_that_contradicts_itself_is_refused(saved, old, new, told):
    card = saved / "card.json"
    text = card.read_text()
    assert old in text
    card.write_text(text.replace(old, new))
    with pytest.raises(WeightsError, match=told) as raised:
        load(saved)
    assert str(card) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_truncated_tensor_file_is_said_in_one_line(saved):
    path = saved / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(WeightsError, match="not a whole safetensors file"):
        load(saved)


def test_a_missing_tensor_file_is_said_in_one_line(saved):
    (saved / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"model\.safetensors: cannot be read"):
        load(saved)
