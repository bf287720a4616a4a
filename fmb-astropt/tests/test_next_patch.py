"""Training: upstream's loss and gradients, masks, single inputs, what low rank leaves frozen."""

from typing import ClassVar

import numpy as np
import pytest
import torch
from astropt.model import GPT, GPTConfig, ModalityConfig, ModalityRegistry
from safetensors.torch import load_file, save_file

from fmb import Batch, ConfigError, InputInfo, Inputs, WeightsError
from fmb_astropt.config import AstroPTConfig
from fmb_astropt.model import AstroPTModel
from fmb_astropt.network import embed_tokens
from fmb_astropt.presets import card_of, modalities_for
from fmb_astropt.recipes import Architecture, ImageRecipe, Recipe, SpectrumRecipe
from fmb_astropt.training import AstroPTTraining
from fmb_train import FitJob, fit

SOURCES = {"image": "euclid", "spectrum": "desi"}
SLOTS = {"images": "image", "spectra": "spectrum"}
N_IMAGE, N_SPECTRUM = 16, 13


def card(positions="index", **sizes):
    recipe = Recipe(
        image=ImageRecipe(
            bands=("VIS", "NISP-Y"),
            size_px=32,
            min_size_px=8,
            patch_px=8,
            patch_order="spiral",
            patch_layout="c p1 p2",
            scaling="asinh-noise",
        ),
        spectrum=SpectrumRecipe(
            start_aa=3600,
            step_aa=30.0,
            n_pixels=200,
            patch_px=16,
            normalisation="robust",
            positions=positions,
        ),
    )
    values = {"n_layer": 3, "n_head": 4, "n_embd": 32, "block_size": 64, **sizes}
    architecture = Architecture(**values, modalities=modalities_for(recipe))
    return card_of(architecture, recipe, name="drawn", summary="", random_seed=5)


@pytest.fixture
def model_of(write_card):
    """A model with drawn weights: model_of(sizes of the card)."""

    def build(**sizes) -> AstroPTModel:
        model = AstroPTModel(AstroPTConfig(), seed=9)
        model.load(write_card(card(**sizes)))
        return model

    return build


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    return {
        "image": 2 * rng.normal(size=(3, N_IMAGE, 128)).astype(np.float32),
        "spectrum": 2 * rng.normal(size=(3, N_SPECTRUM, 16)).astype(np.float32),
    }


def inputs_of(arrays, masks=()):
    n = len(next(iter(arrays.values())))
    valid = {slot: np.ones(n, dtype=bool) for slot in arrays}
    return Inputs(arrays={**arrays, **dict(masks)}, valid=valid)


def wavelength_positions(n):
    """Upstream's `process_spectra` on the grid of the card."""
    scaled = (3600 + 30.0 * torch.arange(200, dtype=torch.float64) - 3000) / (10000 - 3000)
    return torch.nn.functional.pad(scaled, (0, 8)).reshape(1, 13, 16).float().repeat(n, 1, 1)


def upstream(network, arrays, names, positions, factors):
    """Predictions and loss of `GPT.forward`, fed as upstream's training scripts feed it."""
    whole = network.modality_registry
    configs = [whole.get_config(name) for name in names]
    for config in configs:
        config.loss_weight = factors.get(config.name, 1.0)
    network.modality_registry = ModalityRegistry(configs)
    found, targets = {}, {}
    for name in names:
        values = torch.from_numpy(arrays[SLOTS[name]])
        n, t = values.shape[:2]
        place = torch.arange(t).repeat(n, 1)
        if name == "spectra" and positions == "wavelength":
            place = wavelength_positions(n)
        end = -1 if len(names) == 1 else None  # one modality: every token but the last predicts
        found |= {name: values[:, :end], f"{name}_positions": place[:, :end]}
        targets[name] = values[:, 1:] if name == names[0] else values
    outputs, loss = network(found, targets=targets)
    network.modality_registry = whole
    return outputs, targets, loss


@pytest.mark.parametrize("names", [["images", "spectra"], ["images"], ["spectra"]], ids="-".join)
@pytest.mark.parametrize(
    "sizes",
    [{}, {"bias": True}, {"tokeniser": "affine"}, {"lora_r": 3}, {"positions": "wavelength"}],
    ids=["plain", "bias", "affine", "lora", "wavelengths"],
)
def test_loss_and_gradients_are_upstreams(model_of, arrays, sizes, names):
    task = model_of(**sizes).task(AstroPTTraining(image_weight=2.0, spectrum_weight=0.5), SOURCES)
    network = task.module
    task.train(True)
    given = {SLOTS[name]: arrays[SLOTS[name]] for name in names}
    loss, parts = task.loss(inputs_of(given))
    assert loss.shape == (3,)
    loss.mean().backward()
    ours = {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}
    network.zero_grad()
    positions = sizes.get("positions", "index")
    factors = {"images": 2.0, "spectra": 0.5}
    _, _, expected = upstream(network, arrays, names, positions, factors)
    # float32: sums in another order, GELU in one kernel
    torch.testing.assert_close(loss.mean(), expected, rtol=1e-6, atol=1e-6)
    mean = sum(factors[name] * parts[SLOTS[name]] for name in names) / len(names)
    torch.testing.assert_close(mean, loss.detach())
    expected.backward()
    theirs = {name: p.grad for name, p in network.named_parameters() if p.grad is not None}
    assert set(ours) == set(theirs)
    for name, gradient in theirs.items():
        torch.testing.assert_close(ours[name], gradient, rtol=1e-4, atol=1e-6, msg=name)


