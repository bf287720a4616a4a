"""Analyses: tables made from what one run, or several, hold."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

from fmb.contract.needs import problem_of_needs
from fmb.contract.spec import NOTHING, ComponentSpec

if TYPE_CHECKING:
    import pandas as pd

    from fmb.contract.run_data import RunData
    from fmb.messages.progress import Progress

__all__ = ["Analysis", "AnalysisSpec"]


class AnalysisSpec(ComponentSpec):
    """A method that makes tables from the lists and vectors of runs."""

    kind: ClassVar[str] = "analysis"
    plural: ClassVar[str] = "analyses"
    example: ClassVar[str] = """\
yield AnalysisSpec(name="shared", summary="Objects that lists share",
                   target="mypkg.shared:Shared", needs=("scores",),
                   tables={"pairs": "one row for two lists"})"""

    needs: tuple[str, ...] = ("scores",)
    """What it reads of a run; see `fmb.contract.needs.NEEDS`."""
    over: Literal["run", "runs"] = "run"
    """Whether it takes each run by itself, or several together."""
    tables: Mapping[str, str] = NOTHING
    """Table it gives -> what is in it, one line."""

    def problem(self) -> str:
        """A need that nothing answers to, or no table."""
        return problem_of_needs(self.needs) or ("" if self.tables else "tables names none")


class Analysis(Protocol):
    """Tables from runs. Constructed `(config, *, seed)`."""

    def analyze(
        self, runs: "Sequence[RunData]", progress: "Progress"
    ) -> "Mapping[str, pd.DataFrame]":
        """The tables that the record names, by name.

        Args:
            runs: one run, or several where the record says so.
            progress: told how far it is.
        """
