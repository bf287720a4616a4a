"""Which objects become or lend anomalies: hosts, donors and strengths, chosen before any pixel."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fmb import Array
from fmb_surveys.planting.kinds import Kind
from fmb_surveys.planting.needs import Offer

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Injection", "Survey", "choose_in_survey", "choose_paired", "seed_of"]

_HALPHA_AA = 6564.6
_QUIESCENT_SSFR = -11.0
PAIRED_STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Injection:
    """One anomaly to plant."""

    kind: Kind
    strength: float
    """Between 0 and 1; NaN for kinds without a strength."""
    host: int
    """Row of the clean survey."""
    donor: int = -1
    """Row whose spectrum is used; -1 = none."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Catalogue column -> new value."""


@dataclass(frozen=True, eq=False)
class Survey:
    """What choosing hosts needs to know of a clean survey."""

    catalog: "pd.DataFrame"
    offer: Offer
    free: Array
    """(n,) bool: objects that may be touched."""
    complete: Array
    """(n,) bool: objects with every input."""
    red_limit_aa: float
    """Longest wavelength all spectra reach."""

    def column(self, role: str) -> Array | None:
        """(n,) float64 of a role; None where the catalogue has no such column."""
        name = self.offer.columns.get(role)
        return None if name is None else self.catalog[name].to_numpy(dtype=np.float64)


def seed_of(*parts: object) -> int:
    """A seed from anything that prints the same everywhere."""
    return zlib.crc32("|".join(str(part) for part in parts).encode())


def choose_in_survey(
    survey: Survey, kinds: Sequence[Kind], prevalence: float, strengths: Sequence[float], seed: int
) -> tuple[list[Injection], list[str]]:
    """Hosts that turn into anomalies; no object is touched twice.

    Args:
        survey: the clean survey.
        kinds: to plant, each as often as the others.
        prevalence: share of all objects, over all kinds together.
        strengths: to cycle through; empty = even steps from weak to strong.
        seed: of the choice.

    Returns:
        The injections, and one line for each kind that found fewer hosts than it should.
    """
    total = round(prevalence * len(survey.catalog))
    used = np.zeros(len(survey.catalog), dtype=bool)
    chosen: list[Injection] = []
    short: list[str] = []
    for order, kind in enumerate(kinds):
        rng = np.random.default_rng([seed, seed_of("hosts", kind.name)])
        wanted = total // len(kinds) + (order < total % len(kinds))
        wanted += wanted % 2 if kind.name.startswith("swap") else 0
        steps = strengths or [(k + 0.5) / wanted for k in range(wanted)]
        found: list[Injection] = []
        for host in rng.permutation(np.flatnonzero(_eligible(survey, kind))):
            if len(found) >= wanted:
                break
            strength = float(steps[len(found) % len(steps)])
            found += _exchange_or_plant(survey, kind, strength, int(host), used, rng)
        chosen += found
        if len(found) < wanted:
            short.append(f"{kind.name}: {len(found)} of {wanted} hosts found")
    return chosen, short


def choose_paired(
    survey: Survey,
    kinds: Sequence[Kind],
    n_per_kind: int,
    strengths: Sequence[float],
    seed: int,
    *,
    spread: bool = False,
) -> tuple[list[Injection], list[str]]:
    """Changed copies of hosts that stay: the same hosts at every strength of a kind.

    With `spread` each host has one copy, at a strength of its own between the least and the
    largest, in even steps over the hosts that are found: hosts come in a random order.

    Returns:
        The injections, and one line for each kind that found fewer hosts than it should.
    """
    chosen: list[Injection] = []
    short: list[str] = []
    for kind in kinds:
        rng = np.random.default_rng([seed, seed_of("hosts", kind.name)])
        steps = strengths or PAIRED_STRENGTHS
        found: list[tuple[int, int, dict[str, Any]]] = []
        for host in rng.permutation(np.flatnonzero(_eligible(survey, kind))):
            if len(found) >= n_per_kind:
                break
            donor = _donor(survey, kind, int(host), ~survey.complete, rng)
            if donor is None:
                continue
            found.append((int(host), donor, _changes(survey, kind, int(host), donor, rng)))
        for k, (host, donor, changes) in enumerate(found):
            own = _strengths(kind, steps, (k + 0.5) / len(found) if spread else None)
            chosen += [Injection(kind, s, host, donor, changes) for s in own]
        if len(found) < n_per_kind:
            short.append(f"{kind.name}: {len(found)} of {n_per_kind} hosts found")
    return chosen, short


