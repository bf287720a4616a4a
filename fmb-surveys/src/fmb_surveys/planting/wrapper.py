"""Planted anomalies: a dataset that wraps a dataset and changes some of its objects."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from fmb import Array, Batch, DataError, Dataset, InputInfo, did_you_mean
from fmb_surveys.planting.choosing import choose
from fmb_surveys.planting.config import PlantingConfig
from fmb_surveys.planting.following import columns_that_follow
from fmb_surveys.planting.hosts import Injection, seed_of
from fmb_surveys.planting.labels import copy_ids, planted_catalog
from fmb_surveys.planting.needs import make_offer
from fmb_surveys.planting.observations import gather, put_back, target_of, within_range
from fmb_surveys.planting.origins import planted_origins
from fmb_surveys.planting.planters import PLANTERS
from fmb_surveys.planting.remeasuring import MEASURING_REVISION, remeasure
from fmb_surveys.planting.target import Target

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PLANTING_REVISION", "Planted"]

NAMED = 3
"""Kinds that the line on what was planted names one by one."""
PLANTING_REVISION = 2
"""Raised when any planted pixel changes; part of the identity."""


class Planted:
    """A survey with anomalies in it, planted when its rows are read.

    Mode "in-survey": hosts turn into anomalies and keep their ids; the survey keeps its length.
    Mode "paired": changed copies with ids of their own are added and the hosts stay;
    `injected_from` names the host and a copy shares its group.

    The catalogue gets label (a kind; else what the survey says, or "ordinary"), strength,
    planted_value, declared_view and family; see `fmb_surveys.planting.kinds`.
    """

    def __init__(
        self,
        dataset: Dataset,
        config: PlantingConfig,
        *,
        flux_of_electron: Mapping[str, Array] | None = None,
        sound: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Choose hosts, donors and strengths; pixels are changed when they are read.

        Args:
            dataset: any survey.
            config: what to plant.
            flux_of_electron: spectrum input -> (pixels,) variance that a unit of flux brings, for
                surveys whose gain is known; without it light planted in spectra adds no noise.
            sound: True where every object is known to have enough good pixels to be a host, so that
                none is read to see it.
            progress: called with the objects measured again and their number, when the catalogue is
                first looked at.

        Raises:
            DataError: a kind that was asked for by name does not fit this survey, or none does.
        """
        self._base = dataset
        self._seed, self._remeasure, self._progress = config.seed, config.remeasure, progress
        self._gains = dict(flux_of_electron or {})
        self._offer = make_offer(
            dataset, config.psf_fwhm_arcsec, config.columns, config.host_magnitude
        )
        injections, self.remarks = choose(dataset, self._offer, config, sound=sound)
        self.injections: tuple[Injection, ...] = tuple(injections)
        """What is planted; in paired mode in the order of the added rows."""
        self._place(dataset.ids, paired=config.mode == "paired")
        self.following, self.kept = columns_that_follow(
            dataset.catalog, dataset.inputs, self._offer
        )
        """Columns that are measured again, and other columns and photometry, which are not."""
        self.kept = [*self.kept, *(n for n, i in dataset.inputs.items() if i.kind == "columns")]
        gains = {name: _digest(gain) for name, gain in self._gains.items()}
        self.inputs: Mapping[str, InputInfo] = self._spread(
            (
                *(PLANTING_REVISION, config.seed, gains, config.psf_fwhm_arcsec),
                *([config.host_magnitude] if config.host_magnitude is not None else []),
            )
        )
        self.warnings: Sequence[str] = [*dataset.warnings, *_counts(injections), *self.remarks]
        self.identity: Mapping[str, Any] = {
            **dataset.identity,
            "planted": {
                "revision": PLANTING_REVISION,
                "measuring": MEASURING_REVISION,
                "gains": gains,
                **config.model_dump(mode="json"),
            },
        }

    def _place(self, ids: Array, *, paired: bool) -> None:
        """Say which row holds which object and what is planted there."""
        n = len(ids)
        self.ids = ids
        self._origin = np.arange(n)
        self._planted = {injection.host: injection for injection in self.injections}
        if paired:
            hosts = np.array([injection.host for injection in self.injections], dtype=np.int64)
            self.ids = np.concatenate([ids, copy_ids(ids, self.injections, self._seed)])
            self._origin = np.concatenate([self._origin, hosts])
            self._planted = {n + k: injection for k, injection in enumerate(self.injections)}

    def _spread(self, recipe: Sequence[object]) -> dict[str, InputInfo]:
        """The inputs of the rows, of which each stands for one of the wrapped survey."""

        def told(injection: Injection) -> tuple[object, ...]:
            host = injection.host
            return (*recipe, self._base.ids[host].item(), self._redshift(host))

        inputs = self._base.inputs
        origins = planted_origins(inputs, self._origin, self._planted, told)
        return {
            name: replace(info.take(self._origin), origin=origins[name])
            for name, info in inputs.items()
        }

    def __len__(self) -> int:
        return len(self.ids)

    def read(self, rows: Array, inputs: Collection[str] | None = None) -> Batch:
        """The objects at `rows`, in that order, with anomalies planted.

        Raises:
            DataError: `inputs` names one that the survey does not have.
        """
        rows = np.asarray(rows, dtype=np.int64)
        for name in inputs or ():
            if name not in self.inputs:
                raise DataError(f"no input is called {name!r}{did_you_mean(name, self.inputs)}")
        behind = self._origin[rows]
        unique, place = np.unique(behind, return_inverse=True)
        batch = self._base.read(unique, inputs)
        planted = [k for k, row in enumerate(rows.tolist()) if row in self._planted]
        if planted or not np.array_equal(unique, rows):
            # A copy, so that the arrays of the wrapped survey stay as they are.
            batch = gather(batch, place, self.ids[rows])
            if any(self.inputs[name].kind != "columns" for name in batch.inputs):
                self._plant(batch, planted, rows)
        return batch

    @cached_property
    def catalog(self) -> "pd.DataFrame":
        """One row an object; the pixels of what is measured again are read when first asked for."""
        table = planted_catalog(self._base, self.ids, self._origin, self._planted)
        if not self._remeasure:
            return table
        return remeasure(table, self._planted, self.following, self.pairs, self._progress)

    def __getstate__(self) -> dict[str, Any]:
        """Other processes are told nothing of progress: what tells it need not be sendable."""
        return {**self.__dict__, "_progress": None}

    def pairs(self, injections: Sequence[Injection]) -> list[tuple[Target, Target]]:
        """Each host as it is and with what is planted in it, in the inputs that this changes.

        Args:
            injections: of one kind.
        """
        touched = injections[0].kind.touches
        names = [name for name, info in self._base.inputs.items() if info.kind in touched]
        clean, at, changed = self._changed(injections, names)
        return [
            (self._target(clean, int(at[k]), i), self._target(changed, k, i))
            for k, i in enumerate(injections)
        ]

    def _plant(self, batch: Batch, planted: Sequence[int], rows: Array) -> None:
        """Plant in the objects at the positions `planted` of a batch, in place."""
        if not planted:
            return
        # Every input, whatever was asked for: what is planted in one depends on the others.
        pixels = [name for name, info in self.inputs.items() if info.kind != "columns"]
        _, _, changed = self._changed([self._planted[int(rows[k])] for k in planted], pixels)
        for k, into in enumerate(planted):
            put_back(changed, k, batch, into)

    def _changed(
        self, injections: Sequence[Injection], inputs: Collection[str] | None
    ) -> tuple[Batch, Array, Batch]:
        """Hosts and donors, where in them the host of each injection is, and the hosts changed."""
        hosts = np.array([injection.host for injection in injections])
        donors = np.array([injection.donor for injection in injections])
        unique = np.unique(np.concatenate([hosts, donors[donors >= 0]]))
        clean = self._base.read(unique, inputs)
        at = np.searchsorted(unique, hosts)
        changed = gather(clean, at, clean.ids[at])
        for k, injection in enumerate(injections):
            donor = None
            if injection.donor >= 0:
                giver = int(np.searchsorted(unique, injection.donor))
                donor = target_of(clean, giver, self._offer, self._gains, float("nan"), None)
            target = self._target(changed, k, injection, donor)
            # The same geometry and noise for one host and kind at every strength.
            draw = seed_of(injection.kind.name, self._base.ids[injection.host])
            rng = np.random.default_rng([self._seed, draw])
            value = injection.kind.value(injection.strength)
            PLANTERS[injection.kind.name](target, value, rng)
            within_range(changed, k, clean, int(at[k]))
        return clean, at, changed

    def _target(
        self, batch: Batch, row: int, injection: Injection, donor: Target | None = None
    ) -> Target:
        redshift = self._redshift(injection.host)
        return target_of(batch, row, self._offer, self._gains, redshift, donor)

    def _redshift(self, row: int) -> float:
        column = self._offer.columns.get("redshift")
        return float("nan") if column is None else float(self._base.catalog[column].iloc[row])


def _digest(gain: Array) -> str:
    return hashlib.blake2b(np.ascontiguousarray(gain).tobytes(), digest_size=8).hexdigest()


def _counts(injections: Sequence[Injection]) -> list[str]:
    counts: dict[str, int] = {}
    for injection in injections:
        counts[injection.kind.name] = counts.get(injection.kind.name, 0) + 1
    if not counts:
        return []
    told = ", ".join(f"{name} {n}" for name, n in counts.items())
    if len(counts) > NAMED:
        told = f"{len(injections)} of {len(counts)} kinds, see the column label"
    return [f"planted anomalies in the whole survey: {told}"]
