"""The temperature is fixed, or learned, kept in the card and gone on with."""

import numpy as np
import pytest
import torch
from contrast import expected_losses
from safetensors.torch import save_file

from fmb.weights import read_card
from fmb_astroclip.config import AstroCLIPConfig
from fmb_astroclip.model import AstroCLIPModel
from fmb_train import fit


def saved(job, base, folder):
    """A weights folder of a training, as the core writes it."""
    folder.mkdir()
    tensors = {name: value.contiguous() for name, value in job.task.weights().items()}
    save_file(tensors, folder / "model.safetensors")
    values = {**base.model_dump(), "random_seed": None, **job.task.card_changes()}
    (folder / "card.json").write_text(type(base).model_validate(values).model_dump_json())
    return folder


def test_a_learned_temperature_is_kept_in_the_card_and_gone_on_with(job_of, tmp_path):
    job = job_of(learn_temperature=True, temperature=10.0)
    fit(job)
    learned = job.task.card_changes()["architecture"]["temperature"]
    assert learned == pytest.approx(10, rel=0.1)
    assert learned != pytest.approx(10, rel=1e-6)
    assert not [name for name in job.task.weights() if "temperature" in name]
    folder = saved(job, read_card(tmp_path / "random-tiny"), tmp_path / "learned")
    model = AstroCLIPModel(AstroCLIPConfig())
    model.load(folder)
    again = job_of("again", model)
    inputs = again.task.preparer(again.sources)(again.dataset.read(np.arange(6)))
    again.task.train(False)
    with torch.no_grad():
        loss, _ = again.task.loss(inputs)
        vectors = {k: v.numpy() for k, v in again.task.vectors(inputs).items()}
    wanted = np.mean(expected_losses(vectors["image"], vectors["spectrum"], learned), axis=0)
    np.testing.assert_allclose(loss, wanted, rtol=1e-5, atol=1e-5)


def test_a_fixed_temperature_is_upstreams_unless_told(job_of):
    assert job_of().task.card_changes()["architecture"]["temperature"] == 15.5
    job = job_of(temperature=20.0)
    fit(job)
    assert job.task.card_changes()["architecture"]["temperature"] == 20.0


def test_a_temperature_is_learned_up_to_100_only(job_of):
    task = job_of(learn_temperature=True, temperature=150.0).task
    assert task.card_changes()["architecture"]["temperature"] == pytest.approx(100)
