"""Reductions of a view's tokens to one vector an object that fit any model."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from fmb.contract.config import Config
from fmb.contract.model import Tokens
from fmb.messages.errors import PluginError
from fmb.torch.config import TailsConfig

__all__ = ["Last", "Mean", "Native", "Tails", "by_segment", "weighted_mean"]

Pool = Callable[[Tensor, Tensor], Tensor]
"""(values (n, t, d), mask (n, t)) -> (n, d), or (n, 2 d) for `Tails`."""


class Mean:
    """Mean over the tokens that carry data; of the unit vectors of the segments, if several."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def reduce(self, tokens: Tokens) -> Tensor:
        """(n, d), float32. An object without any token gives NaN."""
        return by_segment(tokens, _mean)


class Last:
    """The last token that carries data: in a causal model the only one that has seen them all."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def reduce(self, tokens: Tokens) -> Tensor:
        """(n, d), float32. An object without any token gives NaN."""
        return by_segment(tokens, _last)


class Tails:
    """Mean of the largest tokens, then of the smallest, in each component; 2 % unless told.

    An arc, a companion or a line is in a few tokens of some hundred: the mean over all of them
    dilutes it, the few most extreme ones hold it, whatever their place. The share of the tokens
    that carry data is rounded to a whole number, at least one. The mean of the k largest lies
    between the two poolings in common use, largest (k = 1) and mean (k = t).
    """

    def __init__(self, config: TailsConfig) -> None:
        self.config = config

    def reduce(self, tokens: Tokens) -> Tensor:
        """(n, 2 d), float32: largest, then smallest. An object without any token gives NaN."""
        return by_segment(tokens, self._both)

    def _both(self, values: Tensor, mask: Tensor) -> Tensor:
        share = self.config.share
        return torch.cat([_largest(values, mask, share), -_largest(-values, mask, share)], dim=1)


class Native:
    """The vector of a model that gives one itself: its only token."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def reduce(self, tokens: Tokens) -> Tensor:
        """(n, d), float32.

        Raises:
            PluginError: the model gives several tokens.
        """
        if tokens.values.shape[1] != 1:
            raise PluginError(
                f"embedder 'native' takes models that give one vector, got"
                f" {tokens.values.shape[1]} tokens; use --embedder mean"
            )
        return tokens.values[:, 0].float()


def by_segment(tokens: Tokens, pool: Pool) -> Tensor:
    """The pooled tokens, or the mean of the unit vectors of the pooled segments, (n, d) float32."""
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


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """(n, d): mean of (n, t, d) values with (n, t) weights; NaN where all weights are 0."""
    return torch.einsum("nt,ntd->nd", weights, values) / weights.sum(1, keepdim=True)


def _mean(values: Tensor, mask: Tensor) -> Tensor:
    return weighted_mean(values, mask.to(values.dtype))


def _last(values: Tensor, mask: Tensor) -> Tensor:
    place = torch.arange(values.shape[1], device=values.device)
    at = torch.where(mask, place, -1).amax(1)
    rows = torch.arange(len(values), device=values.device)
    return torch.where(at[:, None] >= 0, values[rows, at], torch.nan)


def _largest(values: Tensor, mask: Tensor, share: float) -> Tensor:
    """(n, d): mean over the `share` of tokens with the largest values."""
    count = mask.sum(1, keepdim=True)
    wanted = torch.round(share * count).clamp(min=1).long()
    present = torch.where(mask[:, :, None], values, -torch.inf)
    ordered = present.topk(int(wanted.max()), dim=1).values
    place = torch.arange(ordered.shape[1], device=values.device)
    kept = torch.where((place < wanted)[:, :, None], ordered, 0)
    return torch.where(count > 0, kept.sum(1) / wanted, torch.nan)
