"""What AstroPT learns from: each patch predicts the next one of its sequence."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from astropt.model import GPT
from torch import Tensor
from torch.nn import functional as F

from fmb import Batch, Inputs
from fmb_astropt.network import MODALITY, decode_tokens, embed_tokens, run_all_blocks

if TYPE_CHECKING:
    from fmb_astropt.training import AstroPTTraining

__all__ = ["NextPatch"]


class NextPatch:
    """Huber loss of the next patch, in the order image, spectrum.

    An image token predicts the next image token, the last image token the first spectrum token, a
    spectrum token the next one; nothing predicts the first token. The loss of an object is the mean
    over its inputs of the mean over their patches that carry data: that of upstream's `GPT.forward`
    with targets, when all patches do. An object with one input is a sequence of its own.
    """

    required: tuple[str, ...] = ()

    def __init__(
        self,
        network: GPT,
        config: "AstroPTTraining",
        *,
        prepare: Callable[[Mapping[str, str]], Callable[[Batch], Inputs]],
        wavelengths: Tensor | None,
        card_changes: Mapping[str, Any],
    ) -> None:
        """A task.

        Args:
            network: on the device it is trained on.
            config: weights of the loss, memory.
            prepare: gives the preparer for slot -> instrument.
            wavelengths: (t, numbers) positions of spectrum tokens; None = counted from 0.
            card_changes: what is new in the card.
        """
        self.module = network
        self.preparer = prepare
        self._wavelengths = wavelengths
        self._card_changes = card_changes
        self._checkpointing = config.checkpointing
        self._factor = {"image": config.image_weight, "spectrum": config.spectrum_weight}
        self._device = next(network.parameters()).device

    def train(self, mode: bool) -> None:
        """Dropout on or off.

        Set by hand: `train` of loralib's layers adds their update to the frozen matrix and takes it
        away again, and rounding would change what is frozen.
        """
        for module in self.module.modules():
            module.training = mode

    def loss(self, inputs: Inputs) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss (n,) and its parts `image` and `spectrum` (n,), without their factors."""
        slots = [slot for slot in MODALITY if slot in inputs.valid]
        values = {slot: self._tensor(inputs, slot) for slot in slots}
        x = torch.cat([self._embedded(slot, values[slot]) for slot in slots], dim=1)
        # The last token predicts nothing.
        hidden = run_all_blocks(self.module, x[:, :-1], checkpointing=self._checkpointing)
        total, parts, at = x.new_zeros(len(x), dtype=torch.float32), {}, 0
        for slot in slots:
            target = values[slot] if at else values[slot][:, 1:]
            mask = self._mask(inputs, slot)[:, -target.shape[1] :]
            found = decode_tokens(self.module, slot, hidden[:, at : at + target.shape[1]])
            error = F.huber_loss(found.float(), target, reduction="none").mean(2)
            mean = (error * mask).sum(1) / mask.sum(1).clamp(min=1)
            total = total + self._factor[slot] * mean
            parts[slot] = torch.where(mask.any(1), mean.detach(), torch.nan)
            at += target.shape[1]
        return total / len(slots), parts

    def weights(self) -> Mapping[str, Tensor]:
        """All tensors, by upstream's names."""
        state: Mapping[str, Tensor] = self.module.state_dict()
        return state

    def card_changes(self) -> Mapping[str, Any]:
        """The architecture and what depends on it."""
        return self._card_changes

    def _embedded(self, slot: str, values: Tensor) -> Tensor:
        positions = self._wavelengths if slot == "spectrum" else None
        return embed_tokens(self.module, slot, values, positions)

    def _tensor(self, inputs: Inputs, slot: str) -> Tensor:
        return torch.as_tensor(inputs.arrays[slot]).to(self._device)

    def _mask(self, inputs: Inputs, slot: str) -> Tensor:
        mask = inputs.arrays.get(f"{slot}_mask")
        if mask is None:
            shape = inputs.arrays[slot].shape[:2]
            return torch.ones(shape, dtype=torch.bool, device=self._device)
        return torch.as_tensor(mask).to(self._device)
