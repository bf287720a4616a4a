"""Vectors of prepared objects, with gradients where parameters want them."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from fmb import Array, Inputs
from fmb_astroclip.network import AstroCLIP
from fmb_astroclip.recipes import SpectrumRecipe

__all__ = ["image_vectors", "keep_tokens", "spectrum_vectors"]

_IMAGE_TOKENS = "image_tokens"
_TOKENS, _COUNT = "spectrum_tokens", "spectrum_count"


def image_vectors(network: AstroCLIP, inputs: Inputs, device: torch.device) -> Tensor:
    """(n, embed) from the array `image` of n objects, or from their kept tokens."""
    kept = _IMAGE_TOKENS in inputs.arrays
    encode = network.image_encoder.head if kept else network.image_encoder
    given = inputs.arrays[_IMAGE_TOKENS if kept else "image"]
    vectors: Tensor = encode(torch.as_tensor(given).to(device))
    return vectors


def spectrum_vectors(network: AstroCLIP, inputs: Inputs, device: torch.device) -> Tensor:
    """(n, embed) from `spectrum` and `spectrum_pixels` of n objects, or from their kept tokens.

    The spectra of one length at a time: padding would move their mean and deviation.
    """
    kept = _TOKENS in inputs.arrays
    encode = network.spectrum_encoder.head if kept else network.spectrum_encoder
    values, length = (_TOKENS, _COUNT) if kept else ("spectrum", "spectrum_pixels")
    rows = torch.as_tensor(inputs.arrays[values])
    parts, order = [], []
    for at, n in _by_length(np.asarray(inputs.arrays[length])):
        parts.append(encode(rows[torch.from_numpy(at), :n].to(device)))
        order.append(at)
    back = torch.from_numpy(np.argsort(np.concatenate(order)))
    return torch.cat(parts)[back.to(device)]


def keep_tokens(
    network: AstroCLIP, recipe: SpectrumRecipe, inputs: Inputs, device: torch.device
) -> Inputs:
    """The same objects with the tokens of both towers, from which both heads go on.

    Args:
        network: of whose towers nothing is trained.
        recipe: how spectra are cut.
        inputs: `image`, `spectrum` and `spectrum_pixels` of n objects.
        device: of the network.

    Returns:
        `image_tokens` (n, t, width), `spectrum_tokens` (n, most, width), float32, NaN where an
        object is not valid and after its last token, and `spectrum_count` (n,), int64.
    """
    pictures = torch.as_tensor(inputs.arrays["image"]).to(device)
    flux = torch.as_tensor(inputs.arrays["spectrum"])
    good = np.flatnonzero(inputs.valid["spectrum"])
    tower = network.spectrum_encoder.backbone
    shape = (len(flux), recipe.tokens(flux.shape[1]), tower.position_embed.embedding_dim)
    tokens, count = np.full(shape, np.nan, dtype=np.float32), np.zeros(len(flux), dtype=np.int64)
    for among, pixels in _by_length(np.asarray(inputs.arrays["spectrum_pixels"])[good]):
        at, n = good[among], recipe.tokens(pixels)
        found = tower(flux[torch.from_numpy(at), :pixels].to(device))
        tokens[at, :n], count[at] = found.float().cpu().numpy(), n
    of_images = network.image_encoder.backbone(pictures).float().cpu().numpy()
    arrays = {_IMAGE_TOKENS: of_images, _TOKENS: tokens, _COUNT: count}
    return Inputs(arrays=arrays, valid=inputs.valid, reasons=inputs.reasons)


def _by_length(lengths: Array) -> Iterator[tuple[Array, int]]:
    """(positions, length) of the rows of each length."""
    for length in np.unique(lengths).tolist():
        yield np.flatnonzero(lengths == length), length
