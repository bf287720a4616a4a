"""Our AdamW takes the steps of torch's."""

import copy

import pytest
import torch
from torch import nn

from fmb_detectors.adamw import AdamW


@pytest.mark.parametrize("size", [0.01, 100.0])  # gradients below and above the norm of 5
def test_steps_are_those_of_torch(size):
    generator = torch.Generator().manual_seed(0)
    ours = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1)).double()
    theirs = copy.deepcopy(ours)
    adamw = AdamW(ours.parameters())
    reference = torch.optim.AdamW(theirs.parameters(), lr=1e-2, weight_decay=0.01)
    for rate in (1e-2, 3e-2, 1e-3, 1e-2):
        x = size * torch.randn(20, 4, generator=generator).double()
        adamw.step(ours(x).square().mean() * size, rate)
        reference.zero_grad()
        (theirs(x).square().mean() * size).backward()
        nn.utils.clip_grad_norm_(theirs.parameters(), 5.0)
        reference.param_groups[0]["lr"] = rate
        reference.step()
        for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


def test_loaded_weights_are_trained_on():
    layer = nn.Linear(2, 1)
    adamw = AdamW(layer.parameters())
    layer.load_state_dict({"weight": torch.ones(1, 2), "bias": torch.zeros(1)})
    adamw.step(layer(torch.ones(1, 2)).sum(), 0.1)
    expected = 1 * (1 - 0.1 * 0.01) - 0.1  # decay, then a first step of the full rate
    assert layer.weight.tolist()[0] == pytest.approx([expected, expected], rel=1e-6)
