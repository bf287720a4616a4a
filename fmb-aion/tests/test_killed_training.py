"""A training of AION that was killed ends as one that was not."""

import numpy as np
import pytest
import torch

from fmb.datasets import open_dataset
from fmb_aion.training import AionTraining
from fmb_train import FitJob, fit


def test_a_training_that_was_killed_ends_as_an_undisturbed_one(random_model, tmp_path):
    class Stopped(Exception):
        pass

    dataset = open_dataset("demo", settings={"n_objects": 10, "inputs": ["euclid"]}, cache=tmp_path)

    def job(folder, stop_at=None):
        task = random_model().task(AionTraining(hidden=8), {"image": "euclid"})
        if stop_at is not None:
            updates, loss = [], task.loss

            def stopping(inputs):
                updates.extend([1] if task.module.training else [])
                if len(updates) > stop_at:
                    raise Stopped
                return loss(inputs)

            task.loss = stopping
        (tmp_path / folder).mkdir(exist_ok=True)
        return FitJob(
            task=task,
            config=AionTraining(hidden=8, steps=6, batch_size=4, checkpoint_steps=1, patience=0),
            dataset=dataset,
            sources={"image": "euclid"},
            training=np.arange(8),
            validation=np.arange(8, 10),
            folder=tmp_path / folder,
        )

    undisturbed = job("undisturbed")
    expected = fit(undisturbed)
    with pytest.raises(Stopped):
        fit(job("killed", stop_at=3))
    resumed = job("killed")
    found = fit(resumed, resume=True)
    for ours, theirs in zip(found.history, expected.history, strict=True):
        for key in set(theirs) - {"seconds"}:
            assert ours[key] == pytest.approx(theirs[key], rel=1e-6)
    for name, value in undisturbed.task.weights().items():
        torch.testing.assert_close(resumed.task.weights()[name], value, rtol=1e-6, atol=1e-6)
