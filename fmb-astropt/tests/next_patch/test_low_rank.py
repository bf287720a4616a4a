"""What low rank leaves frozen, and that a training beats the mean patch."""

from typing import ClassVar

import numpy as np
import pytest
import torch
from astropt.model import GPT, GPTConfig, ModalityConfig, ModalityRegistry
from patch_inputs import N_IMAGE, N_SPECTRUM, SOURCES, card, inputs_of
from safetensors.torch import load_file, save_file

from fmb import Batch, ConfigError, InputInfo, WeightsError
from fmb_astropt.config import AstroPTConfig
from fmb_astropt.model import AstroPTModel
from fmb_astropt.network import embed_tokens
from fmb_astropt.training import AstroPTTraining
from fmb_train import FitJob, fit


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
