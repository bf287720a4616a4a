"""Chooses what is planted where: hosts that a kind fits and whose pixels can carry it."""

import logging
from collections.abc import Sequence

import numpy as np

from fmb import Array, DataError, Dataset
from fmb.datasets import select
from fmb.files import locate
from fmb_surveys.planting.config import PlantingConfig
from fmb_surveys.planting.hosts import Injection, Survey, choose_in_survey, choose_paired
from fmb_surveys.planting.kinds import KINDS, Kind, find_kind
from fmb_surveys.planting.needs import Offer, refuse
from fmb_surveys.planting.observations import usable

__all__ = ["choose"]

_READ_AT_ONCE = 64

logger = logging.getLogger(__name__)


def choose(
    dataset: Dataset, offer: Offer, config: PlantingConfig, *, sound: bool = False
) -> tuple[list[Injection], list[str]]:
    """The injections of a configuration.

    Args:
        dataset: the clean survey.
        offer: what it has.
        config: kinds, numbers, strengths, seed.
        sound: True where every object is known to have enough good pixels; none is read then.

    Returns:
        The injections and remarks for the user: kinds that were left out, hosts not found.

    Raises:
        DataError: a kind asked for by name cannot be planted, or no kind can.
    """
    kinds, remarks = _allowed(config.kinds, offer)
    survey = Survey(
        catalog=dataset.catalog,
        offer=offer,
        free=_alone(dataset) & _unchanged(dataset) & _wanted(dataset, config.where),
        complete=_with_all_inputs(dataset),
        red_limit_aa=_red_limit(dataset),
    )
    checked: set[int] = set()
    while True:
        found, short = _draw(survey, kinds, config)
        rows = sorted({row for i in found for row in (i.host, i.donor) if row >= 0} - checked)
        bad = [] if sound else _unusable(dataset, rows)
        if not bad:
            return found, remarks + [f"planting found few hosts: {line}" for line in short]
        logger.info("%d objects have too few good pixels to be hosts", len(bad))
        checked.update(rows)
        survey.complete[bad] = False


def _draw(
    survey: Survey, kinds: Sequence[Kind], config: PlantingConfig
) -> tuple[list[Injection], list[str]]:
    if config.mode == "paired":
        return choose_paired(
            survey,
            kinds,
            config.n_per_kind,
            config.strengths,
            config.seed,
            spread=config.spread,
        )
    return choose_in_survey(survey, kinds, config.prevalence, config.strengths, config.seed)


def _allowed(names: Sequence[str], offer: Offer) -> tuple[list[Kind], list[str]]:
    """Kinds to plant, and why the others are left out."""
    asked = [find_kind(name) for name in names] or list(KINDS.values())
    reasons = {kind.name: refuse(kind, offer) for kind in asked}
    refused = [reason for reason in reasons.values() if reason]
    if refused and (names or len(refused) == len(asked)):
        raise DataError(refused[0])
    return [kind for kind in asked if not reasons[kind.name]], refused


def _alone(dataset: Dataset) -> Array:
    """(n,) bool: objects that may be changed; a repeat would give its anomaly away."""
    column = dataset.catalog.attrs.get("roles", {}).get("group", "group")
    if column not in dataset.catalog:
        return np.ones(len(dataset), dtype=bool)
    groups = dataset.catalog[column]
    return np.asarray(~groups.duplicated(keep=False) | groups.isna())


def _unchanged(dataset: Dataset) -> Array:
    """(n,) bool: objects in which nothing was planted before."""
    if "declared_view" not in dataset.catalog:
        return np.ones(len(dataset), dtype=bool)
    return np.asarray(dataset.catalog["declared_view"].fillna("") == "")


def _wanted(dataset: Dataset, where: str) -> Array:
    """(n,) bool: objects that satisfy a condition on the catalogue."""
    wanted = np.full(len(dataset), not where, dtype=bool)
    if where:
        wanted[locate(select(dataset, where=where).ids, dataset.ids)] = True
    return wanted


def _with_all_inputs(dataset: Dataset) -> Array:
    complete = np.ones(len(dataset), dtype=bool)
    for info in dataset.inputs.values():
        # Nothing is planted in columns: an object without photometry may be a host.
        if info.present is not None and info.kind != "columns":
            complete &= np.asarray(info.present)
    return complete


def _red_limit(dataset: Dataset) -> float:
    """Longest wavelength that all spectrum inputs reach, Angstrom."""
    spectra = [info for info in dataset.inputs.values() if info.kind == "spectra"]
    ranges = [info.wavelength_aa for info in spectra if info.wavelength_aa]
    return min((high for _, high in ranges), default=0.0)


def _unusable(dataset: Dataset, rows: Sequence[int]) -> list[int]:
    """Those of `rows` with too few good pixels in some input."""
    bad: list[int] = []
    for start in range(0, len(rows), _READ_AT_ONCE):
        part = np.array(rows[start : start + _READ_AT_ONCE], dtype=np.int64)
        bad += part[~usable(dataset.read(part))].tolist()
    return bad
