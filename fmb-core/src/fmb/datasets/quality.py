"""Checks of the data: what is wrong with which object; nothing is repaired or dropped."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.dataset import Dataset
from fmb.contract.inputs import Batch, Columns, Images, Spectra
from fmb.datasets.objects import numbers

__all__ = [
    "Finding",
    "catalog_findings",
    "check",
    "disordered",
    "findings",
    "position_findings",
    "summary",
]

FILLED_SHARE = 0.1
"""Share of exactly zero pixels, pixels without a value or at the maximum from which it is named."""

MASKED_SHARE = 0.5
"""Share of bad pixels from which a spectrum is named."""

ROWS_AT_ONCE = 256
_SHOWN = 5


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with one object."""

    object_id: int | str
    input: str
    """Instrument, or "catalog"."""
    problem: str
    severity: Literal["error", "warning"]
    """error: this input of the object cannot be used; warning: it can, with care."""
    fraction: float | None = None
    """Share of the pixels concerned."""

    def __str__(self) -> str:
        share = "" if self.fraction is None else f" ({self.fraction:.0%} of its pixels)"
        return f"{self.severity}: {self.input}: {self.object_id}: {self.problem}{share}"

    def as_dict(self) -> dict[str, Any]:
        """Plain values; the id as text, which JSON readers do not round."""
        return {
            "object_id": str(self.object_id),
            "input": self.input,
            "problem": self.problem,
            "severity": self.severity,
            "fraction": self.fraction,
        }


def findings(batch: Batch) -> list[Finding]:
    """What is wrong with what was observed of the objects of a batch, by input and object."""
    found: list[Finding] = []
    for name, data in batch.inputs.items():
        if not len(data):
            continue
        ids = batch.ids[batch.rows[name]].tolist()
        if isinstance(data, Images):
            checks = _check_images(data)
        elif isinstance(data, Spectra):
            checks = _check_spectra(data)
        else:
            checks = _check_columns(data)
        for problem, severity, concerned, share in checks:
            found.extend(
                Finding(ids[i], name, problem, severity, None if share is None else float(share[i]))
                for i in np.flatnonzero(concerned).tolist()
            )
    return found


Check = tuple[str, Literal["error", "warning"], Array, Array | None]


def _share(flags: Array) -> Array:
    """(n,): share of True in each row."""
    # Row by row: numpy's count along an axis is seven times slower.
    return np.array([np.count_nonzero(row) / max(1, row.size) for row in flags])


def _check_images(data: Images) -> Iterator[Check]:
    n, whole = len(data), data.band_valid.all()
    wanted = np.broadcast_to(data.band_valid[:, :, None, None], data.flux.shape).reshape(n, -1)
    flux = data.flux.reshape(n, -1)
    used = np.isfinite(flux)
    if not (whole and used.all()):
        infinite = _share(
            np.isinf(flux) & (True if data.mask is None else ~data.mask.reshape(n, -1))
        )
        yield "pixels that are infinite, or beyond float32", "error", infinite > 0, infinite
        gaps = _share(~used & wanted)
        used &= wanted
        yield "pixels without a value", "warning", used.any(axis=1) & (gaps > FILLED_SHARE), gaps
    if data.mask is not None:
        used &= ~data.mask.reshape(n, -1)
    if data.ivar is not None:
        used &= data.ivar.reshape(n, -1) > 0
    some = np.asarray(used.any(axis=1))
    yield "no pixel has a value", "error", ~some, None
    yield from _check_values(flux, used, some, data.flux.shape if data.unit == "display" else None)
    if data.ivar is not None:
        yield from _check_ivar(data.ivar.reshape(n, -1))


def _check_values(
    flux: Array, used: Array, some: Array, picture: tuple[int, ...] | None = None
) -> Iterator[Check]:
    """Zero-filled, constant and saturated pixels of the rows of (n, pixels) arrays."""
    zero = (flux == 0) & used
    if picture is not None:
        # Black is an ordinary grey level of a picture: only whole rows or columns are fill.
        shaped = zero.reshape(picture)
        lines = shaped.all(axis=-1, keepdims=True) | shaped.all(axis=-2, keepdims=True)
        zero = (shaped & lines).reshape(zero.shape)
    first = flux[np.arange(len(flux)), used.argmax(axis=1)]
    kept = flux if used.all() else np.where(used, flux, first[:, None])
    low, high = kept.min(axis=1), kept.max(axis=1)
    constant = some & (low == high)
    yield "the same value everywhere", "error", constant, None
    zeros = _share(zero)
    yield "zero-filled", "warning", ~constant & (zeros > FILLED_SHARE), zeros
    at_top = _share((flux == high[:, None]) & used)
    stuck = some & ~constant & (high != 0) & (at_top > FILLED_SHARE)
    yield "pixels stuck at the highest value", "warning", stuck, at_top


def _check_ivar(ivar: Array) -> Iterator[Check]:
    if not ivar.min() >= 0 or np.isinf(ivar.max()):
        negative = _share(ivar < 0)
        yield "negative ivar", "warning", negative > 0, negative
        unreal = _share(~np.isfinite(ivar))
        yield "ivar that is no finite number", "warning", unreal > 0, unreal


def _check_columns(data: Columns) -> Iterator[Check]:
    known = np.asarray(np.isfinite(data.values).any(axis=1))
    yield "no column has a value", "error", ~known, None
    infinite = np.asarray(np.isinf(data.values).any(axis=1))
    yield "values that are infinite, or beyond float32", "warning", infinite & known, None


