"""Training: upstream's loss and gradients, masks, single inputs, dropout."""

import numpy as np
import pytest
import torch
from astropt.model import ModalityRegistry
from patch_inputs import N_IMAGE, N_SPECTRUM, SOURCES, inputs_of

from fmb_astropt.training import AstroPTTraining

SLOTS = {"images": "image", "spectra": "spectrum"}


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
