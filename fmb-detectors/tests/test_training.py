"""Training: its schedule, when it stops and which weights it keeps."""

import math

import pytest
import torch

from fmb_detectors.config import FlowConfig
from fmb_detectors.network import build_flow, standard_normal_log_density
from fmb_detectors.stack import FlowStack
from fmb_detectors.training import Course, Sample, Schedule, fit_flows, mean_and_error


def bent(n, seed=0):
    z = torch.randn(n, 4, generator=torch.Generator().manual_seed(seed))
    z[:, 2:] = 0.3 * z[:, 2:] + (z[:, :2] ** 2 - 1) / math.sqrt(2)
    return z


def sample_of(z, held_out, generator):
    fitted = torch.arange(len(z))
    return Sample(torch.cat([z, held_out]), fitted, len(z) + torch.arange(len(held_out)), generator)


def trained(z, held_out, **options):
    generator = torch.Generator().manual_seed(0)
    flow = build_flow(4, 16, 2, generator)
    (outcome,) = fit_flows([flow], [sample_of(z, held_out, generator)], FlowConfig(**options))
    return flow, outcome


def gain_over_normal(flow, z):
    """Mean and error by nflows' own density."""
    with torch.no_grad():
        gains = flow.log_prob(z) - standard_normal_log_density(z)
    return gains.mean().item(), (gains.std() / math.sqrt(len(gains))).item()


def several(sizes):
    """Flows and samples of these many rows, each with a seed of its own."""
    flows, samples = [], []
    for seed, n in enumerate(sizes):
        generator = torch.Generator().manual_seed(seed)
        flows.append(build_flow(4, 16, 2, generator))
        samples.append(sample_of(bent(n, seed), bent(40, seed + 50), generator))
    return flows, samples


def weights(flows):
    return torch.stack([torch.cat([p.detach().flatten() for p in f.parameters()]) for f in flows])


@pytest.fixture
def threads():
    """Sets the number of torch's threads, for one test."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


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
    schedule = Schedule(epochs=10, steps_per_epoch=100, learning_rate=2.0, rows_per_step=1)
    assert schedule.rate(0) == pytest.approx(2.0 / 20)
    assert schedule.rate(19) == pytest.approx(2.0, rel=1e-3)
    assert schedule.rate(500) == pytest.approx(1.0)
    assert schedule.rate(999) == pytest.approx(0, abs=1e-4)


def test_every_row_is_seen_once_an_epoch(monkeypatch):
    seen = []
    real = FlowStack.descend

    def watched(stack, z, share):
        assert float(share.sum()) == pytest.approx(1)
        seen.append(z[0, share[0, :, 0] > 0].clone())
        real(stack, z, share)

    monkeypatch.setattr(FlowStack, "descend", watched)
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
    told = (outcome.gain, outcome.error)
    assert gain_over_normal(flow, held_out) == pytest.approx(told, rel=1e-4)  # float32


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
    gains = FlowStack([flow]).gain(0, torch.tensor([[-1.0], [-3.0]]))
    gain, error = mean_and_error(gains)
    assert gain == pytest.approx(1.5)  # mean of 0.5 and 2.5
    assert error == pytest.approx(1.0)  # sqrt(2) / sqrt(2)
    assert mean_and_error(gains[:1]) == (pytest.approx(0.5), 0.0)


@pytest.mark.parametrize("sizes", [(400, 400), (397, 120, 403, 400, 61)], ids=str)
@pytest.mark.parametrize("count", [1, 2])
def test_flows_that_are_trained_together_end_as_each_alone(threads, sizes, count):
    threads(count)
    options = FlowConfig(batch_size=50, patience=2, learning_rate=3e-2)
    flows, samples = several(sizes)
    together = fit_flows(flows, samples, options)
    single, samples = several(sizes)
    alone = [fit_flows([f], [s], options)[0] for f, s in zip(single, samples, strict=True)]
    for a, b in zip(together, alone, strict=True):
        assert (a.epochs, a.best_epoch) == (b.epochs, b.best_epoch)
        assert a.gain == pytest.approx(b.gain, rel=1e-4)
    # A hundred steps in float32, the products of which may be added up in another order.
    torch.testing.assert_close(weights(flows), weights(single), rtol=1e-3, atol=1e-4)
    assert not torch.allclose(weights(flows)[0], weights(flows)[1], atol=0.01)


def test_a_fit_leaves_the_number_of_threads_as_it_was_and_multiplies_in_one(threads, monkeypatch):
    threads(2)
    seen = []
    real = FlowStack.descend

    def watched(stack, *batch):
        seen.append((torch.get_num_threads(), len(stack.values)))
        real(stack, *batch)

    monkeypatch.setattr(FlowStack, "descend", watched)
    fit_flows(*several((60, 60, 60)), FlowConfig(epochs=1))
    assert set(seen) == {(1, 1), (1, 2)}  # three flows on two threads
    assert torch.get_num_threads() == 2


def test_a_fit_that_fails_ends_those_beside_it(threads, monkeypatch):
    threads(2)
    flows, samples = several((60, 61))
    steps = []
    real = Course.batch

    def failing(course):
        steps.append(len(course.sample.fitted))
        if len(steps) > 20 and len(course.sample.fitted) == 61:
            raise KeyboardInterrupt
        return real(course)

    monkeypatch.setattr(Course, "batch", failing)
    with pytest.raises(KeyboardInterrupt):
        fit_flows(flows, samples, FlowConfig(epochs=600, patience=600))
    assert len(steps) < 1200  # of 2,400 of the other
