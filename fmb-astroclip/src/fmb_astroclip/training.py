"""What a user may set for training AstroCLIP; needs fmb-train, which embedding does without."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from fmb_train import TrainConfig

__all__ = ["AstroCLIPTraining"]


class AstroCLIPTraining(TrainConfig):
    """Options of training `astroclip`: how images and spectra are brought together.

    Sizes and preprocessing are those of the card it starts from.
    """

    blocks: Annotated[int, Field(ge=0)] | Literal["all"] | None = None
    """Last blocks of each tower that learn beside the heads; None: all if random, else 0."""
    temperature: float | None = Field(default=None, gt=0)
    """Factor of the cosine in the loss; None: that of the weights it starts from (15.5)."""
    learn_temperature: bool = False
    """Train that factor too; the card of the weights keeps it."""
    dropout: float | None = Field(default=None, ge=0, lt=1)
    """Share of what heads give that is left out; None: 0 where random towers learn, else 0.1."""
    decoys: int = Field(default=100, gt=0)
    """Other held-out objects among which the true partner is looked for."""
    redshift_column: str | None = None
    """Decoys are like the object in this column; None: `redshift`, where there is one."""
    magnitude_column: str | None = None
    """And in this; None: `mag_r`, else the first that begins with `mag`."""

    @model_validator(mode="after")
    def _pairs_have_company(self) -> "AstroCLIPTraining":
        if min(self.batch_size, self.micro_batch or self.batch_size) < 2:
            raise ValueError(
                "a pair is told from the others of its batch: batch_size and micro_batch must be"
                " at least 2"
            )
        return self
