import numpy as np
import pytest
import torch

from fmb import Config, Tokens
from fmb.torch.embedders import Last, Mean
from fmb_astropt.embedders import ExpDecay

VALUES = torch.tensor([[[1.0, 0.0], [3.0, 4.0], [5.0, 8.0]]])


def reduce(embedder, values, mask=None, segment=None):
    mask = None if mask is None else torch.tensor([mask])
    segment = None if segment is None else torch.tensor(segment)
    return embedder(Config()).reduce(Tokens(values, mask, segment)).numpy()


def test_mean_last_and_exp_decay_of_three_tokens():
    np.testing.assert_allclose(reduce(Mean, VALUES), [[3, 4]])
    np.testing.assert_allclose(reduce(Last, VALUES), [[5, 8]])
    w = np.array([1, 10**-0.5, 0.1])  # equal factors from 1 to 0.1
    expected = (w[:, None] * VALUES[0].numpy()).sum(0) / w.sum()
    np.testing.assert_allclose(reduce(ExpDecay, VALUES), expected[None], rtol=1e-6)


def test_tokens_without_data_are_left_out():
    mask = [True, True, False]
    np.testing.assert_allclose(reduce(Mean, VALUES, mask), [[2, 2]])
    np.testing.assert_allclose(reduce(Last, VALUES, mask), [[3, 4]])
    w = np.array([1, 10**-0.5])  # the weights of their places, not of a sequence of two
    expected = (w[:, None] * VALUES[0, :2].numpy()).sum(0) / w.sum()
    np.testing.assert_allclose(reduce(ExpDecay, VALUES, mask), expected[None], rtol=1e-6)


@pytest.mark.parametrize("embedder", [Mean, Last, ExpDecay])
def test_joint_is_the_mean_of_the_unit_vectors_of_the_segments(embedder):
    image, spectrum = torch.randn(2, 4, 5), 100 * torch.randn(2, 3, 5)
    parts = [reduce(embedder, part) for part in (image, spectrum)]
    expected = sum(p / np.linalg.norm(p, axis=1, keepdims=True) for p in parts) / 2
    joint = reduce(embedder, torch.cat([image, spectrum], 1), segment=[0] * 4 + [1] * 3)
    np.testing.assert_allclose(joint, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("embedder", [Mean, Last, ExpDecay])
def test_no_token_at_all_gives_no_number(embedder):
    assert np.isnan(reduce(embedder, VALUES, [False, False, False])).all()


@pytest.mark.parametrize("embedder", [Mean, Last, ExpDecay])
def test_half_precision_tokens_give_float32(embedder):
    assert reduce(embedder, VALUES.to(torch.bfloat16)).dtype == np.float32
