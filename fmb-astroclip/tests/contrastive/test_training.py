"""Training: what learns and what stays, parts of a batch, kept tokens, resuming."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from contrast import expected_losses

from fmb import ConfigError
from fmb_astroclip.training import AstroCLIPTraining
from fmb_train import fit

HEADS = ("cross_attention", "mlp.")


def chosen(name: str, blocks) -> bool:
    """Whether a tensor of the tiny network (3 and 2 blocks) learns, from its name."""
    if any(f"encoder.{head}" in name for head in HEADS):
        return True
    if name.endswith(("cls_token", "pos_embed", "mask_token")) or ".backbone.head." in name:
        return False
    if blocks == 0:
        return False
    last = {1: ("blocks.2.2.", "spectrum_encoder.backbone.blocks.1."), "all": ("",)}[blocks]
    norms = ("backbone.norm.", "backbone.final_layernorm.")
    return any(part in name for part in (*last, *norms))


@pytest.mark.parametrize(("blocks", "cache_mb"), [(0, 100), (0, 0), (1, 0), ("all", 100)])
def test_what_is_chosen_learns_and_all_else_stays_as_it_was_to_the_bit(job_of, blocks, cache_mb):
    job = job_of(blocks=blocks, cache_mb=cache_mb, learn_temperature=True)
    before = {name: value.clone() for name, value in job.task.weights().items()}
    fit(job)
    after = job.task.weights()
    assert set(after) == set(before)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {name for name in before if chosen(name, blocks)}


def dropped(task) -> set[float]:
    """The shares of all dropout layers that the heads have."""
    network = task.module.network
    parts = (network.image_encoder, network.spectrum_encoder)
    return {part.p for e in parts for part in (e.cross_attention.dropout, e.mlp.dropout)}


def test_random_weights_learn_whole_and_others_with_their_heads_only(
    random_model, reference_model, sources
):
    for model, wanted in ((random_model(preset="tiny"), "all"), (reference_model, 0)):
        found = []  # all tasks share the network: each is looked at before the next is made
        for config in (AstroCLIPTraining(), AstroCLIPTraining(blocks=wanted)):
            task = model.task(config, sources)
            found.append([p.requires_grad for p in task.module.parameters()])
            assert dropped(task) == {0.0 if wanted == "all" else 0.1}
        assert found[0] == found[1]
        assert dropped(model.task(AstroCLIPTraining(blocks=0), sources)) == {0.1}
        assert dropped(model.task(AstroCLIPTraining(dropout=0.2), sources)) == {0.2}


def test_more_blocks_than_the_towers_have_are_refused(random_model, sources):
    with pytest.raises(ConfigError, match=r"train.blocks = 4: the towers have 3 and 2 blocks"):
        random_model(preset="tiny").task(AstroCLIPTraining(blocks=4), sources)


def test_frozen_towers_leave_no_graph(job_of):
    job = job_of(blocks=0)
    task = job.task
    inputs = task.preparer(job.sources)(job.dataset.read(np.arange(2)))
    task.train(True)
    network = task.module.network
    tokens = network.image_encoder.backbone(torch.as_tensor(inputs.arrays["image"]))
    assert not tokens.requires_grad
    assert task.loss(inputs)[0].requires_grad


def test_dropout_is_on_in_training_only_and_comes_from_the_seed(job_of):
    job = job_of(dropout=0.3)
    task, inputs = job.task, job.task.preparer(job.sources)(job.dataset.read(np.arange(6)))

    def loss(mode, seed):
        task.train(mode)
        torch.manual_seed(seed)
        with torch.no_grad():
            return task.loss(inputs)[0]

    assert torch.equal(loss(True, 1), loss(True, 1))
    assert not torch.equal(loss(True, 1), loss(True, 2))
    assert torch.equal(loss(False, 1), loss(False, 2))


def test_each_part_of_a_batch_is_a_contrast_of_its_own(job_of, random_model, sources):
    """Ten held-out pairs in parts of four, four and two."""
    job = job_of(micro_batch=4, epochs=6)
    inputs = job.task.preparer(sources)(job.dataset.read(job.validation))
    model = random_model(preset="tiny")
    vectors = {
        view: tokens.values[:, 0].numpy()
        for view, tokens in model.encode(inputs, ["image", "spectrum"]).items()
    }
    start = fit(job).history[0]
    parts = [
        expected_losses(vectors["image"][at], vectors["spectrum"][at])
        for at in (slice(0, 4), slice(4, 8), slice(8, 10))
    ]
    for i, name in enumerate(("spectrum_of_image", "image_of_spectrum")):
        wanted = np.concatenate([part[i] for part in parts]).mean()
        assert start[f"validation_{name}"] == pytest.approx(wanted, rel=1e-5)


def test_kept_tokens_give_the_losses_and_gradients_of_the_data(random_model, sources, legacy_desi):
    """Spectra of three lengths, one object without a usable image, one without a spectrum."""
    batch = legacy_desi(6, pixels=500)
    grid = np.tile(3600 + 0.8 * np.arange(500), (6, 1))
    for row, length in zip(grid, [500, 431, 300, 431, 500, 500], strict=True):
        row[length:] = -1
    desi, legacy = batch.inputs["desi"], batch.inputs["legacysurvey"]
    object.__setattr__(desi, "wavelength_aa", grid)
    desi.mask[4], legacy.flux[5] = True, np.nan
    task = random_model(preset="tiny").task(AstroCLIPTraining(blocks=0), sources)
    inputs = task.preparer(sources)(batch)
    assert (inputs.valid["spectrum"] & inputs.valid["image"]).tolist() == [True] * 4 + [False] * 2
    with torch.inference_mode():
        kept = task.settled(inputs)
    assert kept.valid is inputs.valid
    assert kept.reasons is inputs.reasons
    found = []
    for given in (inputs, kept):
        task.module.zero_grad()
        loss, _ = task.loss(given.take(np.arange(4)))
        loss.sum().backward()
        found.append([loss, *(p.grad for p in task.module.parameters() if p.requires_grad)])
    for plain, again in zip(*found, strict=True):
        torch.testing.assert_close(again, plain, rtol=1e-4, atol=1e-6)


def test_the_training_is_the_same_whether_tokens_are_kept_or_data_are_read_anew(job_of):
    found = [fit(job_of(str(mb), blocks=0, cache_mb=mb)).history for mb in (0, 100)]
    for anew, kept in zip(*found, strict=True):
        assert kept["validation_loss"] == pytest.approx(anew["validation_loss"], rel=1e-5)


def test_nothing_is_kept_of_towers_that_learn(job_of):
    job = job_of(blocks=1)
    inputs = job.task.preparer(job.sources)(job.dataset.read(np.arange(2)))
    assert job.task.settled(inputs) is inputs


@pytest.mark.parametrize("blocks", [0, "all"])
def test_reduced_precision_trains_and_is_judged(job_of, blocks):
    done = fit(replace(job_of(blocks=blocks), precision="bf16"))
    exact = fit(job_of("exact", blocks=blocks))
    for rough, fine in zip(done.history, exact.history, strict=True):
        # 8 bits of mantissa, times the temperature
        assert rough["validation_loss"] == pytest.approx(fine["validation_loss"], abs=0.3)
        assert np.isfinite(rough["held_out_spectrum_rank"])


def test_training_leaves_the_weights_it_starts_from_as_they_were(
    job_of, reference_folder, reference_model
):
    before = (reference_folder / "model.safetensors").read_bytes()
    fit(job_of(model=reference_model, blocks="all"))
    assert (reference_folder / "model.safetensors").read_bytes() == before


class Stopped(Exception):
    """Ends a training from outside."""


@pytest.mark.parametrize("blocks", [0, "all"])
@pytest.mark.parametrize("stop_at", [1, 4])
def test_a_training_that_was_killed_ends_as_an_undisturbed_one(job_of, blocks, stop_at):
    settings = {
        "blocks": blocks,
        "learn_temperature": True,
        "checkpoint_steps": 1,
        "dropout": 0.1,
        "epochs": 3,
    }
    whole = job_of("whole", **settings)
    history = fit(whole).history
    updates = []

    def kill(what, done, total):
        updates.extend([done] if what.startswith("epoch") else [])
        if len(updates) == stop_at:
            raise Stopped

    with pytest.raises(Stopped):
        fit(job_of("killed", **settings), progress=kill)
    again = job_of("killed", **settings)
    resumed = fit(again, resume=True).history
    for one, other in zip(resumed, history, strict=True):
        assert {k: v for k, v in one.items() if k != "seconds"} == pytest.approx(
            {k: v for k, v in other.items() if k != "seconds"}, rel=1e-6
        )
    for name, value in whole.task.weights().items():
        torch.testing.assert_close(again.task.weights()[name], value, rtol=1e-6, atol=0, msg=name)


def test_pairs_that_were_learned_from_find_each_other(job_of):
    done = fit(job_of(epochs=40, blocks=0, dropout=0))
    assert done.best_loss < 0.5 * np.log(10)  # log 10 = nothing known of ten pairs
    first, best = done.history[0], done.history[done.best_epoch]
    assert best["held_out_spectrum_rank"] < first["held_out_spectrum_rank"]
    assert best["held_out_image_rank"] < first["held_out_image_rank"]
    assert first["held_out_chance_rank"] == 5.5  # ten candidates
