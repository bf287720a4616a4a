"""Flows of one shape side by side: one product a layer for all, the gradient written out."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from nflows.flows import Flow
from nflows.transforms.made import MaskedLinear
from torch import Tensor

from fmb_detectors.network import LOG_SCALE_CAP

__all__ = ["FlowStack"]

LAYERS = 4
"""Of a transform: the first, the two of its block, the last."""
ROWS = 4096
"""At a time where no gradient is taken, so that a large survey needs little memory."""


class Layer(NamedTuple):
    """One layer of K flows, or the gradient of their losses with respect to it."""

    weight: Tensor
    """(K, outputs, inputs)."""
    bias: Tensor
    """(K, 1, outputs)."""


class FlowStack:
    """K flows as `build_flow` makes them; each gets the numbers that it gets alone.

    The passes forward are those of `CappedAutoregressive`. The gradient is written out, for a graph
    takes a quarter of the time of small batches; it lands in one array with the weights' layout.
    Weights that a mask closes are set to zero, and so is their gradient, which saves the product of
    each weight with its mask.
    """

    def __init__(self, flows: Sequence[Flow]) -> None:
        layers = [part for part in flows[0].modules() if isinstance(part, MaskedLinear)]
        masks = [part for one in layers for part in (one.mask.flatten(), torch.ones_like(one.bias))]
        self._shapes = [tuple(one.weight.shape) for one in layers]
        self._open = torch.cat(masks)
        self.values = (
            torch.stack(
                [torch.cat([p.detach().flatten() for p in flow.parameters()]) for flow in flows]
            )
            * self._open
        )
        """(K, P): the parameters of each flow."""
        self._lay_out()

    def _lay_out(self) -> None:
        self.gradient = torch.zeros_like(self.values)
        """(K, P): of the losses that `descend` was given last."""
        self._transforms = self._layers(self.values)
        self._slopes = self._layers(self.gradient)
        self._passes: list[Pass] = []

    def _layers(self, numbers: Tensor) -> list[list[Layer]]:
        """Views of `numbers`, (K, P): the layers of each transform."""
        layers, start = [], 0
        for outputs, inputs in self._shapes:
            end = start + outputs * inputs
            weight = numbers[:, start:end].view(-1, outputs, inputs)
            layers.append(Layer(weight, numbers[:, None, end : end + outputs]))
            start = end + outputs
        return [layers[i : i + LAYERS] for i in range(0, len(layers), LAYERS)]

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with the flows at `rows`, in that order."""
        self.values = self.values[list(rows)]
        self._lay_out()

    def gain(self, row: int, z: Tensor) -> Tensor:
        """Log p_flow(z) - log N(z; 0, I) under the flow at `row`, in nats.

        Args:
            row: of `values`.
            z: (m, k).

        Returns:
            (m,), row order of z.
        """
        transforms = self._layers(self.values[row : row + 1])
        return torch.cat([gain(transforms, block[None])[0] for block in torch.split(z, ROWS)])

    def descend(self, z: Tensor, share: Tensor) -> None:
        """Set `gradient` to that of each flow's loss: the sum over its batch of -share log p_flow.

        Args:
            z: (K, B, k), a batch a flow.
            share: (K, B, 1): one by the rows of the batch; 0 for a row that only fills up.
        """
        if not self._passes or self._passes[0].x.shape != z.shape:
            self._passes = [Pass.through(layers, z) for layers in self._transforms]
        x = z
        for layers, one in zip(self._transforms, self._passes, strict=True):
            one.forward(layers, x)
            x = one.result.flip(2)
        slope = self._passes[-1].result.mul_(share)
        for i in reversed(range(len(self._passes))):
            layers, one = self._transforms[i], self._passes[i]
            hidden = one.backward(layers, self._slopes[i], slope, share)
            if i:  # nobody asks for the gradient of the rows themselves
                slope = one.scale.baddbmm_(hidden, layers[0].weight).flip(2)
        self.gradient *= self._open


