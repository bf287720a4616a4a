"""What a model learns from; the training loop does the rest."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from fmb import Array, Batch, Inputs

if TYPE_CHECKING:
    import pandas as pd
    import torch

__all__ = ["JudgingTask", "SettlingTask", "TrainTask"]


class TrainTask(Protocol):
    """What a model learns from; the training loop (`fmb_train.fit`) does the rest.

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
