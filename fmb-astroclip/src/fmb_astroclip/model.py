"""AstroCLIP as a model of FMB: loads a weights folder, prepares batches, encodes them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from fmb import Batch, ConfigError, Inputs, Tokens
from fmb.torch import autocast, read_tensors
from fmb.weights import read_card
from fmb_astroclip.config import AstroCLIPConfig
from fmb_astroclip.contrastive import Contrastive
from fmb_astroclip.drawing import draw_network
from fmb_astroclip.encoding import image_vectors, spectrum_vectors
from fmb_astroclip.network import fill_network
from fmb_astroclip.prepare import Preparer
from fmb_astroclip.recipes import unpack_card

if TYPE_CHECKING:
    from fmb_astroclip.training import AstroCLIPTraining

__all__ = ["AstroCLIPModel"]


class AstroCLIPModel:
    """One vector for an image and one for a spectrum, in one space (arXiv:2310.03024).

    The vectors are not of unit length; their cosine compares image and spectrum once the mean of
    each modality is taken away. `joint` is formed by the core from the unit vectors of both.
    """

    def __init__(
        self,
        config: AstroCLIPConfig,
        *,
        seed: int = 0,
        device: str = "cpu",
        precision: str = "float32",
    ) -> None:
        """A model without weights.

        Args:
            config: `min_coverage` is used here, the rest when a card is written.
            seed: not used: random weights have their seed in the card, and nothing else is drawn.
            device: where the network runs.
            precision: "float32", or "bf16" or "fp16" for autocast of the matrix products.
        """
        self._config = config
        self._device = torch.device(device)
        self._precision = precision

    def load(self, folder: Path) -> None:
        """Take the weights of `folder`, strictly.

        Raises:
            WeightsError: no or wrong card, no or unreadable tensors, tensors that do not fit.
        """
        card, place = read_card(folder), str(folder / "card.json")
        sizes, self._recipe = unpack_card(card, place)
        self._sizes, self._drawn = sizes, card.random_seed is not None
        if card.random_seed is not None:
            network = draw_network(sizes, self._recipe, card.random_seed, place)
        else:
            path = card.tensors(folder)
            network = fill_network(sizes, self._recipe, read_tensors(path), str(path))
        self._network = network.to(self._device)
        self._max_pixels = self._recipe.spectrum.max_pixels(sizes.spectrum.max_tokens)

    def preparer(self, sources: Mapping[str, str]) -> Callable[[Batch], Inputs]:
        """A picklable function from a batch to pictures and fluxes; see `Preparer`."""
        return Preparer(
            recipe=self._recipe,
            max_pixels=self._max_pixels,
            image_source=sources.get("image"),
            spectrum_source=sources.get("spectrum"),
            min_coverage=self._config.min_coverage,
        )

    def task(self, config: "AstroCLIPTraining", sources: Mapping[str, str]) -> Contrastive:
        """What the weights that were loaded learn from; training changes them in place.

        Args:
            config: options of the training.
            sources: slot -> instrument; both slots are required.

        Raises:
            ConfigError: the towers have fewer blocks than are to be trained.
        """
        return Contrastive(
            self._network,
            self._sizes,
            self._recipe.spectrum,
            config,
            drawn=self._drawn,
            prepare=self.preparer,
        )

    def encode(self, inputs: Inputs, views: Sequence[str]) -> Mapping[str, Tokens]:
        """One token (n, 1, d) for each of `views`.

        Args:
            inputs: objects that are valid in all slots that the views need.
            views: "image", "spectrum" or both.

        Raises:
            ConfigError: another view.
        """
        encoders = {"image": image_vectors, "spectrum": spectrum_vectors}
        for view in views:
            if view not in encoders:
                raise ConfigError(
                    f"view {view!r}: the network gives {', '.join(encoders)}; choose one of them"
                )
        with torch.inference_mode(), autocast(str(self._device), self._precision):
            found = {v: encoders[v](self._network, inputs, self._device) for v in views}
            return {view: Tokens(vectors[:, None]) for view, vectors in found.items()}
