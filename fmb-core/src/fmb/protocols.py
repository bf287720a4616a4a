"""What a loaded component can do; nothing here is inherited, only matched."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from fmb.data import Array, Batch, InputInfo, Inputs, Vectors

if TYPE_CHECKING:
    import pandas as pd
    import torch
    from matplotlib.figure import Figure


__all__ = [
    "Dataset",
    "Detector",
    "Embedder",
    "JudgingTask",
    "Model",
    "Plot",
    "PlotData",
    "SettlingTask",
    "Tokens",
    "TrainTask",
]


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


@dataclass(frozen=True, eq=False)
class Tokens:
    """Tokens of one view, on the device, as a model gives them to an embedder."""

    values: "torch.Tensor"
    """(n, t, d)."""
    mask: "torch.Tensor | None" = None
    """(n, t), bool, True = the token carries data; None = all do."""
    segment: "torch.Tensor | None" = None
    """(t,), int64: which input a token comes from (0 image, 1 spectrum); None = one input."""


class Model(Protocol):
    """A foundation model. Constructed `(config, *, seed, device, precision)`.

    One that can be trained has `task(config, sources) -> TrainTask` too, for its spec's
    `retrain_config` and slot -> instrument; it starts from the weights that were loaded.
    """

    def load(self, folder: Path) -> None:
        """Take the weights of `folder` (card.json and safetensors), strictly."""
        ...

    def preparer(self, sources: Mapping[str, str]) -> Callable[[Batch], Inputs]:
        """A picklable function without weight tensors, run in loader workers.

        Args:
            sources: slot -> the instrument of the batch that feeds it. Every object of the
                batches it will get has all of these instruments.
        """
        ...

    def encode(self, inputs: Inputs, views: Sequence[str]) -> Mapping[str, Tokens]:
        """Tokens of each of `views` for objects that are valid in all slots those views need."""
        ...


class TrainTask(Protocol):
    """What a model learns from; the training loop (`fmb.torch.fit`) does the rest.

    The loop adds up gradients of object-wise losses, so that a batch may be cut into pieces, for
    memory or for several processes, and gives the same update. A loss that compares the objects of
    a batch compares those of one piece: the update is then the mean over pieces, and their size
    (`micro_batch`, the number of processes) is a setting of the training like any other.

    One whose weights take several files has `files()` too: file -> its tensors by name, those of
    `weights()` in a file of their own, or None for a file that is copied from the starting weights.
    """

    @property
    def module(self) -> "torch.nn.Module":
        """The network, on its device. What requires a gradient is trained, the rest is frozen."""
        ...

    @property
    def required(self) -> tuple[str, ...]:
        """Slots without which an object teaches nothing and is left out; others may be missing."""
        ...

    def preparer(self, sources: Mapping[str, str]) -> Callable[[Batch], Inputs]:
        """As `Model.preparer`, for objects that have all of `sources`."""
        ...

    def train(self, mode: bool) -> None:
        """Switch dropout and the like on for updates, off for validation."""
        ...

    def loss(self, inputs: Inputs) -> "tuple[torch.Tensor, Mapping[str, torch.Tensor]]":
        """Loss (n,) of each object, and parts of it (n,) by name, NaN where an object has none.

        Args:
            inputs: `valid` names the slots that all n objects have; arrays of other slots are not
                to be used.
        """
        ...

    def weights(self) -> "Mapping[str, torch.Tensor]":
        """Tensors that were trained, by name, as `Model.load` takes them.

        They are the file `model.safetensors`, unless the task has `files()`.
        """
        ...

    def card_changes(self) -> Mapping[str, Any]:
        """Fields of the weights card that differ from those of the weights it started from."""
        ...


@runtime_checkable
class JudgingTask(TrainTask, Protocol):
    """A task that says more of held-out objects than their loss, after each epoch.

    For what only all of them together show, such as how well partners are found among others.
    """

    def vectors(self, inputs: Inputs) -> "Mapping[str, torch.Tensor]":
        """What is judged of n objects, by name, each (n, ...), taken as float32.

        Args:
            inputs: as for `loss`.
        """
        ...

    def judge(self, objects: "pd.DataFrame", vectors: Mapping[str, Array]) -> Mapping[str, float]:
        """Figures of the held-out objects, by name; `history.csv` has them as `held_out_NAME`.

        Args:
            objects: one row an object, in the survey's order: object_id and catalogue columns.
            vectors: what `vectors` gave, in the same order.
        """
        ...


@runtime_checkable
class SettlingTask(TrainTask, Protocol):
    """A task of which a part is frozen, so that its outcome can be kept in place of the inputs."""

    def settled(self, inputs: Inputs) -> Inputs:
        """The same n objects as the trained part takes them; `loss` understands both.

        Args:
            inputs: as the preparer gave them; rows that are not valid hold anything.

        Returns:
            Arrays in the host's memory whose shapes are those of any other batch; `valid` and
            `reasons` as they came. `inputs` itself when nothing is frozen.
        """
        ...


class Embedder(Protocol):
    """A pure reduction of tokens. Constructed `(config)`."""

    def reduce(self, tokens: Tokens) -> "torch.Tensor":
        """(n, d), float32: one vector an object."""
        ...


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
