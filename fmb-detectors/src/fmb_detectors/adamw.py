"""AdamW with clipped gradients on parameters that lie in one block of memory."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

__all__ = ["AdamW"]

MOMENTS = 0.9, 0.999
EPSILON = 1e-8
WEIGHT_DECAY = 0.01
GRADIENT_NORM = 5.0


class AdamW:
    """Adam with decoupled weight decay; gradients longer than 5 are shortened to that.

    The same numbers as `torch.optim.AdamW` after `clip_grad_norm_`. Written out because making one
    of torch's optimisers imports 800 modules, 1.4 s, which is more than two fits of a small survey,
    and because a few operations on one vector cost less than some on each parameter.

    Source: Loshchilov and Hutter, arXiv:1711.05101, algorithm 2.
    """

    def __init__(self, parameters: Iterable[nn.Parameter]) -> None:
        """Move the parameters into one vector, of which they become views, like their gradients."""
        owned = list(parameters)
        self.values = torch.cat([p.detach().flatten() for p in owned])
        self.gradient, self.mean, self.square = (torch.zeros_like(self.values) for _ in range(3))
        self.steps = 0
        start = 0
        for parameter in owned:
            part = slice(start, start + parameter.numel())
            parameter.data = self.values[part].view_as(parameter)
            parameter.grad = self.gradient[part].view_as(parameter)
            start = part.stop

    def step(self, loss: Tensor, rate: float) -> None:
        """Take the gradient of `loss` and go one step down it.

        Args:
            loss: a scalar.
            rate: learning rate of this step.
        """
        self.gradient.zero_()
        loss.backward()  # type: ignore[no-untyped-call]
        self.steps += 1
        gradient, (first, second) = self.gradient, MOMENTS
        gradient *= (GRADIENT_NORM / (gradient.norm() + 1e-6)).clamp(max=1)
        self.values *= 1 - rate * WEIGHT_DECAY
        self.mean.lerp_(gradient, 1 - first)
        self.square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
        spread = self.square.sqrt().div_(math.sqrt(1 - second**self.steps)).add_(EPSILON)
        self.values.addcdiv_(self.mean, spread, value=-rate / (1 - first**self.steps))