def _strengths(kind: Kind, steps: Sequence[float], place: float | None) -> list[float]:
    """Those at which a host is copied; `place` between 0 and 1 chooses one of a range."""
    if not kind.parameter:
        return [float("nan")]
    if place is None:
        return [float(step) for step in steps]
    low, high = min(steps), max(steps)
    return [float(low + (high - low) * place)]


def _exchange_or_plant(
    survey: Survey, kind: Kind, strength: float, host: int, used: Array, rng: np.random.Generator
) -> list[Injection]:
    """One injection, or the two of a swap; none where the host or a donor is not to be had."""
    if used[host]:
        return []
    swap = kind.name.startswith("swap")
    donor = _donor(survey, kind, host, used | ~survey.free if swap else ~survey.complete, rng)
    if donor is None:
        return []
    used[host] = True
    strength = strength if kind.parameter else float("nan")
    changes = _changes(survey, kind, host, donor, rng)
    injections = [Injection(kind, strength, host, donor, changes)]
    if swap:
        # Both ways, so that no spectrum appears twice in the survey.
        used[donor] = True
        back = _changes(survey, kind, donor, host, rng)
        injections.append(Injection(kind, strength, donor, host, back))
    return injections


def _eligible(survey: Survey, kind: Kind) -> Array:
    """(n,) bool: objects this kind can be planted in."""
    good = survey.free & survey.complete
    redshift, magnitude = survey.column("redshift"), survey.column("magnitude")
    if redshift is not None and "redshift" in kind.needs:
        good &= np.isfinite(redshift) & (redshift > 0)
    if kind.name == "lens":
        good &= _within(redshift, 0.3, 0.6) & _within(magnitude, 18.5, 20.5)
        mass, sfr = survey.column("logmass"), survey.column("logsfr")
        if mass is not None and sfr is not None:
            good &= sfr - mass < _QUIESCENT_SSFR
    elif kind.name == "merger":
        # Nearer ones do not fit on a cutout, fainter ones are smaller than the noise.
        good &= _within(redshift, 0.06, 0.6) & _within(magnitude, 0.0, 20.5)
    elif kind.name == "agn":
        good &= _within(redshift, 0.0, (survey.red_limit_aa - 150.0) / _HALPHA_AA - 1.0)
    elif kind.name == "fibre-offset":
        good &= _within(magnitude, 0.0, 20.5)
    return np.asarray(good)


def _within(values: Array | None, low: float, high: float) -> Array | bool:
    return True if values is None else (values >= low) & (values <= high)


def _donor(
    survey: Survey, kind: Kind, host: int, barred: Array, rng: np.random.Generator
) -> int | None:
    """A row that gives its spectrum; -1 where none is needed, None where there is none."""
    if kind.name not in ("swap-hard", "swap-easy", "fibre-offset"):
        return -1
    good = survey.complete & ~barred
    good[host] = False
    redshift, magnitude = survey.column("redshift"), survey.column("magnitude")
    snr = survey.column("snr")
    if redshift is not None:
        good &= np.isfinite(redshift)
    if kind.name == "swap-hard" and redshift is not None:
        good &= np.abs(redshift - redshift[host]) < 0.02 * (1 + redshift[host])
        if magnitude is not None and snr is not None:
            good &= np.abs(magnitude - magnitude[host]) < 0.3
            good &= np.abs(np.log(snr / snr[host])) < 0.25
    elif kind.name == "fibre-offset" and magnitude is not None:
        # A donor fainter than the neighbour it stands for would bring more noise than light.
        good &= magnitude < magnitude[host] + 0.5
    rows = np.flatnonzero(good)
    return int(rng.choice(rows)) if len(rows) else None


def _changes(
    survey: Survey, kind: Kind, host: int, donor: int, rng: np.random.Generator
) -> dict[str, Any]:
    """What the catalogue says differently: it goes with the spectrum, or is plainly wrong."""
    columns, catalog = survey.offer.columns, survey.catalog
    redshift = survey.column("redshift")
    if kind.name == "wrong-redshift" and redshift is not None:
        far = np.abs(redshift - redshift[host]) > 0.05 * (1 + redshift[host])
        far &= np.isfinite(redshift)
        rows = np.flatnonzero(far)
        value = float(redshift[rng.choice(rows)]) if len(rows) else 2 * float(redshift[host])
        return {columns["redshift"]: value}
    if kind.name.startswith("swap"):
        kept = [columns[role] for role in ("redshift", "snr") if role in columns]
        return {name: catalog[name].iloc[donor] for name in kept}
    return {}
