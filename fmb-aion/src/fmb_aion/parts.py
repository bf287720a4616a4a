"""The three networks of AION that embed: encoder, image codec, spectrum codec."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn

from fmb.data import Inputs
from fmb.torch import fill, read_tensors
from fmb_aion.codecs import (
    IMAGE_DECODER_SIDE,
    SPECTRUM_DECODER_SIDE,
    build_image_codec,
    build_spectrum_codec,
    image_tokens,
    spectrum_tokens,
)
from fmb_aion.network import DECODER_SIDE, build_encoder, without_values
from fmb_aion.presets import FILES
from fmb_aion.recipes import Architecture, Recipe

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

    @classmethod
    def build(cls, sizes: Architecture) -> Self:
        """Networks with upstream's initialisation from torch's global generator."""
        return cls(
            build_encoder(sizes.encoder),
            build_image_codec(sizes.image_codec),
            build_spectrum_codec(sizes.spectrum_codec),
        )

    @classmethod
    def empty(cls, sizes: Architecture) -> Self:
        """Networks without memory for their tensors."""
        with without_values():
            return cls.build(sizes)

    @classmethod
    def drawn(cls, sizes: Architecture, seed: int) -> Self:
        """Random networks, drawn on the CPU; torch's global generator is left as it was."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return cls.build(sizes)

    @classmethod
    def loaded(cls, sizes: Architecture, folder: Path) -> Self:
        """Networks filled from a weights folder.

        Raises:
            WeightsError: a file is missing or damaged, or does not fit the sizes.
        """
        parts = cls.empty(sizes)
        for name, file in FILES.items():
            fill(getattr(parts, name), read_tensors(folder / file), str(folder / file))
        return parts

    def to(self, device: torch.device) -> Self:
        """The same networks on `device`."""
        return type(self)(*(getattr(self, name).to(device) for name in FILES))

    def tokenise(
        self, inputs: Inputs, slots: Sequence[str], recipe: Recipe, device: torch.device
    ) -> dict[str, tuple[str, Tensor]]:
        """Slot -> (upstream's token domain, token numbers (n, t)), for the slots asked for."""

        def given(domain: str, *names: str) -> list[Tensor]:
            return [torch.as_tensor(inputs.arrays[f"{domain}.{name}"]).to(device) for name in names]

        found: dict[str, tuple[str, Tensor]] = {}
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
