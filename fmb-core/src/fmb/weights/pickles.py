"""Checkpoints that pickle whole modules become weights folders; nothing in them is executed."""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from fmb.contract.config import Config
from fmb.contract.model import ModelSpec
from fmb.foreign.file_kinds import NO_KIND, ZIP, kind_of
from fmb.messages.errors import FailedError, WeightsError
from fmb.plugins.registry import Component
from fmb.store.atomic import staged_folder
from fmb.weights.card import read_card
from fmb.weights.stub_unpickler import REFUSED

__all__ = ["convert_checkpoint", "convert_into"]

SECONDS = 600
"""Longest time the unpickling of one file may take, also in processor time."""


def convert_checkpoint(
    component: Component[ModelSpec], checkpoint: Path, folder: Path, config: Config
) -> None:
    """Write the weights folder that a checkpoint converts to.

    Args:
        component: a model with a converter.
        checkpoint: a file that torch wrote, in its zip format.
        folder: must be empty or absent; appears whole or not at all.
        config: of the model.

    Raises:
        WeightsError: the model has no converter, `folder` is in use, or the file is damaged, of an
            old format, without tensors or of another model.
        FailedError: the disk is full or the place cannot be written to.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise WeightsError(f"{folder} is in use: name a folder that is empty or not there")
    with staged_folder(folder) as staging:
        convert_into(component, checkpoint, staging, config)


def convert_into(
    component: Component[ModelSpec], checkpoint: Path, folder: Path, config: Config
) -> None:
    """Write the weights into `folder`, which is there and empty.

    Raises:
        WeightsError, FailedError: as `convert_checkpoint`.
    """
    spec = component.spec
    if not spec.converter:
        raise WeightsError(f"{spec.name} has no converter: it loads what `fmb weights list` names")
    with extracted(checkpoint, folder / ".tensors.safetensors") as tensors:
        component.resolve(spec.converter)(tensors, folder, config, checkpoint.name)
    read_card(folder)


@contextlib.contextmanager
def extracted(checkpoint: Path, tensors: Path) -> Iterator[Path]:
    """`tensors`, for the length of the block: a safetensors file of the checkpoint's state dict.

    The file is read in a Python process of its own: without the environment and the packages of
    this one, with limits on time, memory and what it writes, unable to open, connect or start
    anything. Whatever the pickle names is an inert stand-in there (`fmb.weights.stub_unpickler`).

    Raises:
        WeightsError: the file holds no state dict that could be read so.
        FailedError: the disk is full, or the process ran into a limit.
    """
    kind = kind_of(checkpoint)
    if kind not in (ZIP, NO_KIND):
        raise WeightsError(f"{checkpoint}: not a zip file as torch.save writes it: this is {kind}")
    script = Path(__file__).with_name("stub_unpickler.py")
    arguments = [str(script), str(checkpoint), str(tensors), str(SECONDS)]
    slow = FailedError(f"{checkpoint}: not read within {SECONDS} s; nothing was written")
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", *arguments],
            env={},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS + 1,
        )
        if done.returncode == -signal.SIGXCPU:
            raise slow
        if done.returncode == REFUSED:
            raise WeightsError(f"{checkpoint}: {done.stdout.strip()}")
        if done.returncode:
            told = [f"exit {done.returncode}", *done.stderr.splitlines(), *done.stdout.splitlines()]
            raise FailedError(f"{checkpoint}: the process that reads it failed: {told[-1]}")
        yield tensors
    except subprocess.TimeoutExpired:
        raise slow from None
    finally:
        tensors.unlink(missing_ok=True)
