"""From weights to the training of their adapter: the networks, the files and the card."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch
from aion.codecs.image import ImageCodec
from torch import Tensor

from fmb import Accepts, ConfigError, WeightsError
from fmb.torch import fill, read_tensors
from fmb.weights import Card
from fmb_aion.adapter import Adapter
from fmb_aion.codecs import IMAGE_DECODER_SIDE, build_image_codec
from fmb_aion.config import AionConfig
from fmb_aion.cycle import Cycle, Files
from fmb_aion.network import without_values
from fmb_aion.parts import Parts
from fmb_aion.prepare import Preparer
from fmb_aion.presets import ADAPTER_FILE, DECODER_FILE, FILES
from fmb_aion.recipes import AdapterRecipe, AdapterSizes, Architecture, Recipe
from fmb_aion.surveys import EUCLID

if TYPE_CHECKING:
    from fmb_aion.training import AionTraining

__all__ = ["AdapterStart"]


@dataclass(frozen=True)
class AdapterStart:
    """The weights that a training starts from."""

    card: Card
    folder: Path
    sizes: Architecture
    recipe: Recipe
    parts: Parts

    def task(
        self,
        config: "AionTraining",
        sources: Mapping[str, str],
        options: AionConfig,
        seed: int,
        device: torch.device,
    ) -> Cycle:
        """The task of training the adapter of these weights further, or a new one.

        Args:
            config: options of the training.
            sources: slot -> instrument.
            options: of the model, for preparing images.
            seed: of a new adapter.
            device: where it is trained.

        Raises:
            ConfigError: options differ from those of the adapter the weights have.
            WeightsError: the weights lack the image codec's decoder.
        """
        sizes = self.sizes.model_copy(update={"adapter": self._adapter_sizes(config)})
        recipe = self.recipe.model_copy(update={"adapter": self._adapter_recipe(config)})
        codec = self._codec()
        decoder = {
            name: tensor
            for name, tensor in codec.state_dict().items()
            if name.startswith(IMAGE_DECODER_SIDE)
        }
        return Cycle(
            self._adapter(sizes, seed).to(device),
            codec.to(device),
            prepare=partial(_preparer, recipe, sizes, options),
            files=partial(self._files, decoder),
            card_changes={
                "architecture": sizes.model_dump(mode="json"),
                "preprocessing": recipe.model_dump(mode="json"),
                "accepts": self._accepts(recipe, sources["image"]),
            },
        )

    def _adapter_sizes(self, config: "AionTraining") -> AdapterSizes:
        held = self.sizes.adapter
        if held is None:
            return AdapterSizes() if config.hidden is None else AdapterSizes(hidden=config.hidden)
        _require_same("hidden", config.hidden, held.hidden)
        return held

    def _adapter_recipe(self, config: "AionTraining") -> AdapterRecipe:
        held, side = self.recipe.adapter, config.field_px
        if held is None:
            return AdapterRecipe() if side is None else AdapterRecipe(field_px=side)
        _require_same("field_px", side, held.field_px)
        return held

    def _adapter(self, sizes: Architecture, seed: int) -> Adapter:
        if self.parts.adapter is not None:
            return cast(Adapter, copy.deepcopy(self.parts.adapter))
        assert sizes.adapter is not None
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return Adapter(sizes.adapter)

    def _codec(self) -> ImageCodec:
        """The whole image codec: that of the seed, or of the folder's two files."""
        if self.card.random_seed is not None:
            drawn = Parts.drawn(self.sizes, self.card.random_seed, decoder=True)
            return cast(ImageCodec, drawn.image_codec)
        if DECODER_FILE not in self.card.files:
            raise WeightsError(
                f"{self.folder}: these weights have no {DECODER_FILE}, which training an adapter"
                " needs: start from the folder as published"
            )
        halves = (FILES["image_codec"], DECODER_FILE)
        files = [self.card.tensors(self.folder, half) for half in halves]
        with without_values():
            codec = build_image_codec(self.sizes.image_codec, decoder=True)
        fill(codec, read_tensors(files[0]) | read_tensors(files[1]), " and ".join(map(str, files)))
        return codec

    def _files(self, decoder: Mapping[str, Tensor], adapter: Mapping[str, Tensor]) -> Files:
        """What stands in the new folder; None is copied from this one."""
        if self.card.random_seed is None:
            return {**dict.fromkeys(self.card.files), ADAPTER_FILE: adapter}
        parts = {file: getattr(self.parts, part).state_dict() for part, file in FILES.items()}
        return {**parts, DECODER_FILE: decoder, ADAPTER_FILE: adapter}

    def _accepts(self, recipe: Recipe, instrument: str) -> tuple[Accepts, ...]:
        """What the weights accepted, and the adapter's bands."""
        held = {a.bands: a for a in self.card.accepts if a.slot == "image"}
        assert recipe.adapter is not None
        new = held.pop(EUCLID.bands, None) or replace(
            EUCLID, instruments=(instrument,), min_size_px=recipe.adapter.field_px
        )
        others = [a for a in self.card.accepts if a.slot != "image"]
        return (*held.values(), new, *others)


def _preparer(
    recipe: Recipe, sizes: Architecture, options: AionConfig, sources: Mapping[str, str]
) -> Preparer:
    return Preparer(
        recipe=recipe,
        codec=sizes.spectrum_codec,
        config=options,
        image_source=sources["image"],
        spectrum_source=None,
    )


def _require_same(name: str, asked: int | None, held: int) -> None:
    if asked not in (None, held):
        raise ConfigError(
            f"train.{name} = {asked}: the adapter of these weights has {held}; leave it out"
        )
