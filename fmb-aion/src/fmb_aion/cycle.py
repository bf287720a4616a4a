"""What the adapter learns from: Euclid's image must survive the way through the image codec."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from aion.codecs.image import ImageCodec
from torch import Tensor

from fmb import Batch, Inputs
from fmb_aion.adapter import Adapter
from fmb_aion.codecs import round_trip
from fmb_aion.surveys import EUCLID_BANDS, HSC_BANDS

__all__ = ["Cycle"]

Files = Mapping[str, Mapping[str, Tensor] | None]


class Cycle:
    """Squared error of Euclid -> HSC-like -> codec -> HSC-like -> Euclid.

    In the scale asinh(flux / five times the noise of a pixel): near the sky an error counts in
    units of the noise, in bright pixels as a share of the flux. Mean over the pixels of a band that
    were observed, then over the bands. The codec is frozen; gradients pass its rounding straight
    through.
    """

    required: tuple[str, ...] = ("image",)

    def __init__(
        self,
        adapter: Adapter,
        codec: ImageCodec,
        *,
        prepare: Callable[[Mapping[str, str]], Callable[[Batch], Inputs]],
        files: Callable[[Mapping[str, Tensor]], Files],
        card_changes: Mapping[str, Any],
    ) -> None:
        """A task.

        Args:
            adapter: on the device it is trained on.
            codec: with its decoder, on the same device.
            prepare: gives the preparer for slot -> instrument.
            files: gives the files of the weights, from the adapter's tensors.
            card_changes: what is new in the card.
        """
        self.module = adapter
        self.preparer = prepare
        self.codec = codec.requires_grad_(False).eval()
        """Frozen."""
        self._files = files
        self._card_changes = card_changes
        self._device = next(adapter.parameters()).device

    def train(self, mode: bool) -> None:
        """Nothing here behaves differently in training."""
        self.module.train(mode)

    def loss(self, inputs: Inputs) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss (n,) and that of each band (n,), NaN where no pixel of a band was observed."""
        flux, good = (
            torch.as_tensor(inputs.arrays[f"adapted.{name}"]).to(self._device)
            for name in ("flux", "good")
        )
        # In float32 whatever the precision: a token is a decision.
        with torch.autocast(self._device.type, enabled=False):
            decoded = round_trip(self.codec, self.module(flux), HSC_BANDS)
            error = (self.module.back(decoded) - self.module.stretched(flux)).square()
        seen = good.sum((2, 3))
        each = (error * good).sum((2, 3)) / seen.clamp(min=1)
        told = torch.where(seen > 0, each.detach(), torch.nan)
        return each.mean(1), dict(zip(EUCLID_BANDS, told.unbind(1), strict=True))

    def weights(self) -> Mapping[str, Tensor]:
        """The adapter's tensors."""
        state: Mapping[str, Tensor] = self.module.state_dict()
        return state

    def files(self) -> Files:
        """All files of the weights folder: the adapter's, and those that were not trained."""
        return self._files(self.weights())

    def card_changes(self) -> Mapping[str, Any]:
        """The adapter's sizes, bands, unit and pixels, and that its images are accepted."""
        return self._card_changes
