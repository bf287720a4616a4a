"""Reads the sizes of a network off its tensors, and tells AstroCLIP's from those of others."""

from collections.abc import Mapping

from torch import Tensor

from fmb import ConfigError, WeightsError, build
from fmb_astroclip.config import AstroCLIPConfig
from fmb_astroclip.presets import FULL, PUBLISHED
from fmb_astroclip.recipes import Architecture
from fmb_astroclip.specformer import LEVEL_NUMBERS

__all__ = ["sizes_of"]

_VISION = "image_encoder.backbone."
_FORMER = "spectrum_encoder.backbone."
_NEEDED = (
    f"{_VISION}patch_embed.proj.weight",
    f"{_VISION}pos_embed",
    f"{_FORMER}data_embed.weight",
    f"{_FORMER}position_embed.weight",
    "image_encoder.cross_attention.query",
)


def sizes_of(state: Mapping[str, Tensor], config: AstroCLIPConfig, source: str) -> Architecture:
    """The sizes of the network whose state dict this is.

    Args:
        state: tensors by name.
        config: the numbers of heads, which no shape tells; None takes the published number where
            the width is the published one.
        source: names the file in messages.

    Raises:
        WeightsError: the tensors are not AstroCLIP's, or the heads are not known.
    """
    missing = [name for name in _NEEDED if name not in state]
    if missing:
        raise WeightsError(f"{source}: {_what_else(state, missing[0])}")
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    patches, _, patch_px, _ = shapes[_NEEDED[0]]
    spectrum_width, numbers = shapes[_NEEDED[2]]
    if numbers != PUBLISHED.spectrum.section_px + LEVEL_NUMBERS:
        raise WeightsError(
            f"{source}: a token of a spectrum has {numbers - LEVEL_NUMBERS} pixels; only"
            f" {PUBLISHED.spectrum.section_px} are known"
        )
    blocks = _block_names(shapes, _VISION)
    embed = shapes[_NEEDED[4]][-1]
    found = {
        "image": {
            "width": patches,
            "depth": len(blocks),
            "heads": _heads("image", config.image_heads, patches, source),
            "patch_px": patch_px,
            "chunk": max(1, sum(name.startswith("0.") for name in blocks)),
            "positions": shapes[_NEEDED[1]][1],
        },
        "spectrum": {
            "width": spectrum_width,
            "depth": len(_block_names(shapes, _FORMER)),
            "heads": _heads("spectrum", config.spectrum_heads, spectrum_width, source),
            "max_tokens": shapes[_NEEDED[3]][0],
        },
        "embed": embed,
        "cross_heads": _heads("cross", config.cross_heads, embed, source),
    }
    try:
        return build(Architecture, found, "architecture")
    except ConfigError as error:
        raise WeightsError(f"{source}: {error}") from None


def _block_names(shapes: Mapping[str, tuple[int, ...]], tower: str) -> set[str]:
    """One name a block: "1.7" (group, number) in the vision tower, "3" in the spectrum's."""
    parts = 2 if tower == _VISION else 1
    prefix = f"{tower}blocks."
    return {
        ".".join(name.removeprefix(prefix).split(".")[:parts])
        for name in shapes
        if name.startswith(prefix)
    }


_PUBLISHED_HEADS = {
    "image": (FULL.image.width, FULL.image.heads),
    "spectrum": (FULL.spectrum.width, FULL.spectrum.heads),
    "cross": (FULL.embed, FULL.cross_heads),
}


def _heads(part: str, given: int | None, width: int, source: str) -> int:
    if given is not None:
        return given
    published, heads = _PUBLISHED_HEADS[part]
    if width != published:
        raise WeightsError(
            f"{source}: {part} is {width} wide, the published weights {published}; tensors do not"
            f" tell the number of heads: set {part}_heads"
        )
    return heads


def _what_else(state: Mapping[str, Tensor], missing: str) -> str:
    """What the tensors are instead of AstroCLIP's, as far as their names tell."""
    names = list(state)
    if "position_embed.weight" in state and "data_embed.weight" in state:
        return (
            "this is SpecFormer, the spectrum tower before it was aligned with images; AstroCLIP"
            " is in astroclip.ckpt"
        )
    dino = ("teacher.", "student.", "dino_head.", "backbone.", "module.", "patch_embed.", "blocks.")
    if any(name.startswith(dino) or "dino_head" in name for name in names):
        return (
            "this is a DINOv2 network (astrodino.ckpt), the image tower before it was aligned with"
            " spectra; AstroCLIP is in astroclip.ckpt"
        )
    first = f"its first of {len(names)} is {names[0]}" if names else "it has none"
    return f"not AstroCLIP: no tensor {missing}; {first}"
