"""AstroPT as a model of FMB: loads a weights folder, prepares batches, encodes them to tokens."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from fmb import Batch, ConfigError, Inputs, Tokens
from fmb.torch import autocast, read_tensors
from fmb.weights import read_card
from fmb_astropt.config import AstroPTConfig
from fmb_astropt.network import (
    MODALITY,
    draw_network,
    embed_tokens,
    fill_network,
    run_blocks,
    trainable_network,
)
from fmb_astropt.next_patch import NextPatch
from fmb_astropt.prepare import Preparer
from fmb_astropt.recipes import Architecture, Recipe, SpectrumRecipe, unpack_card
from fmb_astropt.views import VIEWS

if TYPE_CHECKING:
    from fmb_astropt.training import AstroPTTraining

__all__ = ["AstroPTModel"]


class AstroPTModel:
    """Image, spectrum and joint tokens of AstroPT (arXiv:2405.14930), with upstream's own layers.

    `image` and `joint` come from one causal pass over image tokens, then spectrum tokens: the image
    part of it cannot see the spectrum. `spectrum` is a pass of its own, without the image.
    Attention is causal over all tokens, also those without data: they carry zeros and their
    position, as upstream's padding does, and pooling leaves them out.
    """

    def __init__(
        self,
        config: AstroPTConfig,
        *,
        seed: int = 0,
        device: str = "cpu",
        precision: str = "float32",
    ) -> None:
        """A model without weights.

        Args:
            config: `min_coverage` is used here, the rest when a card is written.
            seed: of low-rank updates that are drawn; random weights have their seed in the card.
            device: where the network runs.
            precision: "float32", or "bf16" or "fp16" for autocast of the matrix products.
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
        self._architecture, self._recipe = unpack_card(card, place)
        if card.random_seed is not None:
            network = draw_network(self._architecture, card.random_seed, place)
        else:
            tensor_file = card.tensors(folder)
            network = fill_network(self._architecture, read_tensors(tensor_file), str(tensor_file))
        self._card, self._folder, self._random_seed = card, folder, card.random_seed
        self._network = network.to(self._device)
        self._wavelengths = self._wavelength_positions()

    def preparer(self, sources: Mapping[str, str]) -> Callable[[Batch], Inputs]:
        """A picklable function from a batch to tokens; see `Preparer`."""
        return Preparer(
            recipe=self._recipe,
            image_source=sources.get("image"),
            spectrum_source=sources.get("spectrum"),
            min_coverage=self._config.min_coverage,
        )

    def task(self, config: "AstroPTTraining", sources: Mapping[str, str]) -> NextPatch:
        """What the weights that were loaded learn from.

        Random weights are drawn again, for the slots of `sources` alone; trained ones keep both
        halves. `lora_r` puts a low-rank update into weights that have none.

        Args:
            config: options of the training.
            sources: slot -> instrument.

        Raises:
            ConfigError: `lora_r` differs from that of the weights.
        """
        drawn = self._random_seed is not None
        architecture, recipe = self._trained_parts(config, sources)
        state = None if drawn else read_tensors(self._card.tensors(self._folder))
        seed = self._seed if self._random_seed is None else self._random_seed
        network = trainable_network(
            architecture, state, str(self._folder), seed=seed, dropout=config.dropout
        )
        changes: dict[str, Any] = {
            "architecture": architecture.model_dump(mode="json"),
            "preprocessing": recipe.model_dump(mode="json"),
        }
        if drawn:
            changes["accepts"] = recipe.accepts()
        return NextPatch(
            network.to(self._device),
            config,
            prepare=self.preparer,
            wavelengths=self._wavelengths,
            card_changes=changes,
        )

    def _trained_parts(
        self, config: "AstroPTTraining", sources: Mapping[str, str]
    ) -> tuple[Architecture, Recipe]:
        """What the network of a training is made of."""
        architecture, recipe = self._architecture, self._recipe
        if self._random_seed is not None:
            recipe = recipe.model_copy(update={s: None for s in MODALITY if s not in sources})
            kept = {MODALITY[slot] for slot in sources}
            known = tuple(m for m in architecture.modalities if m.name in kept)
            architecture = architecture.model_copy(update={"modalities": known})
        if config.lora_r is None:
            return architecture, recipe
        if architecture.lora_r not in (0, config.lora_r):
            raise ConfigError(
                f"train.lora_r = {config.lora_r}: these weights have a low-rank update of rank"
                f" {architecture.lora_r}; leave lora_r out"
            )
        return architecture.model_copy(update={"lora_r": config.lora_r}), recipe

    def encode(self, inputs: Inputs, views: Sequence[str]) -> Mapping[str, Tokens]:
        """Tokens of block n_layer // 2 for each of `views`; see `Tokens` for shapes.

        Args:
            inputs: objects that are valid in all slots that the views need.
            views: any of "image", "spectrum", "joint".

        Raises:
            ConfigError: a view that these weights do not give.
        """
        slots = self._slots_for(views)
        with torch.inference_mode(), autocast(str(self._device), self._precision):
            x = {slot: self._embed(slot, inputs) for slot in slots}
            masks = {slot: self._mask(slot, inputs) for slot in slots}
            found: dict[str, Tokens] = {}
            if "joint" in views:
                values = run_blocks(self._network, torch.cat([x["image"], x["spectrum"]], dim=1))
                found["joint"] = _joint(values, masks["image"], masks["spectrum"], x)
                found["image"] = Tokens(values[:, : x["image"].shape[1]], masks["image"])
            elif "image" in views:
                found["image"] = Tokens(run_blocks(self._network, x["image"]), masks["image"])
            if "spectrum" in views:
                values = run_blocks(self._network, x["spectrum"])
                found["spectrum"] = Tokens(values, masks["spectrum"])
        return {view: found[view] for view in views}

    def _slots_for(self, views: Sequence[str]) -> list[str]:
        known = [m.name for m in self._architecture.modalities]
        given = {v: s for v, s in VIEWS.items() if all(MODALITY[slot] in known for slot in s)}
        for view in views:
            if view not in given:
                raise ConfigError(
                    f"view {view!r}: these weights give {', '.join(given)}; choose one of them"
                )
        return [slot for slot in MODALITY if any(slot in given[view] for view in views)]

    def _embed(self, slot: str, inputs: Inputs) -> Tensor:
        values = torch.as_tensor(inputs.arrays[slot]).to(self._device)
        positions = self._wavelengths if slot == "spectrum" else None
        return embed_tokens(self._network, slot, values, positions)

    def _mask(self, slot: str, inputs: Inputs) -> Tensor | None:
        mask = inputs.arrays.get(f"{slot}_mask")
        return None if mask is None else torch.as_tensor(mask).to(self._device)

    def _wavelength_positions(self) -> Tensor | None:
        recipe = self._recipe.spectrum
        if recipe is None or recipe.positions == "index":
            return None
        return _scaled_wavelengths(recipe).to(self._device)


