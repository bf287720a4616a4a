"""What a user may set for training AION; needs fmb-train, which embedding does without."""

from pydantic import Field

from fmb_train import TrainConfig

__all__ = ["AionTraining"]


class AionTraining(TrainConfig):
    """Options of training `aion`: an adapter that lets the image codec read Euclid's bands.

    Encoder and codecs are frozen.
    """

    learning_rate: float = Field(default=1e-2, gt=0)
    """Of AdamW, at the end of the warm-up; higher than usual: the networks are small."""
    hidden: int | None = Field(default=None, gt=0, multiple_of=8)
    """Channels of the adapter at full resolution; None: as in the weights, else 16."""
    field_px: int | None = Field(default=None, gt=0)
    """Side of the central square in the survey's pixels; None: as in the weights, else 96."""
