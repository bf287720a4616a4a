"""What a user may set for training AstroPT; needs fmb-train, which embedding does without."""

from pydantic import Field

from fmb_train import TrainConfig

__all__ = ["AstroPTTraining"]


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
