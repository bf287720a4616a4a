"""Planted anomalies: a dataset that wraps a dataset and changes some of its objects."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from fmb.data import Array, Batch, Images, InputInfo, Spectra
from fmb.datasets.planting.hosts import (
    Injection,
    Survey,
    choose_in_survey,
    choose_paired,
    seed_of,
)
from fmb.datasets.planting.kinds import KINDS, Kind, find_kind
from fmb.datasets.planting.labels import copy_ids, planted_catalog
from fmb.datasets.planting.needs import Offer, make_offer, refuse
from fmb.datasets.planting.planters import PLANTERS
from fmb.datasets.planting.views import gather, put_back, target_of, usable
from fmb.errors import DataError
from fmb.protocols import Dataset

__all__ = ["PLANTING_REVISION", "Planted"]

PLANTING_REVISION = 1
"""Raised when any planted pixel changes; part of the identity."""

_CHECKED_AT_ONCE = 64

logger = logging.getLogger(__name__)


class Planted:
    """A survey with anomalies in it, planted when its rows are read.

    Mode "in-survey": hosts turn into anomalies and keep their ids; the survey keeps its length.
    Mode "paired": changed copies with ids of their own are added and the hosts stay; `injected_from`
    names the host, and a copy shares its group.

    The catalogue gets the columns label (a kind, or "ordinary" where the survey has no label),
    strength (0-1), planted_value and declared_view; see `fmb.datasets.planting.kinds`.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        mode: Literal["in-survey", "paired"],
        kinds: Sequence[str] = (),
        prevalence: float = 0.04,
        n_per_kind: int = 100,
        strengths: Sequence[float] = (),
        seed: int = 0,
        columns: Mapping[str, str] | None = None,
        psf_fwhm_arcsec: Mapping[str, Sequence[float]] | None = None,
        flux_of_electron: Mapping[str, Array] | None = None,
    ) -> None:
        """Choose hosts, donors and strengths; nothing is planted before it is read.

        Args:
            dataset: any survey.
            mode: see above.
            kinds: names of kinds; empty = all that this survey allows.
            prevalence: in-survey, share of objects that become anomalies, over all kinds.
            n_per_kind: paired, hosts of each kind; each gets one copy at each strength.
            strengths: between 0 and 1; empty = even steps.
            seed: of hosts, geometry and noise.
            columns: role (redshift, magnitude, snr, logmass, logsfr) -> catalogue column.
            psf_fwhm_arcsec: image input -> widths by band, for data that tell none.
            flux_of_electron: spectrum input -> (pixels,) variance a unit of flux brings, for
                surveys whose gain is known; without it planted light in spectra adds no noise.

        Raises:
            DataError: a kind was asked for by name that this survey cannot take.
            UnknownNameError: a kind does not exist.
        """
        self._base = dataset
        self._seed = seed
        self._gain = dict(flux_of_electron or {})
        self._offer = make_offer(dataset, psf_fwhm_arcsec or {}, columns or {})
        chosen, refused = self._allowed([find_kind(name) for name in kinds])
        self._free = self._untouched(dataset)
        self._complete = self._with_all_inputs(dataset)
        injections, short = self._choose(mode, chosen, prevalence, n_per_kind, strengths)
        n = len(dataset)
        self.injections: tuple[Injection, ...] = tuple(injections)
        """What is planted; in paired mode in the order of the added rows."""
        if mode == "paired":
            new = copy_ids(dataset.ids, len(injections), seed)
            self.ids = np.concatenate([dataset.ids, new])
            self._origin = np.concatenate(
                [np.arange(n), np.array([i.host for i in injections], dtype=np.int64)]
            )
            self._planted = {n + k: i for k, i in enumerate(injections)}
        else:
            self.ids = dataset.ids
            self._origin = np.arange(n)
            self._planted = {i.host: i for i in injections}
        self.catalog = planted_catalog(dataset, self.ids, self._origin, self._planted)
        self.inputs: Mapping[str, InputInfo] = {
            name: info if info.present is None else replace(
                info, present=np.asarray(info.present)[self._origin])
            for name, info in dataset.inputs.items()
        }
        self.warnings: Sequence[str] = [*dataset.warnings, *self._remarks(refused, short)]
        self.identity: Mapping[str, Any] = {
            **dataset.identity,
            "planted": {
                "revision": PLANTING_REVISION,
                "mode": mode,
                "kinds": [kind.name for kind in chosen],
                "prevalence" if mode == "in-survey" else "n_per_kind": (
                    prevalence if mode == "in-survey" else n_per_kind
                ),
                "strengths": list(strengths),
                "seed": seed,
                "columns": dict(columns or {}),
                "psf_fwhm_arcsec": {k: list(v) for k, v in (psf_fwhm_arcsec or {}).items()},
                "gain": sorted(self._gain),
            },
        }

    def __len__(self) -> int:
        return len(self.ids)

    def _allowed(self, asked: Sequence[Kind]) -> tuple[list[Kind], list[str]]:
        """Kinds to plant, and why the others are left out."""
        refused = [(kind, refuse(kind, self._offer)) for kind in asked or KINDS.values()]
        reasons = [reason for _, reason in refused if reason]
        if asked and reasons:
            raise DataError(reasons[0])
        allowed = [kind for kind, reason in refused if not reason]
        if not allowed:
            raise DataError(f"nothing can be planted in this survey: {reasons[0]}")
        return allowed, reasons

    def _remarks(self, refused: Sequence[str], short: Sequence[str]) -> list[str]:
        counts: dict[str, int] = {}
        for injection in self.injections:
            counts[injection.kind.name] = counts.get(injection.kind.name, 0) + 1
        listed = ", ".join(f"{name} {count}" for name, count in counts.items())
        remarks = [f"planted anomalies: {listed}"] if counts else []
        return [*remarks, *refused, *(f"planting found few hosts: {line}" for line in short)]

    @staticmethod
    def _untouched(dataset: Dataset) -> Array:
        """(n,) bool: objects that may be changed: no repeats, nothing labelled otherwise."""
        free = np.ones(len(dataset), dtype=bool)
        if "group" in dataset.catalog:
            free &= ~dataset.catalog["group"].duplicated(keep=False).to_numpy()
        return free

    @staticmethod
    def _with_all_inputs(dataset: Dataset) -> Array:
        complete = np.ones(len(dataset), dtype=bool)
        for info in dataset.inputs.values():
            if info.present is not None:
                complete &= np.asarray(info.present)
        return complete

    def _choose(
        self,
        mode: str,
        kinds: Sequence[Kind],
        prevalence: float,
        n_per_kind: int,
        strengths: Sequence[float],
    ) -> tuple[list[Injection], list[str]]:
        """Injections whose hosts and donors all have usable pixels."""
        ranges = [i.wavelength_aa for i in self._base.inputs.values() if i.wavelength_aa]
        limit = min((high for _, high in ranges), default=0.0)
        checked: set[int] = set()
        while True:
            survey = Survey(self._base.catalog, self._offer, self._free, self._complete, limit)
            if mode == "paired":
                found, short = choose_paired(survey, kinds, n_per_kind, strengths, self._seed)
            else:
                found, short = choose_in_survey(survey, kinds, prevalence, strengths, self._seed)
            rows = {row for i in found for row in (i.host, i.donor) if row >= 0} - checked
            bad = [row for row in sorted(rows) if row not in self._usable_of(rows, checked)]
            if not bad:
                return found, short
            logger.info("%d objects are not used as hosts: too few good pixels", len(bad))
            self._complete = self._complete.copy()
            self._complete[bad] = False
