"""The gradient of an update is that of the mean over the usable objects, however they are cut."""

import numpy as np
import pytest
import torch

from fmb_train.prepared import TrainingData
from fmb_train.update import Updater

ROWS = np.array([3, 1, 7, 2, 30, 11])


@pytest.fixture
def gradient_of(job_of, line):
    """Gradient (flat) that the optimiser gets for the batch ROWS."""

    def compute(unusable=(), largest=6, cache_mb=0, clip=1e9, required=("image", "spectrum")):
        task = line(required=required, unusable=frozenset(unusable))
        job = job_of(task=task, clip=clip)
        data = TrainingData(job.dataset, ROWS, job.sources, task.preparer, cache_mb=cache_mb)
        (prepared,) = data.batches([ROWS], largest)
        updater, seen = Updater(job, 10), []
        updater.optimiser.register_step_pre_hook(
            lambda *_: seen.append(
                torch.cat([p.grad.reshape(-1) for p in task.module.parameters()])
            )
        )
        used, _ = updater.update(prepared, len(ROWS), 0, 1)
        return used, seen[0]

    return compute


def expected(line, numbers, rows):
    batch = numbers().read(rows, ["cam", "spec"])
    x, y = (
        torch.as_tensor(batch.inputs[k].flux.reshape(len(rows), -1)[:, :1]) for k in ("cam", "spec")
    )
    module = line().module
    torch.nn.functional.mse_loss(module(x), y).backward()
    return torch.cat([p.grad.reshape(-1) for p in module.parameters()])


@pytest.mark.parametrize("cache_mb", [0, 10], ids=["anew", "kept"])
@pytest.mark.parametrize("largest", [6, 4, 1])
def test_of_all_objects(gradient_of, line, numbers, cache_mb, largest):
    used, gradient = gradient_of(largest=largest, cache_mb=cache_mb)
    assert used == 6
    torch.testing.assert_close(gradient, expected(line, numbers, ROWS))


@pytest.mark.parametrize("cache_mb", [0, 10], ids=["anew", "kept"])
def test_of_those_that_are_usable(gradient_of, line, numbers, cache_mb):
    used, gradient = gradient_of(unusable=(1003, 1030, 1011), cache_mb=cache_mb)
    assert used == 3
    torch.testing.assert_close(gradient, expected(line, numbers, np.array([1, 7, 2])))


def test_is_clipped_to_its_largest_norm(gradient_of, line, numbers):
    _, gradient = gradient_of(clip=0.5)
    whole = expected(line, numbers, ROWS)
    assert whole.norm() > 0.5
    torch.testing.assert_close(gradient, 0.5 * whole / whole.norm(), rtol=1e-4, atol=1e-6)


def test_matrices_decay_and_vectors_do_not(job_of):
    groups = Updater(job_of(weight_decay=0.3), 10).optimiser.param_groups
    assert [(g["weight_decay"], sorted(p.dim() for p in g["params"])) for g in groups] == [
        (0.3, [2, 2]),
        (0.0, [1, 1]),
    ]


def test_what_is_random_differs_between_updates_and_not_between_repeats(job_of, line):
    task = line(dropout=0.5)
    job = job_of(task=task)
    data = TrainingData(job.dataset, ROWS, job.sources, task.preparer)
    (prepared,) = data.batches([ROWS], 6)
    before = {k: v.clone() for k, v in task.module.state_dict().items()}

    def loss(number):
        task.module.load_state_dict(before)
        return Updater(job, 10).update(prepared, 6, number, 1)[1]

    assert loss(3) == loss(3)
    assert loss(3) != loss(4)
