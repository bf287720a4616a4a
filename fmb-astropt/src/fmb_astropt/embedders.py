"""Reductions of a view's tokens to one vector an object."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from fmb.config import Config
from fmb.protocols import Tokens

__all__ = ["ExpDecay", "Last", "Mean"]

Pool = Callable[[Tensor, Tensor], Tensor]
"""(values (n, t, d), mask (n, t)) -> (n, d)."""


class Mean:
    """Mean over the tokens that carry data; of the unit vectors of the segments, if several."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def reduce(self, tokens: Tokens) -> Tensor:
        """(n, d), float32. An object without any token gives NaN."""
        return _by_segment(tokens, _mean)


class Last:
    """The last token that carries data, the only one that has attended to all of them."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def reduce(self, tokens: Tokens) -> Tensor:
        """(n, d), float32. An object without any token gives NaN."""
        return _by_segment(tokens, _last)


class ExpDecay:
    """Mean with weights falling by equal factors from 1 at the first token to 0.1 at the last.

    Source: `generate_embeddings(reduction="exp_decay")` of astropt 2.0.9. Tokens without data have
    weight 0; the others keep the weight of their place.
    """

    def __init__(self, config: Config) -> None:
        self.config = config

    def reduce(self, tokens: Tokens) -> Tensor:
        """(n, d), float32. An object without any token gives NaN."""
        return _by_segment(tokens, _exp_decay)


def _mean(values: Tensor, mask: Tensor) -> Tensor:
    return _weighted(values, mask.to(values.dtype))


def _exp_decay(values: Tensor, mask: Tensor) -> Tensor:
    decay = torch.logspace(0, -1, values.shape[1], device=values.device, dtype=values.dtype)
    return _weighted(values, mask * decay)


def _weighted(values: Tensor, weights: Tensor) -> Tensor:
    return torch.einsum("nt,ntd->nd", weights, values) / weights.sum(1, keepdim=True)


def _last(values: Tensor, mask: Tensor) -> Tensor:
    place = torch.arange(values.shape[1], device=values.device)
    at = torch.where(mask, place, -1).amax(1)
    rows = torch.arange(len(values), device=values.device)
    return torch.where(at[:, None] >= 0, values[rows, at], torch.nan)


def _by_segment(tokens: Tokens, pool: Pool) -> Tensor:
    """The pooled tokens, or the mean of the unit vectors of the pooled segments."""
    values = tokens.values.float()
    mask = tokens.mask
    if mask is None:
        mask = torch.ones(values.shape[:2], dtype=torch.bool, device=values.device)
    if tokens.segment is None:
        return pool(values, mask)
    parts = [
        F.normalize(pool(values[:, tokens.segment == which], mask[:, tokens.segment == which]))
        for which in torch.unique(tokens.segment)
    ]
    return torch.stack(parts).mean(0)
