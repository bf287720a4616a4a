"""What is trained, on what and how, and what comes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fmb import Array, Dataset
from fmb_train.config import TrainConfig
from fmb_train.processes import Processes
from fmb_train.task import TrainTask

__all__ = ["FitJob", "Fitted"]


@dataclass(frozen=True)
class FitJob:
    """What is trained, on what and how."""

    task: TrainTask
    config: TrainConfig
    dataset: Dataset
    sources: Mapping[str, str]
    """Slot -> instrument."""
    training: Array
    """(n,) positions of the objects that are learned from."""
    validation: Array
    """(m,) positions of the objects that are held out."""
    folder: Path
    """Where checkpoints and history go; it exists."""
    seed: int = 0
    device: str = "cpu"
    precision: str = "float32"
    workers: int = 0
    processes: Processes = field(default=Processes())


@dataclass(frozen=True)
class Fitted:
    """What came of a training; the task's network holds the best weights."""

    history: list[dict[str, float]]
    """One row an epoch, the first for the starting weights (epoch 0)."""
    best_epoch: int
    best_loss: float
    updates: int
    samples: int
    seconds: float
    unusable: Mapping[str, int]
    """"slot: why" -> training objects that could not be used in that slot."""
