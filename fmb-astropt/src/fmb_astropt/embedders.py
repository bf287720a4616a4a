"""The reduction of AstroPT's tokens that only AstroPT has."""

import torch
from torch import Tensor

from fmb import Config, Tokens
from fmb.torch import by_segment, weighted_mean

__all__ = ["ExpDecay"]


class ExpDecay:
    """Mean with weights falling by equal factors from 1 at the first token to 0.1 at the last.

    Source: `generate_embeddings(reduction="exp_decay")` of astropt 2.0.9. Tokens without data have
    weight 0; the others keep the weight of their place.
    """

    def __init__(self, config: Config) -> None:
        self.config = config

    def reduce(self, tokens: Tokens) -> Tensor:
        """(n, d), float32. An object without any token gives NaN."""
        return by_segment(tokens, _exp_decay)


def _exp_decay(values: Tensor, mask: Tensor) -> Tensor:
    decay = torch.logspace(0, -1, values.shape[1], device=values.device, dtype=values.dtype)
    return weighted_mean(values, mask * decay)
