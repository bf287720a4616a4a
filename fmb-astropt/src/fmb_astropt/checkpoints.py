"""Turns published AstroPT checkpoints into a weights folder: card.json and model.safetensors."""

import logging
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from astropt.model import ModalityConfig, ModalityRegistry
from safetensors.torch import save
from torch import Tensor

from fmb import ConfigError, WeightsError, build
from fmb.torch import bare_state, nested_state, read_pickle
from fmb.weights import TENSORS, name_of, write_folder
from fmb_astropt.config import AstroPTConfig
from fmb_astropt.network import fill_network
from fmb_astropt.presets import card_of
from fmb_astropt.recipes import Architecture, Modality, Recipe, unpack_card
from fmb_astropt.trained_on import recipe_of

__all__ = ["import_checkpoint"]

logger = logging.getLogger(__name__)

_HARMLESS: list[Any] = [
    ModalityRegistry,
    ModalityConfig,
    # The original benchmark stores its output folder; a pure path touches no disk.
    (PurePosixPath, "pathlib.PosixPath"),
    (PurePosixPath, "pathlib._local.PosixPath"),
]
"""What a checkpoint may hold besides tensors and plain values."""

_RENAMED = {
    "encoders.": "transformer.wte.",
    "embedders.": "transformer.wpe.",
    "decoders.": "lm_head.",
}
"""Names of upstream after 2.0.9 -> names of 2.0.9."""

_SIZES = ("n_layer", "n_head", "n_embd", "block_size", "bias", "tokeniser", "lora_r")
_ONLY = {"attn_type": "causal", "objective": "ar", "backbone": "native"}
_WITHOUT_EFFECT = frozenset(
    {
        "dropout", "llm_model_name", "lora_alpha", "lora_dropout", "mae_mask_ratio", "modalities",
        "n_chan", "norm_pix_loss", "use_qlora",
    }
)  # fmt: skip
"""Arguments of a checkpoint that change no embedding of a network that passes the other checks."""


def import_checkpoint(path: Path, folder: Path, config: AstroPTConfig) -> None:
    """Write the weights of a checkpoint into `folder`, after checking that they fit.

    Takes checkpoints of upstream (2.0, and the renamed tensors of later versions) and of the
    original benchmark. Nothing in the file is executed.

    Args:
        path: a `.pt` file.
        folder: made if it is not there; `card.json` is written last.
        config: `tokenisation`, `bands` and `image_size_px` say what the file does not.

    Raises:
        WeightsError: unreadable, not only tensors, another model, or tensors that do not fit.
        ConfigError: the file does not say what its bands are and `config` neither.
        FailedError: `folder` cannot be written, or the disk is full.
    """
    checkpoint = _read(path)
    architecture = _architecture(checkpoint, path)
    recipe = recipe_of(checkpoint, architecture, config, path)
    card = card_of(
        architecture,
        recipe,
        name=name_of(path),
        summary=f"AstroPT imported from {path.name}",
        source="arXiv:2405.14930",
    )
    unpack_card(card, str(path))
    network = fill_network(architecture, _state(checkpoint, path), str(path))
    tensors = {name: value.contiguous() for name, value in network.state_dict().items()}
    write_folder(folder, card, [(TENSORS, save(tensors))])
    logger.info("imported %s: %s", path, _told(recipe))


def _read(path: Path) -> Mapping[str, Any]:
    """The content of a checkpoint file that holds tensors and plain values only."""
    if path.is_dir() or path.suffix in (".safetensors", ".json"):
        raise WeightsError(
            f"{path}: AstroPT is imported from a .pt file, which says the sizes of its network;"
            " bare tensors do not"
        )
    content = read_pickle(path, _HARMLESS)
    if nested_state(content) is None:
        raise WeightsError(f"{path}: not an AstroPT checkpoint: it has no 'model' with tensors")
    found: Mapping[str, Any] = content
    return found


def _architecture(checkpoint: Mapping[str, Any], path: Path) -> Architecture:
    settings = checkpoint.get("config")
    settings = settings if isinstance(settings, Mapping) else {}
    given = checkpoint.get("model_args", settings)
    if not isinstance(given, Mapping) or "n_layer" not in given:
        raise WeightsError(f"{path}: not an AstroPT checkpoint: it does not say how many layers")
    if "model_args" in checkpoint:
        _refuse_other_networks(given, path)
    sizes = {key: given[key] for key in _SIZES if key in given}
    registered = getattr(checkpoint.get("modality_registry"), "modalities", None)
    if isinstance(registered, Mapping):
        modalities = [_modality(registered[name], path) for name in sorted(registered)]
    else:
        modalities = _original_modalities(settings)
    try:
        return build(Architecture, {**sizes, "modalities": modalities}, "architecture")
    except ConfigError as error:
        raise WeightsError(f"{path}: {error}") from None


def _refuse_other_networks(given: Mapping[str, Any], path: Path) -> None:
    """Later upstream versions have networks that 2.0.9 cannot build."""
    for key, value in given.items():
        if key in _ONLY and value != _ONLY[key]:
            raise WeightsError(f"{path}: {key} = {value!r}; only {_ONLY[key]!r} is supported")
        if key not in _ONLY and key not in _SIZES and key not in _WITHOUT_EFFECT:
            raise WeightsError(f"{path}: unknown argument {key!r}: made by an unknown AstroPT")


def _modality(given: Any, path: Path) -> Modality:
    wanted = {key: getattr(given, key, None) for key in Modality.model_fields}
    try:
        return build(Modality, wanted, "modality")
    except ConfigError as error:
        raise WeightsError(f"{path}: {error}") from None


def _original_modalities(settings: Mapping[str, Any]) -> list[Modality]:
    """The original benchmark's two modalities; its checkpoints hold no registry."""
    image_patch, n_chan = settings.get("image_patch_size", 16), settings.get("n_chan", 3)
    spectrum_patch = settings.get("spectrum_patch_size", 10)
    return [
        Modality(name="images", input_size=image_patch**2 * n_chan, patch_size=image_patch),
        Modality(name="spectra", input_size=spectrum_patch, patch_size=spectrum_patch),
    ]


def _state(checkpoint: Mapping[str, Any], path: Path) -> dict[str, Tensor]:
    """Tensors by the names of 2.0.9."""
    state = {}
    for name, tensor in bare_state(nested_state(checkpoint) or {}, str(path)).items():
        old = name
        for new, renamed in _RENAMED.items():
            if name.startswith(new):
                old = renamed + name.removeprefix(new)
        state[old] = tensor
    return state


def _told(recipe: Recipe) -> str:
    image, spectrum = recipe.image, recipe.spectrum
    parts = []
    if image is not None:
        parts.append(
            f"images {', '.join(image.bands)}, {image.size_px} px, scaling {image.scaling}"
        )
    if spectrum is not None:
        parts.append(f"spectra {spectrum.n_pixels} px, normalisation {spectrum.normalisation}")
    return "; ".join(parts)
