"""Our AdamW takes the steps of torch's, on each row by itself."""

import math

import pytest
import torch
from torch import nn

from fmb_detectors.adamw import AdamW


def rows(seed, size=1.0):
    generator = torch.Generator().manual_seed(seed)
    return size * torch.randn(2, 30, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("size", [0.01, 100.0])  # gradients below and above the norm of 5
@pytest.mark.parametrize(("decay", "longest"), [(0.01, 5.0), (0.3, 2.0), (0.0, math.inf)])
def test_steps_are_those_of_torch(size, decay, longest):
    values = rows(0)
    theirs = [nn.Parameter(row.clone()) for row in values]
    references = [torch.optim.AdamW([row], weight_decay=decay) for row in theirs]
    ours = AdamW(values, decay, 0.0 if longest == math.inf else longest)
    for step, rates in enumerate([(1e-2, 5e-3), (3e-2, 1e-2), (1e-3, 0.0), (1e-2, 1e-2)]):
        gradient = rows(step + 1, size)
        gradient[0, :10] = 0.0
        for row, reference, slope, rate in zip(theirs, references, gradient, rates, strict=True):
            row.grad = slope.clone()
            nn.utils.clip_grad_norm_([row], longest)
            reference.param_groups[0]["lr"] = rate
            reference.step()
        ours.step(values, gradient, rates)
    # The norm is added up in another order, and the mean squares start at 1e-30.
    torch.testing.assert_close(values, torch.stack(list(theirs)), rtol=1e-10, atol=1e-12)


def test_a_parameter_without_gradient_only_decays():
    values = torch.ones(1, 3)
    AdamW(values, 0.2, 5.0).step(values, torch.zeros(1, 3), [0.5])
    assert values.tolist()[0] == pytest.approx([1 - 0.5 * 0.2] * 3)


def test_a_row_goes_on_as_if_the_others_had_never_been():
    both, alone = rows(0), rows(0)[1:]
    ours, single = AdamW(both, 0.01, 5.0), AdamW(alone, 0.01, 5.0)
    for step in range(4):
        gradient = rows(step + 1)
        single.step(alone, gradient[1:], [0.01])
        if step == 2:
            ours.keep([1])
            both = both[[1]]
        ours.step(both, gradient[-len(both) :], [0.01] * len(both))
    assert torch.equal(both[-1], alone[0])
