"""The network: identity at the start, autoregressive, invertible, its determinant right."""

import math

import pytest
import torch

from fmb_detectors.network import LOG_SCALE_CAP, build_flow, standard_normal_log_density

KINDS = pytest.mark.parametrize("kind", ["autoregressive", "coupling"])


def shaken_flow(features=5, transforms=3, size=1.0, kind="autoregressive"):
    """A flow as training might leave it."""
    generator = torch.Generator().manual_seed(0)
    flow = build_flow(features, 16, transforms, generator, kind).double()
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.add_(size * torch.randn(parameter.shape, generator=generator))
    return flow


def draws(n=7, features=5):
    return torch.randn(n, features, generator=torch.Generator().manual_seed(1)).double()


@KINDS
@pytest.mark.parametrize("features", [1, 2, 64])
def test_an_unfitted_flow_is_the_standard_normal(features, kind):
    flow = build_flow(features, 16, 3, torch.Generator().manual_seed(0), kind).double()
    z = draws(features=features)
    assert torch.allclose(flow.log_prob(z), standard_normal_log_density(z), rtol=1e-14)


def test_the_standard_normal_at_its_mean():
    density = standard_normal_log_density(torch.zeros(1, 4))
    assert float(density) == pytest.approx(-2 * math.log(2 * math.pi))


def test_each_transform_is_autoregressive():
    transform = shaken_flow(transforms=1)._transform
    z = draws(1)
    jacobian = torch.autograd.functional.jacobian(lambda v: transform(v)[0], z)[0, :, 0, :]
    assert torch.equal(jacobian, jacobian.tril())
    assert (jacobian.tril(-1).abs() > 0).sum() == 10  # every output sees every earlier input


@pytest.mark.parametrize(("features", "given"), [(5, 3), (6, 3), (1, 1)])
def test_a_coupling_lets_one_half_speak_of_the_other_and_only_of_it(features, given):
    transform = shaken_flow(features, transforms=1, kind="coupling")._transform
    z = draws(1, features)
    jacobian = torch.autograd.functional.jacobian(lambda v: transform(v)[0], z)[0, :, 0, :]
    apart = jacobian - torch.diag(jacobian.diagonal())
    assert (apart[given:, :given] != 0).all()
    apart[given:, :given] = 0
    assert (apart == 0).all()
    assert (jacobian.diagonal() != 1).all()  # constants that are learnt scale the half that speaks


@KINDS
def test_the_log_determinant_is_that_of_the_jacobian(kind):
    transform = shaken_flow(size=0.3, kind=kind)._transform
    for z in draws(4).split(1):
        jacobian = torch.autograd.functional.jacobian(lambda v: transform(v)[0], z)[0, :, 0, :]
        assert torch.allclose(transform(z)[1], torch.linalg.slogdet(jacobian)[1], rtol=1e-10)


@KINDS
def test_the_inverse_undoes_the_flow_and_its_determinant(kind):
    transform = shaken_flow(size=0.3, kind=kind)._transform
    z = draws()
    u, log_det = transform(z)
    back, log_det_back = transform.inverse(u)
    assert torch.allclose(back, z, atol=1e-8)
    assert torch.allclose(log_det, -log_det_back, atol=1e-8)


def test_no_transform_stretches_beyond_its_cap():
    transform = shaken_flow(transforms=1, size=100.0)._transform
    log_det = transform(draws())[1]
    assert (log_det.abs() <= 5 * LOG_SCALE_CAP).all()
    assert (log_det.abs() > LOG_SCALE_CAP).any()  # the cap is at work


@KINDS
def test_the_start_keeps_the_variance_of_what_a_mask_lets_through(kind):
    flow = build_flow(64, 512, 1, torch.Generator().manual_seed(0), kind)
    network = flow._transform._transforms[0].autoregressive_net
    z = torch.randn(4000, 64, generator=torch.Generator().manual_seed(1))
    variance = network.initial_layer(z).detach().var(dim=0)
    assert float(variance.mean()) == pytest.approx(1, abs=0.1)


def test_the_global_generator_is_left_alone():
    before = torch.random.get_rng_state()
    build_flow(4, 8, 2, torch.Generator().manual_seed(0))
    assert torch.equal(before, torch.random.get_rng_state())
