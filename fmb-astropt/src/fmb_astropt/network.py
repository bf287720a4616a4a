"""The upstream network: built from a card, filled strictly, run up to the block that is used."""

from collections.abc import Mapping
from typing import Any

import torch
from astropt.model import GPT, GPTConfig, ModalityConfig, ModalityRegistry
from torch import Tensor
from torch.nn import functional as F

from fmb.torch import fill
from fmb_astropt.recipes import Architecture

__all__ = ["MODALITY", "draw_network", "embed_tokens", "fill_network", "run_blocks"]

MODALITY = {"image": "images", "spectrum": "spectra"}
"""Slot -> upstream's name of it; also the order of the sequence (upstream sorts the names)."""


def draw_network(architecture: Architecture, seed: int) -> GPT:
    """A network with upstream's random initialisation, drawn on the CPU from `seed`.

    Torch's global generator is left as it was.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return _build(architecture).eval()


def fill_network(architecture: Architecture, state: Mapping[str, Tensor], where: str) -> GPT:
    """A network with the tensors of `state`, all of them and no others.

    Args:
        architecture: sizes.
        state: tensors by upstream 2.0.9's names.
        where: names the weights in messages.

    Raises:
        WeightsError: missing, unexpected or differently sized tensors, listed in one line.
    """
    with torch.device("meta"):  # nothing is drawn for weights that are replaced at once
        network = _build(architecture)
    fill(network, state, where)
    return network.eval()


def embed_tokens(network: GPT, slot: str, values: Tensor, wavelengths: Tensor | None) -> Tensor:
    """(n, t, d): what enters the first block for the tokens of one slot.

    Args:
        network: on the device of `values`.
        slot: "image" or "spectrum".
        values: (n, t, numbers).
        wavelengths: (t, numbers) positions, or None for positions counted from 0.
    """
    modality = MODALITY[slot]
    if wavelengths is None:
        wavelengths = torch.arange(values.shape[1], device=values.device)
    position: Tensor = network.transformer.wpe[modality](wavelengths)
    encoder = network.transformer.wte[modality]
    hidden: Tensor = encoder.c_fc(values)
    if encoder.tokeniser != "affine":
        hidden = encoder.c_proj(_gelu(hidden))
    return hidden + position


def run_blocks(network: GPT, x: Tensor) -> Tensor:
    """(n, t, d): the output of block n_layer // 2, without the final norm.

    Upstream's `get_embeddings` computes the later blocks too and throws them away.
    """
    blocks: Any = network.transformer.h
    for block in blocks[: len(blocks) // 2 + 1]:
        x = x + block.attn(block.ln_1(x))
        x = x + block.mlp.c_proj(_gelu(block.mlp.c_fc(block.ln_2(x))))
    return x


def _gelu(x: Tensor) -> Tensor:
    """Upstream's `new_gelu` in one kernel instead of seven passes over memory."""
    return F.gelu(x, approximate="tanh")


def _build(architecture: Architecture) -> GPT:
    modalities = [ModalityConfig(**m.model_dump()) for m in architecture.modalities]
    sizes = architecture.model_dump(exclude={"modalities"})
    return GPT(GPTConfig(**sizes), ModalityRegistry(modalities), master_process=False)
