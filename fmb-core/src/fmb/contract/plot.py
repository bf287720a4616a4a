"""Plots: figures of what a run holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

from fmb.contract.needs import problem_of_needs
from fmb.contract.spec import ComponentSpec

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from fmb.contract.dataset import Dataset
    from fmb.contract.names import ListName, VectorName
    from fmb.contract.run_data import RunData
    from fmb.messages.notes import Note

__all__ = ["Plot", "PlotData", "PlotSpec"]


class PlotSpec(ComponentSpec):
    """A figure, what it is drawn for and what it reads of a run."""

    kind: ClassVar[str] = "plot"
    plural: ClassVar[str] = "plots"
    example: ClassVar[str] = """\
yield PlotSpec(name="score-curve", summary="Score against rank",
               target="mypkg.curve:ScoreCurve", needs=("scores",), per="list")"""

    needs: tuple[str, ...] = ("scores",)
    """What it reads of a run; see `fmb.contract.needs.NEEDS`."""
    per: Literal["list", "view", "run", "runs", "object"] = "list"
    """What one figure is drawn for: each list, each view's vectors, a run, or several together.

    Or an object of a survey, without any run.
    """
    default: bool = False
    """True when `fmb run`, or `fmb data show` of an object, draws it without being asked."""

    def problem(self) -> str:
        """A need that nothing answers to, or a default that no single run can draw."""
        if self.default and self.per == "runs":
            return "default is True, but a figure of several runs is never drawn unasked"
        return problem_of_needs(self.needs)


@dataclass(frozen=True, eq=False, repr=False)
class PlotData:
    """What a figure is drawn from."""

    title: str
    """Says which survey, or which runs, and which list or view the figure shows."""
    notes: "Sequence[Note]"
    """What a reader must know."""
    runs: "Sequence[RunData]"
    """One run, several for a figure per runs, none for a figure per object."""
    list: "ListName | None" = None
    """The list, for a figure per list."""
    view: "VectorName | None" = None
    """The vectors, for a figure per view."""
    survey: "Dataset | None" = None
    """One object, for a figure per object, which has no run."""

    @property
    def run(self) -> "RunData":
        """The only run."""
        (only,) = self.runs
        return only


class Plot(Protocol):
    """A figure. Constructed `(config)`."""

    def draw(self, data: PlotData) -> "Figure":
        """A matplotlib figure that was made without pyplot and without changing rcParams."""
