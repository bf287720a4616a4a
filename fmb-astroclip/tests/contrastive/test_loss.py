"""The contrastive loss is that of the formula, in float32."""

import numpy as np
import pytest
import torch
from contrast import expected_losses

from fmb_astroclip.contrastive import pair_losses


@pytest.mark.parametrize("length", [1.0, 1e-4], ids=["ordinary", "shorter than eps"])
@pytest.mark.parametrize("temperature", [15.5, 100.0])
def test_the_loss_is_that_of_the_formula(length, temperature):
    rng = np.random.default_rng(0)
    image, spectrum = (length * rng.normal(size=(2, 40, 16))).astype(np.float32)
    found = pair_losses(torch.from_numpy(image), torch.from_numpy(spectrum), temperature)
    for ours, theirs in zip(found, expected_losses(image, spectrum, temperature), strict=True):
        # float32 sums over 16 terms, times the temperature
        np.testing.assert_allclose(ours, theirs, rtol=2e-6, atol=2e-7 * temperature)


def test_the_loss_is_log_n_when_all_vectors_are_alike_and_0_for_a_pair_alone():
    same = torch.ones(8, 4)
    torch.testing.assert_close(
        pair_losses(same, same, 15.5)[0], torch.full((8,), np.log(8.0)).float()
    )
    assert pair_losses(same[:1], same[:1], 15.5)[1].item() == 0


def test_the_loss_is_float32_under_autocast():
    x = torch.randn(2, 6, 8, generator=torch.Generator().manual_seed(0))
    exact = pair_losses(x[0], x[1], 15.5)
    with torch.autocast("cpu", torch.bfloat16):
        rough = pair_losses(x[0], x[1], 15.5)
    assert all(torch.equal(a, b) for a, b in zip(exact, rough, strict=True))
