"""How long the spectra of files of one object each are, by their headers alone."""

from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import cast

from fmb import FmbError
from fmb_surveys.files.stores.object_files import Opener, opener_of

__all__ = ["lengths"]


def lengths(files: Sequence[Path], name: str) -> set[int]:
    """The numbers of pixels that occur; no spectrum is read.

    A file that cannot be read tells nothing: whoever reads it says why.

    Args:
        files: of one spectrum each.
        name: of the array of its flux.
    """
    found: set[int] = set()
    for path in files:
        with suppress(FmbError):
            found.update(_shape_at(path, name)[-1:])
    return found


def _shape_at(path: Path, name: str) -> tuple[int, ...]:
    """By `shape_at` of the module of its opener, where opening reads the whole file."""
    module, _, opener = opener_of(path).partition(":")
    own = getattr(import_module(module), "shape_at", None)
    if own:
        return cast(tuple[int, ...], own(path, name))
    with cast(Opener, getattr(import_module(module), opener))(path) as file:
        return file.shape(name)