def test_patches_without_data_are_left_out(model_of, arrays):
    task = model_of().task(AstroPTTraining(), SOURCES)
    rng = np.random.default_rng(0)
    masks = {
        "image_mask": rng.random((3, N_IMAGE)) > 0.3,
        "spectrum_mask": rng.random((3, N_SPECTRUM)) > 0.3,
    }
    masks["image_mask"][2] = False
    arrays = {k: np.where(masks[f"{k}_mask"][..., None], v, 0) for k, v in arrays.items()}
    task.train(False)
    with torch.no_grad():
        loss, parts = task.loss(inputs_of(arrays, masks))
        outputs, targets, _ = upstream(task.module, arrays, ["images", "spectra"], "index", {})
    for slot, name, first in (("image", "images", 1), ("spectrum", "spectra", 0)):
        error = np.abs(outputs[name].numpy() - targets[name].numpy())
        huber = np.where(error < 1, error**2 / 2, error - 0.5).mean(2)
        for i in range(3):
            kept = huber[i][masks[f"{slot}_mask"][i, first:]]
            expected = kept.mean() if len(kept) else np.nan
            np.testing.assert_allclose(parts[slot][i], expected, rtol=1e-5)
    known = np.nan_to_num(parts["image"].numpy()) + parts["spectrum"].numpy()
    np.testing.assert_allclose(loss, known / 2, rtol=1e-6)


def test_what_is_masked_cannot_change_the_loss_of_others(model_of, arrays):
    """Objects are alone: nothing of one object enters the loss of another."""
    task = model_of().task(AstroPTTraining(), SOURCES)
    task.train(False)
    with torch.no_grad():
        together, _ = task.loss(inputs_of(arrays))
        alone = [
            task.loss(inputs_of({k: v[i : i + 1] for k, v in arrays.items()}))[0] for i in range(3)
        ]
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-5, atol=1e-6)


def test_checkpointing_gives_the_same_gradients(model_of, arrays):
    found = []
    for checkpointing in (False, True):
        task = model_of().task(AstroPTTraining(checkpointing=checkpointing), SOURCES)
        task.train(True)
        task.loss(inputs_of(arrays))[0].sum().backward()
        found.append([p.grad for p in task.module.parameters() if p.grad is not None])
    for plain, again in zip(*found, strict=True):
        torch.testing.assert_close(plain, again)


def test_dropout_is_on_in_training_only(model_of, arrays):
    task = model_of().task(AstroPTTraining(dropout=0.3), SOURCES)
    given = inputs_of(arrays)
    with torch.no_grad():
        task.train(True)
        assert not torch.equal(task.loss(given)[0], task.loss(given)[0])
        task.train(False)
        assert torch.equal(task.loss(given)[0], task.loss(given)[0])


def test_random_weights_are_drawn_for_the_inputs_there_are(model_of, arrays):
    task = model_of().task(AstroPTTraining(), {"image": "euclid"})
    changes = task.card_changes()
    assert [m["name"] for m in changes["architecture"]["modalities"]] == ["images"]
    assert changes["preprocessing"]["spectrum"] is None
    assert [a.slot for a in changes["accepts"]] == ["image"]
    assert not [name for name in task.weights() if "spectra" in name]
    assert task.loss(inputs_of({"image": arrays["image"]}))[0].shape == (3,)


class Tokens:
    """A survey of which only tokens are there: what the preparer of a task would make of it."""

    inputs: ClassVar = {
        "euclid": InputInfo(kind="images", unit="uJy"),
        "desi": InputInfo(kind="spectra", unit="counts"),
    }

    def __init__(self, n=40):
        rng = np.random.default_rng(1)
        level = rng.normal(size=(n, 1, 1))
        self.image = (level + 0.3 * rng.normal(size=(n, N_IMAGE, 128))).astype(np.float32)
        self.spectrum = (level + 0.3 * rng.normal(size=(n, N_SPECTRUM, 16))).astype(np.float32)
        self.ids = np.arange(n)

    def __len__(self):
        return len(self.ids)

    def read(self, rows, inputs=None):
        return Batch(ids=self.ids[rows], inputs={}, rows={})

    def prepared(self, batch):
        return inputs_of({"image": self.image[batch.ids], "spectrum": self.spectrum[batch.ids]})


