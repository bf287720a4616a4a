"""Training: its schedule, when it stops and which weights it keeps."""

import math

import pytest
import torch

from fmb_detectors import training
from fmb_detectors.config import FlowConfig
from fmb_detectors.network import build_flow
from fmb_detectors.training import Schedule, fit_flow, gain_over_normal


def bent(n, seed=0):
    z = torch.randn(n, 4, generator=torch.Generator().manual_seed(seed))
    z[:, 2:] = 0.3 * z[:, 2:] + (z[:, :2] ** 2 - 1) / math.sqrt(2)
    return z


def trained(z, held_out, **options):
    generator = torch.Generator().manual_seed(0)
    flow = build_flow(4, 16, 2, generator)
    return flow, fit_flow(flow, z, held_out, FlowConfig(**options), generator)


@pytest.mark.parametrize(
    ("rows", "steps", "epochs"),
    [
        (9000, 35, 4),  # 1.6 sqrt(9000) = 152 steps of 35 an epoch
        (1440, 6, 10),  # 61 of 6
        (90, 4, 4),  # 15 of 4: a batch is at most a quarter
        (1_000_000, 3906, 3),  # 1600 steps are less than half an epoch
        (2, 2, 3),
    ],
)
def test_steps_grow_with_the_root_of_the_rows(rows, steps, epochs):
    schedule = Schedule.of(rows, FlowConfig())
    assert (schedule.steps_per_epoch, schedule.epochs) == (steps, epochs)


def test_epochs_and_batch_size_are_taken_at_their_word():
    schedule = Schedule.of(1000, FlowConfig(epochs=77, batch_size=100))
    assert (schedule.steps_per_epoch, schedule.epochs) == (10, 77)


def test_the_rate_warms_up_and_falls_as_a_cosine():
    schedule = Schedule(epochs=10, steps_per_epoch=100, learning_rate=2.0)
    assert schedule.rate(0) == pytest.approx(2.0 / 20)
    assert schedule.rate(19) == pytest.approx(2.0, rel=1e-3)
    assert schedule.rate(500) == pytest.approx(1.0)
    assert schedule.rate(999) == pytest.approx(0, abs=1e-4)


def test_every_row_is_seen_once_an_epoch(monkeypatch):
    seen = []
    real = training.training_step

    def watched(flow, batch, optimiser, rate):
        seen.append(batch.clone())
        real(flow, batch, optimiser, rate)

    monkeypatch.setattr(training, "training_step", watched)
    z = bent(103)
    trained(z, bent(50, 1), epochs=2, batch_size=20)
    assert {len(b) for b in seen} == {20, 21}
    for epoch in (seen[:5], seen[5:]):
        rows = torch.cat(epoch)
        assert torch.equal(rows[rows[:, 0].argsort()], z[z[:, 0].argsort()])
    assert not torch.equal(seen[0], seen[5])


def test_the_weights_of_the_best_epoch_are_kept():
    held_out = bent(200, 1)
    flow, outcome = trained(bent(60), held_out, epochs=60, patience=60, learning_rate=3e-2)
    assert 0 < outcome.best_epoch < outcome.epochs == 60
    assert gain_over_normal(flow, held_out) == pytest.approx((outcome.gain, outcome.error))


def test_patience_counts_epochs_without_gain():
    options = {"epochs": 200, "learning_rate": 3e-2}
    _, short = trained(bent(60), bent(200, 1), patience=3, **options)
    _, long = trained(bent(60), bent(200, 1), patience=9, **options)
    assert short.epochs == short.best_epoch + 3
    assert long.epochs == long.best_epoch + 9


def test_a_fit_that_diverges_ends_as_it_was_at_its_best():
    z = bent(100)
    flow, outcome = trained(z, torch.full((10, 4), math.inf), epochs=5)
    assert (outcome.gain, outcome.epochs, outcome.best_epoch) == (0.0, 1, 0)
    assert gain_over_normal(flow, z)[0] == pytest.approx(0, abs=1e-6)


def test_gain_and_its_error_by_hand():
    flow = build_flow(1, 4, 1, torch.Generator().manual_seed(0))
    with torch.no_grad():  # shift by 1: log N(z + 1) - log N(z) = -z - 1/2
        flow._transform._transforms[0].autoregressive_net.final_layer.bias[1] = 1.0
    gain, error = gain_over_normal(flow, torch.tensor([[-1.0], [-3.0]]))
    assert gain == pytest.approx(1.5)  # mean of 0.5 and 2.5
    assert error == pytest.approx(1.0)  # sqrt(2) / sqrt(2)


def test_a_fit_leaves_the_number_of_threads_as_it_was():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        seen = []

        class Watched(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.inner = build_flow(2, 8, 1, torch.Generator().manual_seed(0))

            def log_prob(self, batch):
                seen.append(torch.get_num_threads())
                return self.inner.log_prob(batch)

        rows = torch.randn(64, 2, generator=torch.Generator().manual_seed(1))
        fit_flow(Watched(), rows[:48], rows[48:], FlowConfig(epochs=1), torch.Generator())
        assert set(seen) == {1}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
