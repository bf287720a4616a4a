"""Ready-made sizes, and the cards of weights that are drawn or imported."""

from typing import Any

from fmb.weights import Card
from fmb_aion.config import AionConfig
from fmb_aion.recipes import (
    Architecture,
    EncoderSizes,
    ImageCodecSizes,
    Recipe,
    SpectrumCodecSizes,
)
from fmb_aion.surveys import ACCEPTS

__all__ = [
    "ADAPTER_FILE",
    "DECODER_FILE",
    "FILES",
    "card_of",
    "files_of",
    "random_card",
    "sizes_of",
]

FILES = {
    "encoder": "model.safetensors",
    "image_codec": "codecs/image/model.safetensors",
    "spectrum_codec": "codecs/spectrum/model.safetensors",
}
"""Part of the architecture -> its tensors in a weights folder."""
DECODER_FILE = "codecs/image/decoder.safetensors"
"""The other half of the image codec: only training an adapter needs it."""
ADAPTER_FILE = "adapter.safetensors"
"""In weights that take Euclid's bands."""

# Source: the family "swiglu qknorm nobias" of aion.fourm.fm, which the published models belong to.
_FAMILY: dict[str, Any] = {
    "qkv_bias": False,
    "proj_bias": False,
    "mlp_bias": False,
    "norm_bias": False,
    "act_layer": "SiLU",
    "gated_mlp": True,
    "qk_norm": True,
}
_ENCODERS = {
    "small": {"dim": 64, "encoder_depth": 2, "num_heads": 2},
    "base": {"dim": 768, "encoder_depth": 12, "num_heads": 12},
    "large": {"dim": 1024, "encoder_depth": 24, "num_heads": 16},
    "xlarge": {"dim": 2048, "encoder_depth": 24, "num_heads": 32},
}
_LEVELS = (7, 5, 5, 5, 5)
_SMALL_IMAGE = ImageCodecSizes(
    quantizer_levels=_LEVELS, hidden_dims=32, multisurvey_projection_dims=12, num_consecutive=1
)
_SMALL_SPECTRUM = SpectrumCodecSizes(
    encoder_depths=(1, 1, 1, 1), encoder_dims=(8, 16, 32, 64), latent_channels=64, embedding_dim=10
)
# Upstream's defaults, except where those contradict each other or the vocabulary.
_FULL_IMAGE = ImageCodecSizes(quantizer_levels=_LEVELS)
_FULL_SPECTRUM = SpectrumCodecSizes(encoder_dims=(96, 192, 384, 512), embedding_dim=10)


def sizes_of(preset: str) -> Architecture:
    """The sizes of a preset: "small", "base", "large" or "xlarge"."""
    small = preset == "small"
    return Architecture(
        encoder=EncoderSizes.model_validate(_ENCODERS[preset] | _FAMILY),
        image_codec=_SMALL_IMAGE if small else _FULL_IMAGE,
        spectrum_codec=_SMALL_SPECTRUM if small else _FULL_SPECTRUM,
    )


def random_card(config: AionConfig, seed: int) -> Card:
    """The card of an AION with upstream's own initialisation, drawn from `seed`."""
    return card_of(
        sizes_of(config.preset),
        name=f"random-{config.preset}",
        summary=f"AION with random weights, preset {config.preset}: a floor, not a model",
        random_seed=seed,
    )


def files_of(sizes: Architecture) -> dict[str, str]:
    """Part of the architecture -> its tensors, for the parts that embed."""
    return FILES if sizes.adapter is None else {**FILES, "adapter": ADAPTER_FILE}


def card_of(
    architecture: Architecture,
    *,
    name: str,
    summary: str,
    random_seed: int | None = None,
    decoder: bool = False,
) -> Card:
    """A card of this model; `decoder`: the folder has the image codec's decoder too."""
    return Card(
        model="aion",
        name=name,
        summary=summary,
        architecture=architecture.model_dump(mode="json"),
        preprocessing=Recipe().model_dump(mode="json"),
        accepts=ACCEPTS,
        files=(*FILES.values(), *([DECODER_FILE] if decoder else [])),
        random_seed=random_seed,
        licence="MIT",
        source="arXiv:2510.17960",
    )