def _check_spectra(data: Spectra) -> Iterator[Check]:
    used = ~data.mask
    some = np.asarray(used.any(axis=1))
    for problem, rows in _unusable(data, np.flatnonzero(~some)):
        concerned = np.zeros(len(data), dtype=bool)
        concerned[rows] = True
        yield problem, "error", concerned, None
    bad = _share(data.mask)
    yield "bad pixels", "warning", some & (bad > MASKED_SHARE), bad
    infinite = _share(np.isinf(data.flux))
    yield "pixels that are infinite, or beyond float32", "warning", some & (infinite > 0), infinite
    yield from _check_values(data.flux, used & np.isfinite(data.flux), some)
    if data.ivar is not None:
        yield from _check_ivar(data.ivar)


def _unusable(data: Spectra, rows: Array) -> Iterator[tuple[str, Array]]:
    """Why the spectra at `rows` have no good pixel: their wavelengths, or nothing was measured."""
    grid = data.wavelengths()[rows]
    measured = np.isfinite(data.flux[rows])
    if data.ivar is not None:
        measured &= data.ivar[rows] > 0
    absent = (measured & ~(grid > 0)).any(axis=1)
    unsorted = ~absent & disordered(grid, measured)
    yield "wavelengths are negative or missing at good pixels", rows[absent]
    yield "wavelengths are not ascending", rows[unsorted]
    yield "no good pixel", rows[~absent & ~unsorted]


def disordered(grid: Array, used: Array) -> Array:
    """Which spectra do not have positive, strictly ascending wavelengths at their good pixels.

    Args:
        grid: (n, pixels), Angstrom.
        used: (n, pixels), bool, True = good.

    Returns:
        (n,), bool.
    """
    highest = np.maximum.accumulate(np.where(used, grid, 0.0), axis=1)
    before = np.concatenate([np.zeros((len(grid), 1)), highest[:, :-1]], axis=1)
    return np.asarray((used & ~(grid > before)).any(axis=1))


Problem = tuple[str, Literal["error", "warning"], Array]


def position_findings(dataset: Dataset) -> list[Finding]:
    """Positions that are missing, or none on the sky."""
    problems: list[Problem] = []
    for name, low, high in (("ra", -180.0, 360.0), ("dec", -90.0, 90.0)):
        if name in dataset.catalog.columns:
            degrees = numbers(dataset.catalog[name])
            lost = ~np.isfinite(degrees)
            problems.append((f"{name} is missing", "warning", lost))
            outside = ~lost & ((degrees < low) | (degrees > high))
            problems.append((f"{name} is outside {low:g} to {high:g} degrees", "error", outside))
    return _of_catalogue(dataset.ids, problems)


def catalog_findings(dataset: Dataset) -> list[Finding]:
    """What is wrong with ids and positions, and objects of which nothing was observed."""
    ids = dataset.ids
    _, first, count = np.unique(ids, return_index=True, return_counts=True)
    repeated = np.zeros(len(ids), dtype=bool)
    repeated[first[count > 1]] = True
    unseen = np.full(len(ids), bool(dataset.inputs))  # vectors of the user's own have none
    for info in dataset.inputs.values():
        unseen &= ~info.have(len(ids))
    # Of some objects that may be so; of all, the files do not belong together.
    rows: list[Problem] = [("its id stands in more than one row", "error", repeated)]
    seen: list[Problem] = [
        ("nothing was observed of it", "error" if unseen.all() else "warning", unseen)
    ]
    return [*_of_catalogue(ids, rows), *position_findings(dataset), *_of_catalogue(ids, seen)]


def _of_catalogue(ids: Array, problems: Sequence[Problem]) -> list[Finding]:
    return [
        Finding(ids[i].item(), "catalog", problem, severity)
        for problem, severity, concerned in problems
        for i in np.flatnonzero(concerned)
    ]


def check(
    dataset: Dataset,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
    see: Callable[[Batch], None] = lambda batch: None,
) -> list[Finding]:
    """Read all of a dataset and say what is wrong with it.

    Args:
        dataset: read 256 objects at a time.
        progress: called with the objects read and their number.
        see: called with each batch that was read, for what else is to be known of it.
    """
    found = catalog_findings(dataset)
    progress(0, len(dataset))
    for start in range(0, len(dataset), ROWS_AT_ONCE):
        rows = np.arange(start, min(start + ROWS_AT_ONCE, len(dataset)))
        batch = dataset.read(rows)
        found.extend(findings(batch))
        see(batch)
        progress(int(rows[-1]) + 1, len(dataset))
    return found


def summary(found: Sequence[Finding], *, severity: bool = True) -> list[str]:
    """One line for each problem of each input, errors first, naming the worst objects.

    Args:
        found: what is wrong.
        severity: begin each line with it; False where a run goes on all the same.
    """

    def kind(finding: Finding) -> tuple[str, str, str]:
        return finding.severity, finding.input, finding.problem

    lines = []
    for (level, name, problem), group in groupby(sorted(found, key=kind), key=kind):
        members = sorted(group, key=lambda f: -(f.fraction or 0.0))
        shown = [
            str(f.object_id) + ("" if f.fraction is None else f" ({f.fraction:.0%})")
            for f in members[:_SHOWN]
        ]
        more = f" and {len(members) - _SHOWN} more" if len(members) > _SHOWN else ""
        plural = "object" if len(members) == 1 else "objects"
        lines.append(
            f"{f'{level}: ' * severity}{name}: {problem}: {len(members)} {plural},"
            f" {', '.join(shown)}{more}"
        )
    return lines