class Pass(NamedTuple):
    """What one transform makes of a batch a flow, in memory that is there already.

    New arrays of this size would come from the system at each step, and clearing their pages takes
    a third of the time.
    """

    x: Tensor
    """(K, B, k), as `scale` and `result`; the others (K, B, hidden) but for `out`."""
    sigmoid: Tensor
    active: Tensor
    """y sigmoid(y) of what the first layer gives."""
    middle_sigmoid: Tensor
    middle: Tensor
    """The same of the second layer."""
    last: Tensor
    """Input of the last layer."""
    out: Tensor
    """(K, B, 2 k): tanh of the raw log-scale by its cap, then the shift."""
    scale: Tensor
    result: Tensor

    @classmethod
    def through(cls, layers: Sequence[Layer], z: Tensor) -> "Pass":
        """Memory for a batch of the shape of z."""
        k, hidden = z.shape[2], layers[0].bias.shape[2]
        widths = (k, hidden, hidden, hidden, hidden, hidden, 2 * k, k, k)
        return cls(*(z.new_empty(*z.shape[:2], width) for width in widths))

    def forward(self, layers: Sequence[Layer], x: Tensor) -> None:
        """Transform x, (K, B, k); see `CappedAutoregressive`."""
        self.x.copy_(x)
        linear(layers[0], x, self.last)
        torch.sigmoid(self.last, out=self.sigmoid)
        torch.mul(self.last, self.sigmoid, out=self.active)
        linear(layers[1], self.active, self.middle)
        torch.sigmoid(self.middle, out=self.middle_sigmoid)
        self.middle.mul_(self.middle_sigmoid)
        self.last.baddbmm_(self.middle, layers[2].weight.transpose(1, 2)).add_(layers[2].bias)
        linear(layers[3], self.last, self.out)
        bend, shift = self.out.chunk(2, dim=2)
        bend.div_(LOG_SCALE_CAP).tanh_()
        torch.mul(bend, LOG_SCALE_CAP, out=self.scale).exp_()
        torch.addcmul(shift, x, self.scale, out=self.result)

    def log_determinant(self) -> Tensor:
        """(K, B), after `forward`."""
        return self.out[:, :, : self.x.shape[2]].sum(dim=2).mul_(LOG_SCALE_CAP)

    def backward(
        self, layers: Sequence[Layer], slopes: Sequence[Layer], slope: Tensor, share: Tensor
    ) -> Tensor:
        """Gradients of the losses with respect to the layers, into `slopes`; once a `forward`.

        Args:
            layers: those of `forward`.
            slopes: of the same shapes, written to.
            slope: (K, B, k), gradient with respect to `result`.
            share: as in `FlowStack.descend`; a log-scale lowers the loss by its row's share.

        Returns:
            Gradient with respect to what the first layer gives, (K, B, hidden). `scale` holds that
            with respect to x where the networks stay as they are.
        """
        bend, shift = self.out.chunk(2, dim=2)
        self.scale.mul_(slope)
        shift.copy_(slope)
        capped = torch.mul(self.scale, self.x, out=self.result).sub_(share)
        torch.addcmul(capped, capped, bend.square_(), value=-1, out=bend)
        weigh(slopes[3], self.last, self.out)
        last = torch.bmm(self.out, layers[3].weight, out=self.last)
        weigh(slopes[2], self.middle, last)
        middle = bent(self.middle, self.middle_sigmoid, last, layers[2])
        weigh(slopes[1], self.active, middle)
        first = bent(self.active, self.sigmoid, middle, layers[1]).add_(last)
        weigh(slopes[0], self.x, first)
        return first


def bent(active: Tensor, sigmoid: Tensor, out: Tensor, layer: Layer) -> Tensor:
    """Gradient with respect to y, of active = y sigmoid(y); written over `sigmoid`.

    Args:
        active: (K, B, inputs) of `layer`, spent.
        sigmoid: of y, spent.
        out: gradient with respect to what `layer` gives.
        layer: the one that `active` goes into.
    """
    derivative = active.lerp_(active.new_ones(()), sigmoid)  # active + sigmoid (1 - active)
    return torch.bmm(out, layer.weight, out=sigmoid).mul_(derivative)


def linear(layer: Layer, x: Tensor, out: Tensor) -> None:
    """What a layer gives for x, (K, B, inputs)."""
    torch.baddbmm(layer.bias, x, layer.weight.transpose(1, 2), out=out)


def weigh(slope: Layer, x: Tensor, out: Tensor) -> None:
    """Gradient with respect to a layer's weight and bias into `slope`.

    Args:
        slope: written to.
        x: (K, B, inputs), what the layer was given.
        out: (K, B, outputs), gradient with respect to what it gave.
    """
    torch.bmm(out.transpose(1, 2), x, out=slope.weight)
    torch.sum(out, dim=1, keepdim=True, out=slope.bias)


def gain(transforms: Sequence[Sequence[Layer]], z: Tensor) -> Tensor:
    """Log p_flow(z) - log N(z; 0, I), (K, B), of z, (K, B, k)."""
    one, x, total = Pass.through(transforms[0], z), z, z.new_zeros(z.shape[:2])
    for layers in transforms:
        one.forward(layers, x)
        total += one.log_determinant()
        x = one.result.flip(2)
    return total.add_((z.square() - x.square()).sum(dim=2), alpha=0.5)
