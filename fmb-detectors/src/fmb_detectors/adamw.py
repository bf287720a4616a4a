"""AdamW with clipped gradients on rows of parameters, each of which is a model of its own."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["AdamW"]

MOMENTS = 0.9, 0.999
EPSILON = 1e-8
SMALLEST_SQUARE = 1e-30
"""Where the mean squares start: 1e-7 of EPSILON, and roots of zero take thirty times as long."""


class AdamW:
    """Adam with decoupled weight decay; gradients that are too long are shortened.

    The same numbers as `torch.optim.AdamW` after `clip_grad_norm_`, a row at a time: a row and its
    moments stay in a core's cache. Written out because making one of torch's optimisers imports 800
    modules, 1.4 s, which is more than two fits of a small survey, and because a few operations on
    one vector cost less than some on each parameter.

    Source: Loshchilov and Hutter, arXiv:1711.05101, algorithm 2.
    """

    def __init__(self, values: Tensor, weight_decay: float, longest: float) -> None:
        """For parameters of the shape of `values`, (K, P).

        Args:
            values: the parameters.
            weight_decay: share of a parameter that a step takes off, by the learning rate.
            longest: norm to which the gradient of a row is shortened; 0 = none is.
        """
        self.weight_decay, self.longest = weight_decay, longest or math.inf
        self.mean = torch.zeros_like(values)
        self.square = torch.full_like(values, SMALLEST_SQUARE)
        self.steps = 0

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with the parameters at `rows`, in that order."""
        self.mean, self.square = self.mean[list(rows)], self.square[list(rows)]

    def step(self, values: Tensor, gradient: Tensor, rates: Sequence[float]) -> None:
        """Go one step down the gradient.

        Args:
            values: (K, P), changed in place.
            gradient: (K, P), of the loss of each row; shortened in place.
            rates: K learning rates of this step.
        """
        self.steps += 1
        first, second = MOMENTS
        root = math.sqrt(1 - second**self.steps)
        rows = zip(values, gradient, self.mean, self.square, rates, strict=True)
        for value, slope, mean, square, rate in rows:
            norm = float(torch.linalg.vector_norm(slope))
            if norm > self.longest:
                slope *= self.longest / (norm + 1e-6)
            mean.lerp_(slope, 1 - first)
            square.mul_(second).addcmul_(slope, slope, value=1 - second)
            spread = square.sqrt().add_(EPSILON * root)
            value *= 1 - rate * self.weight_decay
            value.addcdiv_(mean, spread, value=-rate * root / (1 - first**self.steps))
