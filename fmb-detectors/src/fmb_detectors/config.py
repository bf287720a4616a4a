"""Options of the detectors of this package."""

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, computed_field, field_validator

from fmb import Config

__all__ = [
    "FlowConfig",
    "FromTableConfig",
    "GaussianConfig",
    "IforestConfig",
    "RolesConfig",
]

Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(gt=0, le=1)]
"""Of a number that is not known before the objects are."""


class GaussianConfig(Config):
    """The Gaussian has nothing to choose: its only parameter follows from the data."""


class FromTableConfig(Config):
    """Which scores of which file, and which end of them is strange: nothing of it is guessed."""

    file: str
    """Parquet, CSV, FITS or ECSV, one row an object."""
    column: str
    """Column of the scores."""
    higher: Literal["stranger", "ordinary"]
    """What a higher score means: sigma and minus log-likelihood "stranger", log-likelihood and
    rank "ordinary"."""
    id: str = "object_id"
    """Column of the ids."""
    rows: dict[str, str] = Field(default={})
    """Only rows with these values, column by column, where a file has several lists."""

    @field_validator("file")
    @classmethod
    def _is_there(cls, file: str) -> str:
        if not Path(file).expanduser().is_file():
            raise ValueError(f"no such file: {file}")
        return file

    @computed_field  # type: ignore[prop-decorator]  # as pydantic writes it
    @cached_property
    def sha256(self) -> str:
        """Of the file: a list is made anew when it changes, not when it is called otherwise."""
        return hashlib.sha256(Path(self.file).expanduser().read_bytes()).hexdigest()


class FlowConfig(Config):
    """Options of the flow; an option left out is chosen from the number of objects."""

    score: Literal["stricter", "likelihood"] = "stricter"
    """Of the Gaussian and the flow the one that finds an object stranger, or the flow alone."""
    seeds: int = Field(default=1, ge=1, le=100)
    """Flows that are fitted, each with a seed of its own; their scores are averaged by rank."""
    kind: Literal["autoregressive", "coupling"] = "autoregressive"
    """Of its transforms: each component given all before it, or one half given the other."""
    components: int | None = Field(default=None, ge=0)
    """Whitened components the flow describes, 0 = all; left out: one for 20 objects, at most 64."""
    hidden: int = Field(default=128, ge=1)
    """Width of the networks."""
    transforms: int = Field(default=3, ge=1)
    """How many in a row."""
    epochs: int | None = Field(default=None, ge=1)
    """Passes over the fitted objects at most; left out: fewer for larger surveys."""
    batch_size: int = Field(default=256, ge=1)
    """Objects a step; at most a quarter of those fitted."""
    learning_rate: float = Field(default=1.6e-2, gt=0)
    """The highest of the schedule: a warm-up, then a cosine."""
    weight_decay: float = Field(default=0.01, ge=0)
    """Share of each weight that a step takes off, by the learning rate."""
    gradient_clip: float = Field(default=5.0, ge=0)
    """Norm to which longer gradients are shortened; 0 = none is."""
    validation: float = Field(default=0.1, gt=0, lt=1)
    """Share of the objects held out to stop in time and to compare with the Gaussian."""
    patience: int = Field(default=6, ge=1)
    """Epochs without a better validation likelihood before the fit stops."""
    clip: float = Field(default=8.0, ge=0)
    """Bound, in standard deviations, on what the fit sees; 0 = none. Scores never see it."""


class IforestConfig(Config):
    """Options of the isolation forest, as scikit-learn calls them."""

    n_estimators: int = Field(default=100, ge=1)
    """Trees."""
    max_samples: Count | Share | Literal["auto"] = Field(default="auto")
    """Objects that a tree is grown on: a number, at most all, or a share; "auto" = 256."""
    max_features: Count | Share = Field(default=1.0)
    """Numbers of the vectors that a tree may cut: a number, at most all, or a share."""
    bootstrap: bool = False
    """Whether a tree may be given an object twice."""


class RolesConfig(Config):
    """Nothing to choose but the roles, which are those that lists are given."""
