"""Datasets: objects of a survey, read by row."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from fmb.contract.arrays import Array
from fmb.contract.inputs import Batch, InputInfo
from fmb.contract.spec import Spec

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Dataset", "DatasetSpec"]


@dataclass(frozen=True, kw_only=True)
class DatasetSpec(Spec):
    """A named dataset, or a reader of files when `suffixes` or `markers` are given."""

    kind: ClassVar[str] = "dataset"

    suffixes: tuple[str, ...] = ()
    """File endings this reader answers to, with the dot."""
    markers: tuple[str, ...] = ()
    """Files whose presence in a folder tells that this reader answers to it."""


class Dataset(Protocol):
    """Objects of a survey, read by row. Pickles without open files; reopens in each process."""

    @property
    def ids(self) -> Array:
        """(n,), int64, uint64 or str, without repeats."""
        ...

    @property
    def catalog(self) -> "pd.DataFrame":
        """One row an object in the order of `ids`; units in `catalog.attrs["units"]`."""
        ...

    @property
    def inputs(self) -> Mapping[str, InputInfo]:
        """Instrument -> what is there."""
        ...

    @property
    def identity(self) -> Mapping[str, Any]:
        """Plain values that tell this dataset, as mapped and generated, from every other."""
        ...

    @property
    def warnings(self) -> Sequence[str]:
        """What a user must know of these data, one line each; for instance "not photometric"."""
        ...

    def __len__(self) -> int: ...

    def read(self, rows: Array, inputs: Collection[str] | None = None) -> Batch:
        """The objects at `rows`, in that order.

        Args:
            rows: positions in `ids`, without repeats.
            inputs: the instruments to read; None = all. What is not asked for costs nothing.
        """
        ...
