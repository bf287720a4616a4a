"""What a loaded component can do; nothing here is inherited, only matched."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Protocol

from fmb.contract.inputs import Batch
from fmb.contract.spec import Spec
from fmb.contract.vectors import Vectors

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["Plot", "PlotData", "PlotSpec"]


@dataclass(frozen=True, eq=False)
class PlotData:
    """What the core resolved for a plot: the `needs` of its spec; the rest is None."""

    title: str
    """Says which run, model, view and detector the figure shows."""
    notes: Sequence[str]
    """What a reader must know, for instance "simulated data: not evidence"."""
    objects: "pd.DataFrame"
    """One row an object: object_id, ra, dec, catalogue columns."""
    scores: "pd.DataFrame | None" = None
    """One row a source that was ranked, strangest first: object_id, score, rank, percentile, fold.
    Repeats of a source are not in it, so its length is the number of ranked sources."""
    score_name: str = "score"
    cutouts: Batch | None = None
    """The strangest objects, strangest first, with every input the survey has of them."""
    embeddings: Vectors | None = None


class Plot(Protocol):
    """A figure. Constructed `(config)`."""

    def draw(self, data: PlotData) -> "Figure":
        """A matplotlib figure that was made without pyplot and without changing rcParams."""
        ...


@dataclass(frozen=True, kw_only=True)
class PlotSpec(Spec):
    """A figure and what the core must resolve before it can be drawn."""

    kind: ClassVar[str] = "plot"

    needs: tuple[str, ...] = ("scores",)
    """Any of "scores", "objects", "cutouts", "embeddings"."""
    default: bool = field(default=False)
    """True when `fmb run` draws it without being asked."""
