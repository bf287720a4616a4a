"""The sky of the survey: cells of uneven depth and sharpness, places, ids, repeats and gaps."""

import hashlib
from dataclasses import dataclass

import numpy as np

from fmb import Array

__all__ = ["N_CELLS", "Cells", "Plan", "make_cells", "make_plan", "object_ids", "object_origins"]

N_CELLS = 24
_COLUMNS = 6
_CELL_DEG = 0.5
_CORNER_DEG = (34.0, -6.0)

_REPEATS = 0.01
_NO_SPECTRUM = 0.03
_NO_IMAGE = 0.01


@dataclass(frozen=True, eq=False)
class Cells:
    """Conditions in each sky cell, (24,) each."""

    depth_mag: Array
    """Offset of the limiting magnitude; negative = shallower."""
    psf_factor: Array
    """Factor on the width of the point-spread functions."""
    spectrum_noise: Array
    """Factor on the noise of spectra."""
    gradient: Array
    """Residual sky gradient across a cutout, in units of the sky noise."""


@dataclass(frozen=True, eq=False)
class Plan:
    """Who is where and what was observed of them, (n,) each."""

    ids: Array
    """int64, 19 digits."""
    source: Array
    """Index of the galaxy; repeats of one galaxy share it."""
    first: Array
    """Row of the first observation of the same galaxy."""
    cell: Array
    ra_deg: Array
    dec_deg: Array
    has_image: Array
    has_spectrum: Array


def make_cells(seed: int) -> Cells:
    """Depth within 0.3 mag and sharpness within 10 %, and one bad cell."""
    rng = np.random.default_rng([seed, 2])
    depth = rng.uniform(-0.3, 0.3, N_CELLS)
    psf = rng.uniform(0.9, 1.1, N_CELLS)
    noise = 10 ** (-0.4 * 0.5 * depth) * rng.uniform(0.9, 1.1, N_CELLS)
    gradient = rng.normal(0.0, 0.05, N_CELLS)
    # One cell of clouds and poor focus: a trap for rankings that follow data quality.
    bad = int(rng.integers(N_CELLS))
    depth[bad], psf[bad], noise[bad], gradient[bad] = -0.9, 1.45, 1.6, 0.6
    return Cells(depth, psf, noise, gradient)


def make_plan(n: int, seed: int) -> Plan:
    """The first n rows of the survey of `seed`; a longer survey starts with the same rows."""
    streams = [np.random.default_rng([seed, 3, k]) for k in range(6)]
    repeat = streams[0].random(n) < _REPEATS
    repeat[0] = False
    pick = streams[1].random(n)
    source = np.cumsum(~repeat) - 1
    fresh = np.flatnonzero(~repeat)
    for row in np.flatnonzero(repeat):
        source[row] = int(pick[row] * (source[row] + 1))
    first = fresh[source]
    cell = (streams[2].random(n) * N_CELLS).astype(np.int64)[first]
    place = streams[3].random((n, 2))[first]
    jitter = np.where(repeat[:, None], streams[4].normal(0.0, 0.05 / 3600, (n, 2)), 0.0)
    dec = _CORNER_DEG[1] + (cell // _COLUMNS + place[:, 1]) * _CELL_DEG + jitter[:, 1]
    ra = _CORNER_DEG[0] + (cell % _COLUMNS + place[:, 0]) * _CELL_DEG + jitter[:, 0]
    gap = streams[5].random(n)
    return Plan(
        ids=object_ids(np.arange(n), seed),
        source=source,
        first=first,
        cell=cell,
        ra_deg=ra,
        dec_deg=dec,
        has_image=gap >= _NO_IMAGE,
        has_spectrum=(gap < _NO_IMAGE) | (gap >= _NO_IMAGE + _NO_SPECTRUM),
    )


def object_ids(index: Array, seed: int) -> Array:
    """(n,) int64 of 19 digits, without order, one for each (seed, index)."""
    x = _scattered(index, (seed + 1) * 0x9E3779B97F4A7C15)
    return (np.uint64(10**18) + x % np.uint64(8 * 10**18)).astype(np.int64)


def object_origins(index: Array, *what: object) -> Array:
    """(n,) uint64, one for each index and `what`, of which all parts print the same everywhere."""
    text = "|".join(str(part) for part in what)
    start = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return _scattered(index, int.from_bytes(start, "little"))


def _scattered(index: Array, start: int) -> Array:
    """(n,) uint64 without order, all different.

    Source: finaliser of SplitMix64 (Steele et al. 2014), a bijection of 64-bit integers.
    """
    x = np.asarray(index, dtype=np.uint64) + np.uint64(start % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray(x ^ (x >> np.uint64(31)))
