"""What a user may set for AstroPT."""

from typing import Literal

from pydantic import Field

from fmb.contract.config import Config
from fmb.train_config import TrainConfig

__all__ = ["AstroPTConfig", "AstroPTTraining"]


class AstroPTConfig(Config):
    """Options of the model `astropt`.

    The card of the weights says how the network is built and fed. `preset` and `bands` write that
    card for random weights, `tokenisation`, `bands` and `image_size_px` for an imported checkpoint.
    """

    preset: Literal["tiny", "tiny-one-band", "small", "one-band", "full"] = "small"
    """Sizes of random weights."""
    bands: tuple[str, ...] | None = None
    """Bands in the order of the channels; None: those of the preset."""
    min_coverage: float = Field(default=0.3, gt=0, le=1)
    """Smallest part of the wavelength grid that a spectrum must cover to be used."""
    tokenisation: Literal["auto", "fmb", "upstream"] = "auto"
    """Whose tokens a checkpoint was trained on; "auto": upstream's when it holds a registry."""
    image_size_px: int | None = Field(default=None, gt=0)
    """Side of the images a checkpoint was trained on, when the checkpoint does not say."""


class AstroPTTraining(TrainConfig):
    """Options of training `astropt`: how it learns to predict the next patch.

    Sizes and tokens are those of the card it starts from.
    """

    image_weight: float = Field(default=1.0, ge=0)
    """Factor of the loss of image patches."""
    spectrum_weight: float = Field(default=1.0, ge=0)
    """Factor of the loss of spectrum patches."""
    lora_r: int | None = Field(default=None, gt=0)
    """Rank of a low-rank update of the attention matrices, which are frozen; None: as the base."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of activations left out in training."""
    checkpointing: bool = False
    """Compute blocks again in the backward pass: less memory, a third more time."""
