"""Writes a survey with changed copies of some of its objects beside the hosts, or alone."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fmb import ConfigError, DataError, Dataset, StoreError
from fmb.datasets import Selection
from fmb.store import ensure_folder
from fmb.terminal import counted
from fmb_surveys.files.writer import write_survey
from fmb_surveys.planting import KINDS, Planted, PlantingConfig, find_kind
from fmb_surveys.planting.gain import spectrum_gains

__all__ = ["Injected", "inject", "rows_told"]

WORTH_SHARING = 500
"""Objects from which on starting other processes pays."""

Progress = Callable[[str, int, int], None]
"""Told what is done, the objects done and their number."""


@dataclass(frozen=True)
class Injected:
    """What was planted and what became of the catalogue."""

    kinds: tuple[dict[str, Any], ...]
    """One record a kind: its name, hosts, copies, strengths and the view that should see it."""
    n_objects: int
    """Of the survey that copies were added to."""
    n_hosts: int
    n_copies: int
    measured: tuple[str, ...]
    """Columns that were measured again on the copies."""
    kept: tuple[str, ...]
    """Columns of numbers that copies have from their hosts, for nobody knows what they follow."""
    remarks: tuple[str, ...]
    """Kinds left out and hosts not found."""

    @property
    def prevalence(self) -> float:
        """Copies by hosts, copies and all other objects."""
        return self.n_copies / (self.n_objects + self.n_copies)

    def line(self) -> str:
        """How many there are among how many."""
        copies = "copy" if self.n_copies == 1 else "copies"
        return (
            f"injected: {self.n_copies:,} {copies} of {counted(self.n_hosts, 'host')} beside"
            f" {counted(self.n_objects)}, prevalence {self.prevalence:.1%}"
        )


def inject(
    dataset: Dataset,
    config: PlantingConfig,
    folder: Path,
    *,
    only_copies: bool = False,
    progress: Progress | None = None,
) -> Injected:
    """Write a survey into which `config` is planted, as survey.toml, survey.h5 and a catalogue.

    Objects are read, changed and written a few at a time. The same survey, configuration and seed
    give the same bytes.

    Args:
        dataset: any survey of images or spectra.
        config: kinds, hosts a kind, strengths and seed, in mode "paired".
        folder: made by this call, whole or not at all.
        only_copies: leave out the survey itself, whose objects a run knows already.
        progress: told how far the work is.

    Raises:
        ConfigError: the survey holds injected copies already.
        StoreError: the folder is there already.
        DataError: a kind cannot be planted, or has no host.
        FailedError: the disk is full or the folder cannot be written to.
    """
    if folder.exists():
        raise StoreError(f"{folder}: is there already; remove it or choose another folder")
    if "injected_from" in dataset.catalog:
        raise ConfigError(
            "the survey holds injected copies already (column injected_from): inject into the one"
            " they were made of"
        )
    ensure_folder(folder.absolute().parent)
    tell = progress or (lambda what, done, total: None)
    planted = Planted(
        dataset,
        config,
        flux_of_electron=spectrum_gains(dataset) if _plants_light(config) else None,
        progress=lambda done, total: tell("measure", done, total),
    )
    if not planted.injections:
        raise DataError(f"nothing was injected: {'; '.join(planted.remarks) or 'no hosts'}")
    told = _summary(planted, len(dataset))
    rows = np.arange(len(dataset) if only_copies else 0, len(planted))
    name = f"{dataset.identity.get('name', 'survey')}-injected"
    identity = {**planted.identity, "name": name, "only_copies": only_copies}
    written = Selection(planted, rows, identity)
    written.warnings = [*dataset.warnings, told.line(), *rows_told(told), *told.remarks]
    write_survey(
        folder,
        written,
        shared=len(written) >= WORTH_SHARING,
        progress=lambda done, total: tell("write", done, total),
    )
    return told


def _plants_light(config: PlantingConfig) -> bool:
    return any(find_kind(name).family == "science" for name in config.kinds or KINDS)


def _summary(planted: Planted, n_objects: int) -> Injected:
    kinds = []
    for kind in dict.fromkeys(injection.kind for injection in planted.injections):
        mine = [injection for injection in planted.injections if injection.kind is kind]
        strengths = sorted({i.strength for i in mine if kind.parameter})
        kinds.append(
            {
                "kind": kind.name,
                "hosts": len({injection.host for injection in mine}),
                "copies": len(mine),
                "strength": _range(strengths),
                "seen by": kind.view,
            }
        )
    return Injected(
        kinds=tuple(kinds),
        n_objects=n_objects,
        n_hosts=len({injection.host for injection in planted.injections}),
        n_copies=len(planted.injections),
        measured=tuple(item.column for item in planted.following),
        kept=tuple(planted.kept),
        remarks=tuple(planted.remarks),
    )


def _range(strengths: list[float]) -> str:
    if len(strengths) > 3:
        return f"{strengths[0]:.2g} to {strengths[-1]:.2g}"
    return ", ".join(f"{strength:.3g}" for strength in strengths)


def rows_told(told: Injected) -> list[str]:
    """What the catalogue of the copies is worth, a line each."""
    lines = []
    if told.measured:
        lines.append(f"catalogue of the copies, measured again: {', '.join(told.measured)}")
    if told.kept:
        lines.append(f"catalogue of the copies, kept from the host: {', '.join(told.kept)}")
    return lines
