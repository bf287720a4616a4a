import numpy as np
import pytest
import torch

from fmb.config import Config
from fmb.errors import PluginError
from fmb.protocols import Tokens
from fmb.torch.embedders import Native


def test_native_is_the_only_token_of_a_model_that_gives_one():
    values = torch.tensor([[[1.0, 2.0]], [[3.0, 4.0]]])
    np.testing.assert_array_equal(Native(Config()).reduce(Tokens(values)), [[1, 2], [3, 4]])


def test_native_refuses_tokens_that_would_have_to_be_pooled():
    with pytest.raises(PluginError, match="got 3 tokens; use --embedder mean"):
        Native(Config()).reduce(Tokens(torch.zeros(2, 3, 4)))
