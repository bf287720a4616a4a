"""A stack of flows gives what each of them gives, and the gradients that autograd finds."""

import pytest
import torch

from fmb_detectors import stack
from fmb_detectors.network import build_flow, standard_normal_log_density
from fmb_detectors.stack import FlowStack


def shaken(seed, features=5, hidden=16, transforms=3, kind="autoregressive"):
    """A flow as training might leave it, in float64."""
    generator = torch.Generator().manual_seed(seed)
    flow = build_flow(features, hidden, transforms, generator, kind).double()
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    return flow


def draws(*shape):
    generator = torch.Generator().manual_seed(9)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def open_gradient(flow):
    """The gradients of a flow in one vector."""
    return torch.cat([parameter.grad.flatten() for parameter in flow.parameters()])


KINDS = pytest.mark.parametrize("kind", ["autoregressive", "coupling"])


@KINDS
@pytest.mark.parametrize(("features", "transforms"), [(1, 2), (2, 1), (5, 3), (8, 4)])
def test_the_gain_is_that_of_each_flow_whatever_the_block(monkeypatch, features, transforms, kind):
    monkeypatch.setattr(stack, "ROWS", 4)
    flows = [shaken(seed, features, transforms=transforms, kind=kind) for seed in range(3)]
    z = draws(11, features)
    together = FlowStack(flows)
    for i, flow in enumerate(flows):
        expected = flow.log_prob(z) - standard_normal_log_density(z)
        torch.testing.assert_close(together.gain(i, z), expected, rtol=1e-10, atol=1e-10)


@KINDS
@pytest.mark.parametrize(("features", "transforms"), [(1, 2), (2, 1), (5, 3), (8, 4)])
@pytest.mark.parametrize("cap", [1.0, 0.7])
def test_the_gradient_is_that_of_autograd_and_rows_without_a_share_have_none(
    monkeypatch, features, transforms, cap, kind
):
    monkeypatch.setattr("fmb_detectors.network.LOG_SCALE_CAP", cap)
    monkeypatch.setattr(stack, "LOG_SCALE_CAP", cap)
    flows = [shaken(seed, features, transforms=transforms, kind=kind) for seed in range(3)]
    rows = (6, 4, 5)
    z, share = draws(3, 6, features), torch.zeros(3, 6, 1, dtype=torch.float64)
    for i, n in enumerate(rows):
        share[i, :n] = 1 / n
    together = FlowStack(flows)
    for _ in range(2):  # the memory of the first pass is used again
        together.descend(z, share)
    for flow, n, batch, gradient in zip(flows, rows, z, together.gradient, strict=True):
        (-flow.log_prob(batch[:n]).mean()).backward()
        torch.testing.assert_close(gradient, open_gradient(flow), rtol=1e-9, atol=1e-11)


def test_flows_that_are_left_go_on_as_they_were():
    flows = [shaken(seed) for seed in range(3)]
    z, share = draws(3, 6, 5), torch.full((3, 6, 1), 1 / 6, dtype=torch.float64)
    whole, part = FlowStack(flows), FlowStack(flows)
    whole.descend(z, share)
    part.descend(z, share)
    part.keep([2, 0])
    part.descend(z[[2, 0]], share[[2, 0]])
    torch.testing.assert_close(part.gradient, whole.gradient[[2, 0]], rtol=1e-12, atol=1e-14)
    assert torch.equal(part.gain(0, z[0]), whole.gain(2, z[0]))


def test_the_flows_themselves_are_left_as_they_were():
    flow = shaken(0)
    before = [parameter.clone() for parameter in flow.parameters()]
    together = FlowStack([flow])
    together.values += 1
    assert all(map(torch.equal, before, flow.parameters()))
