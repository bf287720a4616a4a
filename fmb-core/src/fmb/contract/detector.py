"""Detectors: a score of strangeness an object."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, Protocol

from fmb.contract.arrays import Array
from fmb.contract.spec import Spec
from fmb.contract.vectors import Vectors

__all__ = ["Detector", "DetectorSpec"]


@dataclass(frozen=True, kw_only=True)
class DetectorSpec(Spec):
    """A method that gives each object a score; higher is stranger."""

    kind: ClassVar[str] = "detector"

    scope: Literal["single", "pair", "fusion"] = "single"
    fitted: bool = True
    """False for a rule without parameters; such a detector is never cross-fitted."""


class Detector(Protocol):
    """A score of strangeness. Constructed `(config, *, seed, device)`.

    `details(x)`, optional, gives a table with one row an object, in the order of `x`.
    `report()`, optional, gives plain values for the run's manifest after `fit`.
    """

    def fit(self, x: Vectors) -> None:
        """Learn what is ordinary from `x`, which is not changed."""
        ...

    def score(self, x: Vectors) -> Array:
        """(n,), float64, higher is stranger, in the order of `x`.

        Scores mean the same after every fit (nats, distances), so that folds can be pooled. The
        arrays of `x` are read-only: `torch.tensor` copies them, `torch.from_numpy` does not.
        """
        ...

    def save(self, folder: Path) -> None:
        """Write the fitted state into `folder`, without pickles."""
        ...

    @classmethod
    def load(cls, folder: Path) -> "Detector":
        """The detector that was saved in `folder`; it gives the same scores."""
        ...
