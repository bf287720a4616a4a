"""Turns a folder in upstream's layout into a weights folder, keeping what embeds."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from fmb import Config, ConfigError, WeightsError, build
from fmb.torch import fill, read_state
from fmb.weights import name_of, read_settings, write_folder
from fmb_aion.codecs import IMAGE_DECODER_SIDE, build_image_codec
from fmb_aion.config import AionConfig
from fmb_aion.network import DOMAINS, without_values
from fmb_aion.parts import IGNORED, Parts
from fmb_aion.presets import DECODER_FILE, FILES, card_of
from fmb_aion.recipes import Architecture, EncoderSizes, ImageCodecSizes, SpectrumCodecSizes
from fmb_aion.tensors import safetensors_parts

__all__ = ["import_folder"]

logger = logging.getLogger(__name__)

_WITHOUT_EFFECT = frozenset(
    {
        "decoder_causal_mask", "decoder_depth", "decoder_sep_mask", "domains_in", "domains_out",
        "drop_path_rate_decoder", "drop_path_rate_encoder", "num_register_tokens",
        "share_modality_embeddings", "shared_drop_path", "use_act_checkpoint",
    }
)  # fmt: skip
"""Entries of upstream's configuration that change no embedding, once the rest is checked."""
_SIZES: dict[str, type[Config]] = {
    "encoder": EncoderSizes,
    "image_codec": ImageCodecSizes,
    "spectrum_codec": SpectrumCodecSizes,
}


def import_folder(path: Path, folder: Path, config: AionConfig) -> None:
    """Write the weights in `path` into `folder`, after checking that they fit.

    The files are mapped and what is kept is written one tensor at a time, so that no second copy
    of the model is in memory. Tokens of other domains and decoders stay behind, except the image
    codec's, in a file of its own: training an adapter needs it.

    Args:
        path: a folder with config.json, model.safetensors, and both again in codecs/image and
            codecs/spectrum, as published.
        folder: made if it is not there; `card.json` is written last.
        config: not used: the folder says everything.

    Raises:
        WeightsError: a file is missing or damaged, another model, or tensors that do not fit.
        FailedError: `folder` cannot be written, or the disk is full.
    """
    if not path.is_dir():
        raise WeightsError(
            f"{path}: AION is imported from a folder with config.json, model.safetensors and"
            " codecs, as published"
        )
    settings = {part: _settings(path, file) for part, file in FILES.items()}
    _check_model(settings["encoder"], path / "config.json")
    sizes = Architecture.model_validate(
        {part: _sizes(part, settings[part], path / file) for part, file in FILES.items()}
    )
    parts = Parts.empty(sizes)
    files = {}
    for part, file in FILES.items():
        network: nn.Module = getattr(parts, part)
        fill(network, _kept(part, path / file, network, settings[part]), str(path / file))
        files[file] = safetensors_parts(network.state_dict())
    decoder = _decoder(path, sizes.image_codec)
    if decoder:
        files[DECODER_FILE] = safetensors_parts(decoder)
    name = name_of(path.resolve())
    summary = f"AION imported from {name}"
    card = card_of(sizes, name=name, summary=summary, decoder=bool(decoder))
    write_folder(folder, card, files.items())
    logger.info("imported %s", path)


def _decoder(path: Path, sizes: ImageCodecSizes) -> dict[str, Tensor]:
    """The image codec's other half; empty where `path` holds none of it.

    Raises:
        WeightsError: it does not fit.
    """
    source = path / FILES["image_codec"]
    tensors = read_state(source)
    if not any(name.startswith(IMAGE_DECODER_SIDE) for name in tensors):
        return {}
    with without_values():
        codec = build_image_codec(sizes, decoder=True)
    fill(codec, tensors, str(source))
    state = codec.state_dict()
    return {name: state[name] for name in state if name.startswith(IMAGE_DECODER_SIDE)}


def _settings(path: Path, file: str) -> dict[str, Any]:
    """The configuration beside a file of tensors."""
    place = (path / file).with_name("config.json")
    advice = "; the codecs are published with aion-base" if "codecs" in file else ""
    if not place.parent.is_dir():
        raise WeightsError(
            f"{path}: the folder {place.parent.relative_to(path)} is missing{advice}"
        )
    try:
        return read_settings(place)
    except WeightsError as error:
        raise WeightsError(f"{error}{advice}") from None


def _check_model(given: Mapping[str, Any], place: Path) -> None:
    domains = given.get("domains_in")
    if not isinstance(domains, list):
        raise WeightsError(f"{place}: not an AION: it names no domains_in")
    lacking = [domain for domain in DOMAINS if domain not in domains]
    if lacking:
        raise WeightsError(f"{place}: this AION was made without {', '.join(lacking)}")
    if given.get("num_register_tokens", 0) != 0:
        raise WeightsError(f"{place}: register tokens are not supported")
    for key in given:
        if key not in EncoderSizes.model_fields and key not in _WITHOUT_EFFECT:
            raise WeightsError(f"{place}: unknown entry {key!r}: made by an unknown AION")


def _sizes(part: str, given: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """The entries that shape the part; others have no effect on it, as in upstream."""
    kind = _SIZES[part]
    known = {key: value for key, value in given.items() if key in kind.model_fields}
    try:
        return build(kind, known, part).model_dump()
    except ConfigError as error:
        raise WeightsError(f"{file.with_name('config.json')}: {error}") from None


def _kept(part: str, file: Path, network: nn.Module, given: Mapping[str, Any]) -> dict[str, Tensor]:
    """The tensors of a file without those that only decoding or other domains need."""
    tensors = read_state(file)
    if given.get("share_modality_embeddings", True):
        # safetensors keeps one name of a tensor that two modules share, the first in the alphabet:
        # that is the decoder's.
        for name in network.state_dict():
            twin = f"decoder_{name.removeprefix('encoder_')}"
            if name.endswith(".mod_emb") and name not in tensors and twin in tensors:
                tensors[name] = tensors[twin]
    others = [domain for domain in given.get("domains_in", ()) if domain not in DOMAINS]
    dropped = (*IGNORED[part], *(f"encoder_embeddings.{domain}." for domain in others))
    wanted = network.state_dict().keys()
    return {n: t for n, t in tensors.items() if n in wanted or not n.startswith(dropped)}
