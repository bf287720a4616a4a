"""What a training has done so far: its state, the table of epochs and the figure of it."""

import csv
import io
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fmb.store import publish
from fmb.terminal import own_style

__all__ = ["TrainingState", "draw_losses", "epoch_line", "write_history"]

HISTORY = "history.csv"
FIGURE = "loss.png"

logger = logging.getLogger(__name__)


@dataclass
class TrainingState:
    """Where a training is, as plain values."""

    epoch: int = 0
    """Epochs that are over."""
    step: int = 0
    """Updates of the epoch that has begun."""
    updates: int = 0
    samples: int = 0
    loss_sum: float = 0.0
    loss_count: int = 0
    """Objects whose loss, before the update they were in, is in `loss_sum`: of this epoch."""
    best_epoch: int = 0
    best_loss: float = float("inf")
    seconds: float = 0.0
    """Of updates, over all sessions."""
    unusable: dict[str, int] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The state as JSON takes it."""
        return asdict(self)


def epoch_line(row: Mapping[str, float], epochs: int) -> str:
    """One line on an epoch, for the log."""
    parts = [f"{name} {value:.4g}" for name, value in row.items() if name.endswith("loss")]
    return f"epoch {row['epoch']:g} of {epochs}: {', '.join(parts)}"


def write_history(folder: Path, history: Sequence[Mapping[str, float]]) -> None:
    """Publish `history.csv`: one row an epoch, every number as exact as it is known.

    Raises:
        FailedError: the disk is full.
    """
    fullest = sorted(history, key=len, reverse=True)  # the starting weights have no training loss
    columns = list(dict.fromkeys(name for row in fullest for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    publish(folder / HISTORY, text.getvalue().encode())


def draw_losses(folder: Path, history: Sequence[Mapping[str, float]]) -> None:
    """Publish `loss.png`: losses against epochs. Without matplotlib there is no figure.

    Raises:
        FailedError: the disk is full.
    """
    if find_spec("matplotlib") is None:
        logger.info("no %s: matplotlib is not installed", FIGURE)
        return
    with own_style():
        drawn = _curves(history)
    publish(folder / FIGURE, drawn)


def _curves(history: Sequence[Mapping[str, float]]) -> bytes:
    """Losses against epochs, as PNG."""
    # Imported here: only a training draws, and the core runs without it.
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot()
    names = list(dict.fromkeys(k for row in history for k in row if k.startswith("validation_")))
    for name in ["train_loss", *names]:
        rows = [row for row in history if name in row]
        style = "-" if name.endswith("loss") else ":"
        label = name.replace("_", " ")
        axes.plot([row["epoch"] for row in rows], [row[name] for row in rows], style, label=label)
    best = min(history, key=lambda row: row["validation_loss"])
    axes.axvline(best["epoch"], color="0.7", linewidth=0.8, zorder=0)
    axes.set(xlabel="epoch", ylabel="loss")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend()
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=120)
    return drawn.getvalue()
