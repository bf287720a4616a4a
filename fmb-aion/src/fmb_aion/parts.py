"""The networks of AION that embed: encoder, image codec, spectrum codec, and an adapter if any."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn

from fmb import Inputs
from fmb.torch import fill, read_tensors, refuse_huge
from fmb.weights import Card
from fmb_aion.adapter import Adapter
from fmb_aion.codecs import (
    IMAGE_DECODER_SIDE,
    SPECTRUM_DECODER_SIDE,
    build_image_codec,
    build_spectrum_codec,
    image_tokens,
    spectrum_tokens,
)
from fmb_aion.network import DECODER_SIDE, build_encoder, without_values
from fmb_aion.presets import files_of
from fmb_aion.recipes import Architecture, Recipe
from fmb_aion.surveys import HSC_BANDS

__all__ = ["IGNORED", "Parts"]

IGNORED = {
    "encoder": DECODER_SIDE,
    "image_codec": IMAGE_DECODER_SIDE,
    "spectrum_codec": SPECTRUM_DECODER_SIDE,
}
"""Part -> beginnings of the names of upstream's tensors that it does without."""


@dataclass(frozen=True, eq=False)
class Parts:
    """The networks, in evaluation mode, without any decoder."""

    encoder: nn.Module
    image_codec: nn.Module
    spectrum_codec: nn.Module
    adapter: nn.Module | None = None
    """What makes Euclid's images ones that the image codec takes; None: it is not there."""

    @classmethod
    def build(cls, sizes: Architecture, *, decoder: bool = False) -> Self:
        """Networks with upstream's initialisation from torch's global generator.

        With `decoder` the image codec has its other half; nothing else is drawn differently.
        """
        return cls(
            build_encoder(sizes.encoder),
            build_image_codec(sizes.image_codec, decoder=decoder),
            build_spectrum_codec(sizes.spectrum_codec),
            None if sizes.adapter is None else Adapter(sizes.adapter).eval(),
        )

    @classmethod
    def empty(cls, sizes: Architecture) -> Self:
        """Networks without memory for their tensors."""
        with without_values():
            return cls.build(sizes)

    @classmethod
    def drawn(
        cls, sizes: Architecture, seed: int, *, decoder: bool = False, where: str = "the card"
    ) -> Self:
        """Random networks, drawn on the CPU; torch's global generator is left as it was.

        Raises:
            WeightsError: one is too large to be drawn; `where` names the card.
        """
        shapes = cls.empty(sizes)
        for part in fields(shapes):
            if network := getattr(shapes, part.name):
                refuse_huge(network, where)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return cls.build(sizes, decoder=decoder)

    @classmethod
    def loaded(cls, sizes: Architecture, card: Card, folder: Path) -> Self:
        """Networks filled from a weights folder.

        Raises:
            WeightsError: a file is missing or damaged, not listed by the card, or does not fit
                the sizes.
        """
        parts = cls.empty(sizes)
        for name, file in files_of(sizes).items():
            path = card.tensors(folder, file)
            fill(getattr(parts, name), read_tensors(path), str(path))
        return parts

    def to(self, device: torch.device) -> Self:
        """The same networks on `device`."""
        there = {f.name: network for f in fields(self) if (network := getattr(self, f.name))}
        return type(self)(**{name: network.to(device) for name, network in there.items()})

    def tokenise(
        self, inputs: Inputs, slots: Sequence[str], recipe: Recipe, device: torch.device
    ) -> dict[str, tuple[str, Tensor]]:
        """Slot -> (upstream's token domain, token numbers (n, t)), for the slots asked for."""

        def given(domain: str, *names: str) -> list[Tensor]:
            return [torch.as_tensor(inputs.arrays[f"{domain}.{name}"]).to(device) for name in names]

        found: dict[str, tuple[str, Tensor]] = {}
        if "image" in slots and "adapted.flux" in inputs.arrays:
            assert self.adapter is not None
            assert recipe.adapter is not None
            flux = self.adapter(*given("adapted", "flux"))
            found["image"] = recipe.adapter.domain, image_tokens(self.image_codec, flux, HSC_BANDS)
        for survey in recipe.images if "image" in slots else ():
            if f"{survey.domain}.flux" in inputs.arrays:
                present = inputs.arrays[f"{survey.domain}.bands"][0]
                bands = [band for band, there in zip(survey.bands, present, strict=True) if there]
                (flux,) = given(survey.domain, "flux")
                found["image"] = survey.domain, image_tokens(self.image_codec, flux, bands)
        for domain in ("tok_spectrum_desi", "tok_spectrum_sdss") if "spectrum" in slots else ():
            if f"{domain}.flux" in inputs.arrays:
                pixels = given(domain, "flux", "ivar", "mask", "wavelength")
                found["spectrum"] = domain, spectrum_tokens(self.spectrum_codec, *pixels)
        return found
