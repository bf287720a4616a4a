"""AION as a model of FMB: loads a weights folder, prepares batches, encodes them to tokens."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from fmb import Batch, ConfigError, Inputs, Tokens
from fmb.torch import autocast
from fmb.weights import read_card
from fmb_aion.adapter_start import AdapterStart
from fmb_aion.config import AionConfig
from fmb_aion.cycle import Cycle
from fmb_aion.parts import Parts
from fmb_aion.prepare import Preparer
from fmb_aion.recipes import unpack_card
from fmb_aion.views import VIEWS

if TYPE_CHECKING:
    from fmb_aion.training import AionTraining

__all__ = ["AionModel"]


class AionModel:
    """Image, spectrum and joint tokens of AION-1 (arXiv:2510.17960), with upstream's own layers.

    An image becomes 576 tokens, a spectrum 273; `joint` is one pass over both, image first, in
    which every token sees every other. The tokens are those that upstream's decoder would attend
    to: the encoder's output, projected, plus position and modality.
    """

    def __init__(
        self,
        config: AionConfig,
        *,
        seed: int = 0,
        device: str = "cpu",
        precision: str = "float32",
    ) -> None:
        """A model without weights.

        Args:
            config: `preset` is used when a card is written, the rest here.
            seed: of an adapter trained from nothing; random weights have theirs in the card.
            device: where the networks run.
            precision: "float32", or "bf16" or "fp16" for autocast of the encoder's matrix
                products. The codecs always run in float32: a token is a decision.
        """
        self._config, self._seed = config, seed
        self._device = torch.device(device)
        self._precision = precision

    def load(self, folder: Path) -> None:
        """Take the weights of `folder`, strictly.

        Raises:
            WeightsError: no or wrong card, no or unreadable tensors, tensors that do not fit.
        """
        card, place = read_card(folder), str(folder / "card.json")
        self._sizes, self._recipe = unpack_card(card, place)
        self._card, self._folder = card, folder
        if card.random_seed is not None:
            parts = Parts.drawn(self._sizes, card.random_seed, where=place)
        else:
            parts = Parts.loaded(self._sizes, card, folder)
        self._parts = parts.to(self._device)

    def preparer(self, sources: Mapping[str, str]) -> Callable[[Batch], Inputs]:
        """A picklable function from a batch to calibrated pixels; see `Preparer`."""
        return Preparer(
            recipe=self._recipe,
            codec=self._sizes.spectrum_codec,
            config=self._config,
            image_source=sources.get("image"),
            spectrum_source=sources.get("spectrum"),
        )

    def task(self, config: "AionTraining", sources: Mapping[str, str]) -> Cycle:
        """What the adapter learns from, with the image codec of the weights that were loaded.

        Args:
            config: options of the training.
            sources: slot -> instrument.

        Raises:
            ConfigError: options differ from those of the adapter the weights have.
            WeightsError: the weights lack the image codec's decoder.
        """
        start = AdapterStart(self._card, self._folder, self._sizes, self._recipe, self._parts)
        return start.task(config, sources, self._config, self._seed, self._device)

    def encode(self, inputs: Inputs, views: Sequence[str]) -> Mapping[str, Tokens]:
        """Tokens of each of `views`; see `Tokens` for shapes.

        Each input is turned into token numbers once, whatever the views.

        Args:
            inputs: objects that are valid in all slots that the views need.
            views: any of "image", "spectrum", "joint".

        Raises:
            ConfigError: a view that AION does not give.
        """
        for view in views:
            if view not in VIEWS:
                raise ConfigError(f"view {view!r}: AION gives {', '.join(VIEWS)}")
        slots = [slot for slot in ("image", "spectrum") if any(slot in VIEWS[v] for v in views)]
        with torch.inference_mode():
            numbers = self._parts.tokenise(inputs, slots, self._recipe, self._device)
            with autocast(str(self._device), self._precision):
                return {
                    view: Tokens(self._encode(dict(numbers[slot] for slot in VIEWS[view])))
                    for view in views
                }

    def _encode(self, numbers: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """(n, t, d) for the token numbers (n, t) by domain."""
        # Upstream keeps the first 256 tokens of the sequence when it is not told how many.
        count = sum(tokens.shape[1] for tokens in numbers.values())
        values: torch.Tensor = self._parts.encoder.encode(dict(numbers), num_encoder_tokens=count)  # type: ignore[operator]
        return values
