"""The folder of a training: checkpoints while it runs, weights when it is done."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fmb import ConfigError
from fmb.store import content_key, ensure_folder, publish_json, read_json
from fmb.weights import CARD, Card, read_card, write_folder

__all__ = ["BEST", "CHECKPOINT", "TrainingFolder"]

CHECKPOINT = "checkpoint.safetensors"
BEST = "best.safetensors"
_WORK = "training"
_RECIPE = "recipe.json"


class TrainingFolder:
    """A weights folder in the making; `card.json` is written last, and with it the folder is done.

    In `training/`: `recipe.json` (what the result depends on), `history.csv`, `loss.png`, and until
    the end the checkpoints.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.work = path / _WORK

    @property
    def name(self) -> str:
        """The name of the weights."""
        return self.path.resolve().name

    @property
    def first_process(self) -> bool:
        """True in the process that writes, of those that `torchrun` started."""
        return os.environ.get("RANK", "0") == "0"

    @property
    def finished(self) -> bool:
        """True when there are weights."""
        return (self.path / CARD).exists()

    def card(self) -> Card:
        """The card of a finished training."""
        return read_card(self.path)

    def claim(self, recipe: Mapping[str, Any], *, resume: bool) -> bool:
        """Make the folder, or check that the training in it is this one; True when it is finished.

        Raises:
            ConfigError: the folder is in use, there is nothing to resume, or it was started with
                other settings.
            FailedError: it cannot be written.
        """
        known = self.work / _RECIPE
        if not known.exists():
            if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
                raise ConfigError(f"{self.path} is there and not a training: choose another --out")
            if resume:
                raise ConfigError(f"{self.path}: no training to resume; leave --resume out")
        if not self.finished and not (self.work / CHECKPOINT).exists():
            ensure_folder(self.work)  # nothing has been learned here that could be lost
            publish_json(known, recipe)
            return False
        if not resume:
            state = "finished weights" if self.finished else "an unfinished training"
            way = "" if self.finished else "go on with --resume, or "
            raise ConfigError(f"{self.path} holds {state}: {way}choose another --out")
        changed = list(_differences(read_json(known), dict(recipe)))
        if changed:
            raise ConfigError(
                f"{self.path} was started with another {', '.join(changed[:3])}: resume it with the"
                " options it was started with, or choose another --out"
            )
        return self.finished

    def finish(self, card: Card, files: Iterable[tuple[str, bytes | Iterable[bytes]]]) -> None:
        """Publish the weights, the card last, and remove the checkpoints.

        Args:
            card: of the new weights.
            files: name and content of each file of `card.files`.

        Raises:
            FailedError: the disk is full; the checkpoints stay.
        """
        write_folder(self.path, card, files)
        for leftover in self.work.glob("*.safetensors"):
            leftover.unlink()


def _differences(old: Any, new: Any, where: str = "") -> Iterator[str]:
    """Dotted names of what differs, as deep as both are tables."""
    if content_key(old) == content_key(new):
        return
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        yield where
        return
    for key in dict.fromkeys([*old, *new]):
        inner = f"{where}.{key}" if where else key
        if key in old and key in new:
            yield from _differences(old[key], new[key], inner)
        else:
            yield inner
