"""The upstream network: built from a card, filled strictly, run up to the block that is used."""

from collections.abc import Mapping
from typing import Any

import torch
from astropt.model import GPT, GPTConfig, ModalityConfig, ModalityRegistry
from torch import Tensor
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from fmb.torch import fill, refuse_huge
from fmb_astropt.recipes import Architecture

__all__ = [
    "MODALITY",
    "decode_tokens",
    "draw_network",
    "embed_tokens",
    "fill_network",
    "run_all_blocks",
    "run_blocks",
    "trainable_network",
]

MODALITY = {"image": "images", "spectrum": "spectra"}
"""Slot -> upstream's name of it; also the order of the sequence (upstream sorts the names)."""


def draw_network(architecture: Architecture, seed: int, where: str = "the card") -> GPT:
    """A network with upstream's random initialisation, drawn on the CPU from `seed`.

    Torch's global generator is left as it was.

    Raises:
        WeightsError: it is too large to be drawn; `where` names the card.
    """
    with torch.device("meta"):
        refuse_huge(_build(architecture), where)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return _build(architecture).eval()


def trainable_network(
    architecture: Architecture,
    state: Mapping[str, Tensor] | None,
    where: str,
    *,
    seed: int,
    dropout: float,
) -> GPT:
    """A network to be trained: drawn from `seed`, or with the tensors of `state`.

    Tensors of a low-rank update that `state` lacks are drawn: upstream's start at no change. As
    upstream has it, the matrices they update are frozen and all the rest is trained.

    Raises:
        WeightsError: tensors are missing, unexpected or of another size.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _build(architecture, dropout)
    if state is not None:
        drawn = {k: v for k, v in network.state_dict().items() if ".lora_" in k}
        # Cloned: training in place must not reach the file that tensors may be mapped from.
        fill(network, {**drawn, **{k: v.clone() for k, v in state.items()}}, where)
    return network


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
        x = _block(block, x)
    return x


def run_all_blocks(network: GPT, x: Tensor, *, checkpointing: bool = False) -> Tensor:
    """(n, t, d): the output of all blocks and the final norm, with dropout where it is on.

    Args:
        network: in training or evaluation.
        x: (n, t, d), what enters the first block.
        checkpointing: compute blocks again in the backward pass instead of keeping them.
    """
    x = network.transformer.drop(x)
    for block in network.transformer.h:
        if checkpointing and torch.is_grad_enabled():
            x = checkpoint(_block, block, x, use_reentrant=False)
        else:
            x = _block(block, x)
    normed: Tensor = network.transformer.ln_f(x)
    return normed


def _block(block: Any, x: Tensor) -> Tensor:
    seen: Tensor = x + block.attn(block.ln_1(x))
    inner = block.mlp.c_proj(_gelu(block.mlp.c_fc(block.ln_2(seen))))
    dropped: Tensor = block.mlp.dropout(inner)
    return seen + dropped


def decode_tokens(network: GPT, slot: str, hidden: Tensor) -> Tensor:
    """(n, t, numbers): the tokens of one slot that final hidden states (n, t, d) predict."""
    decoder = network.lm_head[MODALITY[slot]]
    found: Tensor = decoder.c_fc(hidden)
    if decoder.tokeniser != "affine":
        found = decoder.c_proj(_gelu(found))
    return found


def _gelu(x: Tensor) -> Tensor:
    """Upstream's `new_gelu` in one kernel instead of seven passes over memory."""
    return F.gelu(x, approximate="tanh")


def _build(architecture: Architecture, dropout: float = 0.0) -> GPT:
    modalities = [ModalityConfig(**m.model_dump()) for m in architecture.modalities]
    sizes = architecture.model_dump(exclude={"modalities"})
    return GPT(
        GPTConfig(**sizes, dropout=dropout), ModalityRegistry(modalities), master_process=False
    )
