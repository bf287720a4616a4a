import numpy as np
import pytest
import torch

from fmb.contract.config import Config
from fmb.contract.model import Tokens
from fmb.messages.errors import ConfigError, PluginError
from fmb.plugins.settings import build
from fmb.torch.config import TailsConfig
from fmb.torch.embedders import Native, Tails


def test_native_is_the_only_token_of_a_model_that_gives_one():
    values = torch.tensor([[[1.0, 2.0]], [[3.0, 4.0]]])
    np.testing.assert_array_equal(Native(Config()).reduce(Tokens(values)), [[1, 2], [3, 4]])


def test_native_refuses_tokens_that_would_have_to_be_pooled():
    with pytest.raises(PluginError, match="got 3 tokens; use --embedder mean"):
        Native(Config()).reduce(Tokens(torch.zeros(2, 3, 4)))


def tails(values, mask=None, segment=None, **options):
    mask = None if mask is None else torch.as_tensor(mask)
    segment = None if segment is None else torch.as_tensor(segment)
    return (
        Tails(TailsConfig(**options)).reduce(Tokens(torch.as_tensor(values), mask, segment)).numpy()
    )


def test_tails_are_the_means_of_the_two_per_cent_that_are_largest_and_smallest():
    rng = np.random.default_rng(1)
    values = rng.normal(size=(3, 130, 4)).astype(np.float32)  # 2 % of 130 is 3, rounded
    ordered = np.sort(values, axis=1)
    expected = np.concatenate([ordered[:, -3:].mean(1), ordered[:, :3].mean(1)], axis=1)
    np.testing.assert_allclose(tails(values), expected, rtol=1e-6)


def test_tails_of_few_tokens_are_the_largest_and_the_smallest():
    values = np.array([[[1.0, -5.0], [3.0, 4.0], [2.0, 0.0]]], np.float32)
    np.testing.assert_array_equal(tails(values), [[3, 4, 1, -5]])


def test_tails_leave_out_tokens_without_data_and_count_the_others():
    values = np.arange(200, dtype=np.float32).reshape(2, 100, 1)
    mask = np.ones((2, 100), bool)
    mask[0, 50:] = False  # 50 tokens: one in each tail; 100: two
    np.testing.assert_array_equal(tails(values, mask), [[49, 0], [198.5, 100.5]])
    mask[0] = False
    assert np.isnan(tails(values, mask)[0]).all()


def test_tails_do_not_depend_on_the_place_of_a_token():
    values = np.random.default_rng(2).normal(size=(1, 60, 5)).astype(np.float32)
    order = np.random.default_rng(3).permutation(60)
    np.testing.assert_allclose(tails(values), tails(values[:, order]), rtol=1e-6)


def test_tails_of_two_segments_are_the_mean_of_their_unit_vectors():
    parts = [np.random.default_rng(i).normal(size=(2, t, 3)) for i, t in ((4, 70), (5, 9))]
    units = [v / np.linalg.norm(v, axis=1, keepdims=True) for v in map(tails, parts)]
    joint = tails(np.concatenate(parts, axis=1), segment=[0] * 70 + [1] * 9)
    np.testing.assert_allclose(joint, sum(units) / 2, rtol=1e-5, atol=1e-7)


def test_the_share_of_the_tails_is_an_option():
    values = np.arange(10, dtype=np.float32).reshape(1, 10, 1)
    # Three tenths of ten tokens: 7, 8, 9 and 0, 1, 2.
    np.testing.assert_array_equal(tails(values, share=0.3), [[8, 1]])


def test_half_of_the_tokens_is_the_largest_tail():
    with pytest.raises(ConfigError, match=r"embedder\.t\.share = 0\.6: input should be less than"):
        build(TailsConfig, {"share": 0.6}, "embedder.t")
