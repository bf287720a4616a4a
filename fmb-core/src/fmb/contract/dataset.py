"""Datasets: objects of a survey, read by row."""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from fmb.contract.spec import ComponentSpec

if TYPE_CHECKING:
    import pandas as pd

    from fmb.contract.arrays import Array
    from fmb.contract.config import Config
    from fmb.contract.inputs import Batch, InputInfo
    from fmb.contract.names import VectorName
    from fmb.contract.vector_view import VectorView

__all__ = [
    "ROLES",
    "Dataset",
    "DatasetOpener",
    "DatasetSpec",
    "Described",
    "Making",
    "Narrowing",
    "WithVectors",
]

ROLES = {
    "magnitude": "brightness, in magnitudes",
    "size": "angular size",
    "redshift": "redshift",
    "snr": "signal-to-noise ratio",
    "depth": "depth of the image",
    "psf": "width of the point-spread function",
    "ebv": "reddening by dust of the Galaxy",
    "class": "known class, text",
    "group": "equal for repeats of one source, text",
    "survey": "which survey a row is of, text",
    "field": "tile, field or night a row was observed in, text",
    "split": "which part of a training or comparison a row is in, text",
}
"""Role -> what a catalogue column that plays it holds; those of text say so."""


class DatasetSpec(ComponentSpec):
    """A named dataset, or a reader of files when `suffixes` or `markers` are given."""

    kind: ClassVar[str] = "dataset"
    plural: ClassVar[str] = "datasets"
    example: ClassVar[str] = """\
yield DatasetSpec(name="mysurvey", summary="Cutouts of my survey",
                  target="mypkg.survey:open_survey", config="mypkg.survey:SurveyConfig",
                  suffixes=(".zarr",))"""

    suffixes: tuple[str, ...] = ()
    """File endings this reader answers to, with the dot."""
    markers: tuple[str, ...] = ()
    """Files whose presence in a folder tells that this reader answers to it, or patterns."""
    schemes: tuple[str, ...] = ()
    """What stands before :// in the URLs that this reader answers to."""
    sniff: str = ""
    """"module:function" taking a Path and telling, where several answer, whether it is its own."""
    default: bool = False
    """True for the dataset that is taken when none is named."""
    simulated: bool = False
    """True when no telescope has seen it: models take their first weights, results say so."""


class Dataset(Protocol):
    """Objects of a survey, read by row. Pickles without open files; reopens in each process."""

    @property
    def ids(self) -> "Array":
        """(n,), int64, uint64 or str, without repeats."""

    @property
    def catalog(self) -> "pd.DataFrame":
        """One row an object in the order of `ids`.

        `catalog.attrs["units"]` has column -> unit, `catalog.attrs["roles"]` role -> column, for
        the roles of `ROLES`.
        """

    @property
    def inputs(self) -> "Mapping[str, InputInfo]":
        """Instrument -> what is there; none where the dataset is a table of vectors."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """Plain values that tell this dataset, as mapped and generated, from every other."""

    @property
    def warnings(self) -> Sequence[str]:
        """What a user must know of these data, one line each; for instance "not photometric"."""

    def __len__(self) -> int: ...

    def read(self, rows: "Array", inputs: Collection[str] | None = None) -> "Batch":
        """The objects at `rows`, in that order.

        Args:
            rows: positions in `ids`, without repeats.
            inputs: the instruments to read; None = all. What is not asked for costs nothing.
        """


@runtime_checkable
class Described(Protocol):
    """What a dataset has that took what it knows of itself from its files."""

    described: Sequence[str]
    """What was taken from which header, one line each."""


@runtime_checkable
class Making(Protocol):
    """What a dataset has that makes its pixels; of what is not kept, `read` makes its own rows."""

    def make(self, inputs: Collection[str], progress: Callable[[int, int], None]) -> None:
        """Make `inputs` of all objects and keep them; what is kept already is not made again.

        `progress` is called with the objects made and their number.
        """


@runtime_checkable
class Narrowing(Protocol):
    """What a dataset has that evaluates a condition itself, without reading all its catalogue."""

    def select(self, where: str, columns: Sequence[str] | None) -> "Dataset":
        """The objects that satisfy `where`, with `columns` of the catalogue (None = all).

        `where` is canonical, such as "mag_r < 22 and zwarn == 0", and may name other columns.
        """


@runtime_checkable
class WithVectors(Protocol):
    """What a dataset has that brings vectors, so that no model is needed."""

    @property
    def vectors(self) -> "Mapping[VectorName, VectorView]":
        """Vectors by name; their rows are positions in `ids`."""


class DatasetOpener(Protocol):
    """What the `target` of a `DatasetSpec` names."""

    def __call__(
        self,
        source: str,
        config: "Config",
        *,
        cache: Path,
        progress: Callable[[int, int], None] | None = None,
    ) -> Dataset:
        """The dataset that `source`, a name or a path, stands for.

        `cache` is a folder in which it may keep files; `progress` is called with the objects made
        and their number, by a dataset that makes them. Raises `FmbError`: not as declared.
        """
