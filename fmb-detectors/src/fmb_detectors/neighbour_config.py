"""Options of the detectors that compare objects with their neighbours."""

from typing import Literal, Self

from pydantic import Field, model_validator

from fmb import Config

__all__ = ["KnnConfig", "LofConfig", "NeighbourConfig", "TypicalConfig"]

COMPONENTS = 32
"""With fewer a distance misses what differs in the others, with all the noise of hundreds of them
hides the rest: docs/other-detectors.md has both measured."""


class NeighbourConfig(Config):
    """Where distances are measured, and to how many."""

    k: int = Field(default=10, ge=1)
    """Neighbours of an object; fewer than there are objects to fit."""
    metric: Literal["whitened", "euclidean", "cosine"] = "whitened"
    """Of the whitened leading components, of the vectors as they are, or of their directions."""
    components: int | None = Field(default=None, ge=0)
    """Of largest variance, that are whitened and compared; 0 = all; left out: 32."""

    @property
    def compared(self) -> int:
        """Components that are whitened and compared; 0 = all."""
        return COMPONENTS if self.components is None else self.components

    @model_validator(mode="after")
    def _whitened_have_components(self) -> Self:
        if self.components is not None and self.metric != "whitened":
            raise ValueError(f"metric = {self.metric!r} takes no components; leave one of them out")
        return self


class KnnConfig(NeighbourConfig):
    """Options of the distance to the nearest neighbours."""

    distance: Literal["mean", "kth"] = "mean"
    """To the k nearest on average, or to the k-th of them."""


class LofConfig(NeighbourConfig):
    """Options of the local outlier factor."""

    k: int = Field(default=20, ge=1)
    """Neighbours of an object; fewer than there are objects to fit."""
    metric: Literal["whitened", "euclidean", "cosine"] = "euclidean"
    """Of the whitened leading components, of the vectors as they are, or of their directions."""


class TypicalConfig(NeighbourConfig):
    """Options of the suspiciously ordinary."""

    k: int = Field(default=4, ge=1)
    """The neighbour whose distance is the score; of six that are alike, one fold hides one."""