def _scaled_wavelengths(recipe: SpectrumRecipe) -> Tensor:
    """(t, patch): (wavelength - 3000 A)/7000 A of each pixel, 0 where the last patch is filled up.

    Source: `GalaxyImageDataset.__getitem__` and `process_spectra` of astropt 2.0.9.
    """
    pixel = torch.arange(recipe.n_pixels, dtype=torch.float64)
    scaled = (recipe.start_aa + recipe.step_aa * pixel - 3000.0) / 7000.0
    full = torch.zeros(recipe.n_tokens * recipe.patch_px, dtype=torch.float64)
    full[: recipe.n_pixels] = scaled
    return full.reshape(recipe.n_tokens, recipe.patch_px).float()


def _joint(
    values: Tensor, image_mask: Tensor | None, spectrum_mask: Tensor | None, x: Mapping[str, Tensor]
) -> Tokens:
    """Both segments of one pass; a missing mask of one of them means "all tokens carry data"."""
    mask = None
    if image_mask is not None or spectrum_mask is not None:
        parts = [
            torch.ones(x[slot].shape[:2], dtype=torch.bool, device=values.device)
            if part is None
            else part
            for slot, part in (("image", image_mask), ("spectrum", spectrum_mask))
        ]
        mask = torch.cat(parts, dim=1)
    lengths = torch.tensor([x["image"].shape[1], x["spectrum"].shape[1]])
    segment = torch.arange(2).repeat_interleave(lengths).to(values.device)
    return Tokens(values, mask, segment)
