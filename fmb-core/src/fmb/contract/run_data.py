"""What analyses and figures read of a run; each piece is read when it is asked for."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pandas as pd

    from fmb.contract.inputs import Batch
    from fmb.contract.names import ListName, VectorName
    from fmb.contract.vector_view import VectorView
    from fmb.messages.notes import Note

__all__ = ["RunData"]


class RunData(Protocol):
    """A run as its readers see it: nothing is loaded before it is asked for."""

    @property
    def name(self) -> str:
        """The run's name."""

    @property
    def notes(self) -> "Sequence[Note]":
        """What a reader of its numbers must know."""

    @property
    def objects(self) -> "pd.DataFrame":
        """One row an object, in canonical id order: object_id, ra, dec, catalogue columns.

        `attrs["units"]` has column -> unit, `attrs["roles"]` role -> column.
        """

    @property
    def lists(self) -> "Sequence[ListName]":
        """Its lists of scores."""

    @property
    def vector_names(self) -> "Sequence[VectorName]":
        """Its vectors."""

    def scores(self, name: "ListName") -> "pd.DataFrame":
        """One list, aligned with `objects`; NaN where an object is not in it.

        Columns: score, rank, percentile, percentile_cond, is_repeat, fold, p_value, q_value.
        """

    def ranked(self, name: "ListName") -> "pd.DataFrame":
        """`objects` and `scores` of those in the list, each source once, strangest first."""

    def details(self, name: "ListName") -> "pd.DataFrame":
        """What the detector tells of each object, aligned with `objects`; units in `attrs`."""

    def vectors(self, name: "VectorName") -> "VectorView":
        """Vectors, memory-mapped; their rows are positions in `objects`."""

    def table(self, analysis: str, name: str) -> "pd.DataFrame":
        """A table of an analysis, by its label and the table's name."""

    def cutouts(self, name: "ListName", k: int) -> "Batch":
        """What was observed of at most k of a list, as far as kept, strangest first, no gap."""

    def reads(self, name: "ListName") -> "Mapping[str, Sequence[str]] | None":
        """Instrument -> bands, of what the models of a list read; None where it is not known."""
