"""The numbers of a survey that a look at its histograms is for."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from fmb import Array, Dataset, Images, Spectra
from fmb.datasets import role_columns, select

__all__ = ["ROLES", "Measured", "measured_columns"]

ROLES = ("redshift", "magnitude", "snr")
ROWS_AT_ONCE = 256


@dataclass(frozen=True)
class Measured:
    """One number of many objects."""

    values: Array
    """(m,), float64, finite."""
    unit: str
    source: str
    """The column of the catalogue, or the instrument."""


def measured_columns(
    dataset: Dataset,
    limit: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Measured]:
    """What is drawn of a survey, by name; a name has the instrument where several have the band.

    Redshift, magnitude and signal-to-noise ratio are the columns that play these roles. The flux of
    a band is the sum over the good pixels of an image, that of a spectrum its median good pixel.

    Args:
        dataset: the survey.
        limit: objects whose pixels are read at most; a sample by id.
        progress: called with the objects read and their number.
    """
    catalog = dataset.catalog
    found, units = {}, catalog.attrs.get("units", {})
    for role, values in role_columns(catalog, ROLES).items():
        column = catalog.attrs.get("roles", {}).get(role, role)
        if np.isfinite(values).any():
            known = values[np.isfinite(values)]
            found[role] = Measured(known, str(units.get(column, "")), str(column))
    return found | _fluxes(dataset, limit, progress)


def _fluxes(
    dataset: Dataset, limit: int, progress: Callable[[int, int], None]
) -> dict[str, Measured]:
    some = select(dataset, limit=limit)
    names = _names(dataset)
    parts: dict[str, list[Array]] = {}
    for start in range(0, len(some), ROWS_AT_ONCE):
        rows = np.arange(start, min(start + ROWS_AT_ONCE, len(some)))
        batch = some.read(rows)
        for instrument, data in batch.inputs.items():
            if isinstance(data, Images | Spectra) and len(data):
                for band, values in _of_input(data):
                    parts.setdefault(names[instrument, band], []).append(values)
        progress(int(rows[-1]) + 1, len(some))
    instruments = {name: instrument for (instrument, _), name in names.items()}
    whole = {name: np.concatenate(values) for name, values in parts.items()}
    return {
        name: Measured(values[np.isfinite(values)], dataset.inputs[instrument].unit, instrument)
        for name, values in whole.items()
        for instrument in (instruments[name],)
        if np.isfinite(values).any()
    }


def _names(dataset: Dataset) -> dict[tuple[str, str], str]:
    """(instrument, band) -> what its flux is called; a spectrum has the band ""."""
    keys = [(name, band) for name, info in dataset.inputs.items() for band in info.bands or ("",)]
    often = Counter(band for _, band in keys)
    return {
        (name, band): f"flux {band}" if band and often[band] == 1 else f"flux {name} {band}".strip()
        for name, band in keys
    }


def _of_input(data: Images | Spectra) -> Iterator[tuple[str, Array]]:
    """Band and (n,) flux of each object, NaN where no pixel is good."""
    good = np.isfinite(data.flux)
    if data.mask is not None:
        good = good & ~data.mask
    if data.ivar is not None:
        good = good & (data.ivar > 0)
    if isinstance(data, Spectra):
        some = good.any(axis=1)
        middle = np.full(len(data), np.nan)
        kept = np.where(good, data.flux, np.nan)[some].astype(np.float64)
        middle[some] = np.nanmedian(kept, axis=1)
        yield "", middle
        return
    good = good & data.band_valid[:, :, None, None]
    total = np.where(good, data.flux, 0.0).sum(axis=(2, 3), dtype=np.float64)
    total = np.where(good.any(axis=(2, 3)), total, np.nan)
    yield from zip(data.bands, total.T, strict=True)
