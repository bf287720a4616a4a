"""The simulated survey as it is used: instruments are made when they are needed, and kept."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from fmb import (
    Array,
    Batch,
    Columns,
    DataError,
    Dataset,
    FailedError,
    Images,
    InputInfo,
    Spectra,
    did_you_mean,
)
from fmb_surveys.demo.catalogue_file import all_columns, read_catalogue, write_catalogue
from fmb_surveys.demo.pixels import Observed, PixelFile, like, write_pixels

__all__ = ["KeptSurvey"]

WORTH_SHARING = 500
"""Objects from which on starting other processes pays."""

BYTES_PER_OBJECT = {"euclid": 222_000, "legacysurvey": 441_000, "desi": 51_000}
"""As measured on disk."""

logger = logging.getLogger("fmb.note")  # shown without -v: it names what is about to be written


class KeptSurvey:
    """A simulated survey and the folder in which each instrument is kept once it is made.

    It is the same whether an instrument is kept or not: what is not is simulated when it is read.
    """

    def __init__(
        self, build: Callable[[], Dataset], folder: Path, catalogue: Path, *, keep: bool = False
    ) -> None:
        """No instrument is made; of the catalogue alone pixels may be made that it is measured on.

        Args:
            build: makes the survey, which makes its pixels when they are read.
            folder: holds a folder for each instrument that was made.
            catalogue: the folder that holds its catalogue once an instrument was made.
            keep: hold the catalogue from now on, where that can be written: it was dear.
        """
        self._build, self._folder, self._catalogue = build, folder, catalogue
        self._files: dict[str, PixelFile] = {}
        known = read_catalogue(catalogue)
        self._like: dict[str, Observed | Columns] = {} if known is None else dict(known.like)
        kept = known or self._survey
        self.ids, self.catalog = kept.ids, kept.catalog
        self.inputs: Mapping[str, InputInfo] = kept.inputs
        self.identity: Mapping[str, Any] = kept.identity
        self.warnings: Sequence[str] = kept.warnings
        if keep and known is None:
            self._keep_catalogue()

    def _keep_catalogue(self) -> None:
        try:
            write_catalogue(self._catalogue, self._survey)
        except FailedError as error:
            logger.info("the catalogue is measured each time: %s", error)

    @cached_property
    def _survey(self) -> Dataset:
        """The survey that simulates; drawing its galaxies takes a second."""
        return self._build()

    def __getstate__(self) -> dict[str, Any]:
        """Other processes are sent the survey itself: what builds it need not be sent."""
        return {**self.__dict__, "_survey": self._survey, "_build": None}

    def __len__(self) -> int:
        return len(self.ids)

    def read(self, rows: Array, inputs: Collection[str] | None = None) -> Batch:
        """The objects at `rows`, in that order: what is kept from its file, the rest simulated.

        Raises:
            DataError: the survey has no such input, or a file is damaged.
        """
        rows = np.asarray(rows, dtype=np.int64)
        names = self._checked(self.inputs if inputs is None else inputs)
        kept = {name: file for name in names if (file := self._file(name)) is not None}
        columns = [name for name in names if self.inputs[name].kind == "columns"]
        absent = [name for name in names if name not in kept and name not in columns]
        made = self._survey.read(rows, absent) if absent else None
        found: dict[str, Images | Spectra | Columns] = {}
        there: dict[str, Array] = {}
        for name in names:
            if name in columns:
                have = self.inputs[name].have(len(self))
                there[name] = np.flatnonzero(have[rows])
                found[name] = self._columns(name).take((np.cumsum(have) - 1)[rows[there[name]]])
            elif name in kept:
                there[name] = np.flatnonzero(self.inputs[name].have(len(self))[rows])
                found[name] = kept[name].read(rows[there[name]])
            elif made is not None:
                there[name], found[name] = made.rows[name], made.inputs[name]
        return Batch(ids=self.ids[rows], inputs=found, rows=there)

    def make(self, inputs: Collection[str], progress: Callable[[int, int], None]) -> None:
        """Simulate those of `inputs` that are not kept yet, of all objects, and keep them.

        Args:
            inputs: names of instruments.
            progress: called with the objects made and their number.

        Raises:
            DataError: the survey has no such input.
            FailedError: the disk is full or the folder cannot be written to.
        """
        pixels = [n for n in self._checked(inputs) if self.inputs[n].kind != "columns"]
        names = [n for n in pixels if self._count(n) and self._file(n) is None]
        if not names:
            return
        size = sum(self._count(name) * BYTES_PER_OBJECT[name] for name in names)
        words, n = " and ".join(names), len(self)
        text = "simulating %s objects, %s, about %s MB, into %s"
        logger.info(text, f"{n:,}", words, f"{max(size, 10**6) / 1e6:,.0f}", self._folder)
        folders = {name: self._folder / name for name in names}
        write_pixels(folders, self._survey, shared=n >= WORTH_SHARING, progress=progress)
        if not self._catalogue.exists():
            write_catalogue(self._catalogue, self._survey)

    def _count(self, name: str) -> int:
        """Objects that have an instrument."""
        return int(self.inputs[name].have(len(self)).sum())

    def _columns(self, name: str) -> Columns:
        """Photometry of all objects that have it; kept with the catalogue."""
        if name not in self._like:
            self._like[name] = all_columns(self._survey, name)
        found = self._like[name]
        assert isinstance(found, Columns)
        return found

    def _file(self, name: str) -> PixelFile | None:
        """Where an instrument is kept; None = it is not, or not yet."""
        if name not in self._files and (self._folder / name).exists():
            present = self.inputs[name].have(len(self))
            shared = self._like.get(name)
            if shared is None or isinstance(shared, Columns):
                shared = self._like[name] = like(self._survey, name)
            self._files[name] = PixelFile(self._folder / name, shared, present)
        return self._files.get(name)

    def _checked(self, names: Iterable[str]) -> list[str]:
        for name in names:
            if name not in self.inputs:
                raise DataError(f"no input is called {name!r}{did_you_mean(name, self.inputs)}")
        return list(dict.fromkeys(names))