@pytest.fixture
def trained(tmp_path):
    """Fit a task on tokens: trained(task, settings); gives what `fit` gives."""

    def run(task, **settings):
        survey = Tokens()
        task.preparer = lambda sources: survey.prepared
        return fit(
            FitJob(
                task=task,
                config=AstroPTTraining(**{"epochs": 3, "batch_size": 8, "warmup": 0, **settings}),
                dataset=survey,
                sources=SOURCES,
                training=np.arange(8, 40),
                validation=np.arange(8),
                folder=tmp_path,
            )
        )

    return run


def test_low_rank_training_changes_only_what_upstream_trains(model_of, trained, write_card):
    plain = model_of(n_layer=2)
    task = plain.task(AstroPTTraining(lora_r=3), SOURCES)
    theirs = GPT(
        GPTConfig(n_layer=2, n_head=4, n_embd=32, block_size=64, lora_r=3),
        ModalityRegistry([ModalityConfig("images", 128, 1, 8, True)]),
        master_process=False,
    )
    frozen = {name for name, p in theirs.named_parameters() if not p.requires_grad}
    assert frozen == {f"transformer.h.{i}.attn.c_attn.weight" for i in range(2)}
    before = {name: p.detach().clone() for name, p in task.module.named_parameters()}
    done = trained(task)
    assert done.best_loss < done.history[0]["validation_loss"]
    rows_used = {"wpe": slice(0, N_SPECTRUM)}  # later positions occur in no sequence
    for name, parameter in task.module.named_parameters():
        part = rows_used["wpe"] if "wpe" in name else slice(None)
        assert torch.equal(parameter[part], before[name][part]) == (name in frozen), name


def test_a_low_rank_update_starts_at_no_change_and_embeds_what_it_learned(
    model_of, trained, arrays, tmp_path
):
    base = tmp_path / "base"
    plain = model_of(n_layer=2)
    save_folder(base, plain.task(AstroPTTraining(), SOURCES), card(n_layer=2))
    model = loaded(base)
    first, low_rank = (model.task(AstroPTTraining(lora_r=r), SOURCES) for r in (None, 4))
    given = inputs_of(arrays)
    with torch.no_grad():
        torch.testing.assert_close(first.loss(given)[0], low_rank.loss(given)[0])
    trained(low_rank)
    tuned = tmp_path / "tuned"
    save_folder(tuned, low_rank, card(n_layer=2))
    again = loaded(tuned).task(AstroPTTraining(), SOURCES)
    with torch.no_grad():
        torch.testing.assert_close(again.loss(given)[0], low_rank.loss(given)[0])
    merged = loaded(tuned).encode(given, ["joint"])["joint"].values
    tokens = {slot: torch.from_numpy(arrays[slot]) for slot in SOURCES}
    x = torch.cat([embed_tokens(low_rank.module, s, t, None) for s, t in tokens.items()], dim=1)
    with torch.no_grad():
        for block in low_rank.module.transformer.h[:2]:
            x = block(x)
    torch.testing.assert_close(merged, x, rtol=1e-4, atol=1e-5)
    with pytest.raises(
        ConfigError, match="lora_r = 2: these weights have a low-rank update of rank 4"
    ):
        loaded(tuned).task(AstroPTTraining(lora_r=2), SOURCES)


def test_base_weights_with_other_tensors_are_refused(model_of, tmp_path):
    folder = tmp_path / "base"
    save_folder(folder, model_of().task(AstroPTTraining(), SOURCES), card())
    model = loaded(folder)
    tensors = load_file(folder / "model.safetensors")
    tensors.pop("transformer.ln_f.weight")
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(WeightsError, match=r"missing: transformer.ln_f.weight"):
        model.task(AstroPTTraining(), SOURCES)


def save_folder(folder, task, card):
    folder.mkdir()
    save_file({k: v.contiguous() for k, v in task.weights().items()}, folder / "model.safetensors")
    changed = {**card.model_dump(), "random_seed": None, **task.card_changes()}
    (folder / "card.json").write_text(type(card).model_validate(changed).model_dump_json())


def loaded(folder) -> AstroPTModel:
    model = AstroPTModel(AstroPTConfig())
    model.load(folder)
    return model


def test_training_beats_the_mean_patch(model_of, trained):
    """The level of an object is in every patch of it: to read it there beats any constant."""
    task = model_of(n_layer=2).task(AstroPTTraining(), SOURCES)
    done = trained(task, epochs=15, learning_rate=3e-3)
    survey = Tokens()

    def huber(values, start):
        error = np.abs(values[:8, start:] - values[8:, start:].mean((0, 1)))
        return np.where(error < 1, error**2 / 2, error - 0.5).mean()

    constant = (huber(survey.image, 1) + huber(survey.spectrum, 0)) / 2
    assert done.best_loss < 0.5 * constant
