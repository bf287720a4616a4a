"""Turns the tensors of `astroclip.ckpt` into a weights folder: card.json and model.safetensors."""

import logging
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from fmb import WeightsError
from fmb.torch import read_state
from fmb.weights import TENSORS, name_of, write_folder
from fmb_astroclip.config import AstroCLIPConfig
from fmb_astroclip.network import fill_network
from fmb_astroclip.presets import PUBLISHED, card_of
from fmb_astroclip.sizes import sizes_of

__all__ = ["convert", "import_checkpoint"]

logger = logging.getLogger(__name__)

_PICKLED = (".ckpt", ".pt", ".pth")
_CHECKPOINT = "astroclip.ckpt"


def import_checkpoint(path: Path, folder: Path, config: AstroCLIPConfig) -> None:
    """Write the weights in bare safetensors files with upstream's names into `folder`.

    Args:
        path: the file, the index of its shards, or a folder with either. A pickle is refused:
            upstream's holds whole modules, which cannot be read without running code;
            `fmb weights convert` takes the tensors out of it.
        folder: made if it is not there; `card.json` is written last.
        config: heads, where the sizes are not the published ones.

    Raises:
        WeightsError: a pickle or a folder without any, another model, or tensors that do not fit.
        FailedError: `folder` cannot be written, or the disk is full.
    """
    if path.is_dir() and (path / _CHECKPOINT).is_file():
        path = path / _CHECKPOINT
    if path.suffix in _PICKLED:
        raise WeightsError(
            f"{path}: may hold code and is not loaded; write its tensors to a folder with"
            f" `fmb weights convert {path} FOLDER` and give that folder"
        )
    tensors = path
    if path.is_dir():
        found = [name for name in (TENSORS, f"{TENSORS}.index.json") if (path / name).is_file()]
        if not found:
            raise WeightsError(f"{path}: holds neither card.json nor {_CHECKPOINT} nor {TENSORS}")
        tensors = path / found[0]
    convert(tensors, folder, config, path.name)


def convert(tensors: Path, folder: Path, config: AstroCLIPConfig, source: str) -> None:
    """Write a weights folder from the bare state dict of `astroclip.ckpt`.

    Args:
        tensors: a safetensors file with upstream's names.
        folder: made if it is not there; `card.json` is written last.
        config: heads, where the sizes are not the published ones.
        source: the file the tensors came from, for the card and for messages.

    Raises:
        WeightsError: unreadable, another model, or tensors that do not fit.
        FailedError: `folder` cannot be written, or the disk is full.
    """
    state = _embedding_part(read_state(tensors))
    sizes = sizes_of(state, config, source)
    network = fill_network(sizes, PUBLISHED, state, source)
    card = card_of(
        sizes, PUBLISHED, name=name_of(Path(source)), summary=f"AstroCLIP converted from {source}"
    )
    # contiguous(): safetensors stores no strides, and tied or sliced tensors would be refused.
    body = {name: value.contiguous() for name, value in network.state_dict().items()}
    write_folder(folder, card, [(TENSORS, save(body))])
    logger.info("converted %s: %d tensors", source, len(body))


def _embedding_part(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """All but the temperature of the contrastive loss, which is learned only if asked for."""
    return {name: value for name, value in state.items() if name != "logit_scale"}
