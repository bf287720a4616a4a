"""What a survey comes to as a whole: shares of pixels, coverage, repeats, sky, odd values."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from fmb.contract.arrays import Array
from fmb.contract.dataset import Dataset
from fmb.contract.inputs import Batch, Images, Spectra
from fmb.datasets.groups import group_keys
from fmb.datasets.objects import numbers, object_table
from fmb.datasets.unknown_values import stand_ins

__all__ = ["PixelCounts", "coverage", "odd_values", "repeats", "sky_extent"]


@dataclass
class PixelCounts:
    """Pixels of one input, counted while a survey is read."""

    pixels: int = 0
    """All that belong to a band that is there, but padding."""
    masked: int = 0
    """Of these, those that are marked as bad or have ivar 0."""
    zero: int = 0
    """Of these, those that are exactly zero and not masked."""
    valueless: int = 0
    """Of these, those without a value and not masked."""
    padded: int = 0
    """Pixels after the end, or before the start, of a spectrum shorter than the longest."""
    lacking: Counter[str] = field(default_factory=Counter)
    """Band -> objects that have the input, but not this band of it."""

    def add(self, data: Images | Spectra) -> None:
        """Count what was read."""
        padding = np.zeros(data.flux.shape, dtype=bool)
        if isinstance(data, Images):
            there = np.broadcast_to(data.band_valid[:, :, None, None], data.flux.shape)
            missing = (~data.band_valid).sum(axis=0).tolist()
            self.lacking.update({b: n for b, n in zip(data.bands, missing, strict=True) if n})
        else:
            padding = _ends(data.mask & np.isnan(data.flux))
            there = ~padding
        masked = np.zeros(data.flux.shape, dtype=bool) if data.mask is None else data.mask
        if data.ivar is not None:
            masked = masked | ~(data.ivar > 0)
        self.pixels += int(there.sum())
        self.padded += int(padding.sum())
        self.masked += int((masked & there).sum())
        self.zero += int(((data.flux == 0) & there & ~masked).sum())
        self.valueless += int((~np.isfinite(data.flux) & there & ~masked).sum())

    def shares(self) -> dict[str, float]:
        """Each count over the pixels; padding over all that are stored."""
        whole = max(1, self.pixels)
        shares = {name: getattr(self, name) / whole for name in ("masked", "zero", "valueless")}
        return {**shares, "padding": self.padded / max(1, self.pixels + self.padded)}

    @classmethod
    def of_batch(cls, counts: Mapping[str, "PixelCounts"], batch: Batch) -> None:
        """Count a batch, each input in its own."""
        for name, data in batch.inputs.items():
            if isinstance(data, Images | Spectra) and len(data):
                counts[name].add(data)


def _ends(empty: Array) -> Array:
    """(n, pixels), bool: the runs of True at the two ends of each row."""
    before = np.logical_and.accumulate(empty, axis=1)
    after = np.logical_and.accumulate(empty[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(before | after)


def coverage(dataset: Dataset) -> dict[tuple[str, ...], int]:
    """Inputs that objects have together -> number of objects that have these and no others."""
    n, names = len(dataset), tuple(dataset.inputs)
    have = np.column_stack([dataset.inputs[name].have(n) for name in names] or [np.empty((n, 0))])
    kinds, count = np.unique(have, axis=0, return_counts=True)
    found = [
        (tuple(name for name, there in zip(names, kind, strict=True) if there), int(number))
        for kind, number in zip(kinds.tolist(), count, strict=True)
    ]
    return dict(sorted(found, key=lambda pair: (-len(pair[0]), -pair[1])))


def repeats(dataset: Dataset) -> tuple[int, int]:
    """How many rows share their source with another row, and how many sources these are."""
    _, count = np.unique(group_keys(object_table(dataset)), return_counts=True)
    several = count[count > 1]
    return int(several.sum()), len(several)


def sky_extent(catalog: pd.DataFrame) -> dict[str, tuple[float, float]] | None:
    """The smallest ranges of ra and dec that hold all positions, degrees; None without any.

    That of ra goes from its first value eastwards to its second, which is the smaller one where the
    range holds ra 0.
    """
    if not {"ra", "dec"} <= set(catalog):
        return None
    ra, dec = (numbers(catalog[name]) for name in ("ra", "dec"))
    known = (ra >= -180) & (ra <= 360) & (np.abs(dec) <= 90)
    if not known.any():
        return None
    east, dec = np.unique(ra[known] % 360), dec[known]
    gaps = np.diff(east, append=east[0] + 360)
    last = int(gaps.argmax())  # the widest gap is what is not observed
    first = float(east[(last + 1) % len(east)])
    return {"ra": (first, float(east[last])), "dec": (float(dec.min()), float(dec.max()))}


def odd_values(catalog: pd.DataFrame) -> list[dict[str, Any]]:
    """Columns of numbers with values that may stand for "unknown": column, value, objects."""
    found = []
    for name in catalog:
        column = catalog[name]
        if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
            for value, n in stand_ins(numbers(column), alone=True):
                found.append({"column": str(name), "value": value, "objects": n})
    return found
