"""Who is scored by which fit: folds over groups of objects, by hash or by place on the sky."""

from heapq import heapify, heappop, heappush
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from fmb.contract.arrays import Array
from fmb.messages.errors import ConfigError, DataError, ShapeError
from fmb.order.bits import key_bits
from fmb.order.positions import stable_order

__all__ = ["SkyFolds", "assign_folds", "group_codes", "healpix_cells", "sky_folds"]

# Finer cells (3.4 arcmin at this one) are smaller than an exposure: blocks of that size would
# share their depth and seeing with their neighbours and test no transfer across the sky.
FINEST_NSIDE = 1024
CELLS_PER_FOLD = 10
HEAVIEST_FOLD = 1.25
"""The largest fold, in units of a fair share, that still counts as balanced."""


class SkyFolds(NamedTuple):
    """Folds made of whole cells of the sky."""

    fold: Array
    """(n,), int64, 0 .. k-1."""
    nside: int
    """The HEALPix division that was used."""
    cells: int
    """How many of its cells hold objects."""

    def __str__(self) -> str:
        size_deg = np.sqrt(4 * np.pi / (12 * self.nside**2)) * 180 / np.pi
        return (
            f"sky: {self.cells} occupied HEALPix cells of {size_deg:.2g} deg (nside {self.nside})"
        )


def group_codes(groups: npt.ArrayLike) -> tuple[Array, Array]:
    """Groups as numbers.

    Args:
        groups: (n,), integers or text.

    Returns:
        codes: (n,), int64, positions in `keys`.
        keys: (g,), the distinct groups, sorted, so that row order plays no part.

    Raises:
        DataError: a key is missing, or keys are floating-point numbers.
    """
    values = np.asarray(groups)
    if values.dtype.kind in "fc":
        raise DataError(
            "group keys are floating-point numbers, which cannot hold 19-digit ids;"
            " read the column as integers or text"
        )
    if values.dtype.kind in "iuU" and (values[1:] > values[:-1]).all():
        return np.arange(len(values)), values  # ids in canonical order: nothing is shared
    codes, keys = pd.factorize(values, sort=True)
    missing = int((codes < 0).sum())
    if missing:
        raise DataError(
            f"{missing:,} of {len(values):,} objects have no group key; give each its own id"
        )
    return np.asarray(codes, dtype=np.int64), np.asarray(keys)


def assign_folds(groups: npt.ArrayLike, k: int) -> Array:
    """A fold for each object; groups stay whole, and no fold is empty.

    The groups, in the order of 64 bits of their key as text, are dealt in turn. The order of rows
    plays no part, and the folds hold equal numbers of groups to within one.

    Args:
        groups: (n,), integers or text; an integer and its decimal text are the same key.
        k: number of folds, at least 2.

    Returns:
        (n,), int64, 0 .. k-1.

    Raises:
        ConfigError: k is below 2.
        DataError: fewer groups than folds.
    """
    codes, keys = group_codes(groups)
    check_count(len(keys), k)
    order = stable_order(key_bits(keys))
    fold = np.empty(len(keys), dtype=np.int64)
    fold[order] = np.arange(len(keys)) % k
    return fold[codes]


def sky_folds(
    ra_deg: npt.ArrayLike, dec_deg: npt.ArrayLike, groups: npt.ArrayLike, k: int
) -> SkyFolds:
    """Folds of whole HEALPix cells, for claims about parts of the sky that no fit has seen.

    The coarsest division is taken that has at least 10 k occupied cells and folds of at most
    1.25 times their share. Cells go, fullest first, to the fold that is emptiest.

    Args:
        ra_deg: (n,), degrees.
        dec_deg: (n,), degrees.
        groups: (n,); a group that straddles cells goes with the lowest-numbered of them.
        k: number of folds, at least 2.

    Raises:
        ConfigError: k is below 2.
        DataError: a position is not finite or off the sphere, there are fewer groups than folds,
            or the survey is too compact for balanced cells.
        ShapeError: the arrays differ in length.
    """
    ra, dec = np.asarray(ra_deg, dtype=np.float64), np.asarray(dec_deg, dtype=np.float64)
    codes, keys = group_codes(groups)
    check_count(len(keys), k)
    check_positions(ra, dec, len(codes))
    nside, occupied = 1, 0
    while nside <= FINEST_NSIDE:
        cell_of_group = np.full(len(keys), 12 * nside**2)
        np.minimum.at(cell_of_group, codes, healpix_cells(ra, dec, nside))
        cells, at, sizes = np.unique(cell_of_group[codes], return_inverse=True, return_counts=True)
        occupied = len(cells)
        if occupied >= CELLS_PER_FOLD * k:
            fold = deal(cells, sizes, k)[at]
            if np.bincount(fold).max() <= HEAVIEST_FOLD * len(codes) / k:
                return SkyFolds(fold, nside, occupied)
        nside *= 2
    raise DataError(
        f"sky folds need {CELLS_PER_FOLD * k} evenly filled cells of at least 3.4 arcmin;"
        f" {len(codes):,} objects fill {occupied} of them; use folds by hash of the group"
    )


def healpix_cells(ra_deg: Array, dec_deg: Array, nside: int) -> Array:
    """The HEALPix cell of each position, RING numbering.

    Equal to `astropy_healpix.lonlat_to_healpix`; written out because it is all of that package
    that FMB needs.

    Args:
        ra_deg: (n,), degrees.
        dec_deg: (n,), degrees.
        nside: division; the sphere has 12 nside^2 cells of equal area.

    Returns:
        (n,), int64, 0 .. 12 nside^2 - 1.

    Source: Gorski et al. 2005, ApJ 622, 759.
    """
    z = np.sin(np.radians(dec_deg))
    turn = np.mod(ra_deg / 90.0, 4.0)  # longitude in quarter turns
    # Belt |z| <= 2/3: lines of constant slope number the rings and the cells in them.
    rising = np.floor(nside * (0.5 + turn - 0.75 * z)).astype(np.int64)
    falling = np.floor(nside * (0.5 + turn + 0.75 * z)).astype(np.int64)
    ring = nside + 1 + rising - falling
    shifted = 1 - (ring & 1)
    in_ring = (rising + falling - nside + shifted + 1) // 2 % (4 * nside)
    belt = 2 * nside * (nside - 1) + (ring - 1) * 4 * nside + in_ring
    # Caps: rings counted from the nearer pole, ring i holding 4 i cells.
    part = turn - np.floor(turn)
    reach = nside * np.sqrt(3 * (1 - np.abs(z)))
    cap_ring = (np.floor(part * reach) + np.floor((1 - part) * reach)).astype(np.int64) + 1
    in_cap = np.floor(turn * cap_ring).astype(np.int64) % (4 * cap_ring)
    north = 2 * cap_ring * (cap_ring - 1) + in_cap
    south = 12 * nside**2 - 2 * cap_ring * (cap_ring + 1) + in_cap
    return np.asarray(np.where(np.abs(z) <= 2 / 3, belt, np.where(z > 0, north, south)))


def deal(cells: Array, sizes: Array, k: int) -> Array:
    """The fold of each cell: fullest first (equal ones by their bits), to the emptiest fold."""
    order = np.lexsort((key_bits(cells), -sizes))
    load = [(0, fold) for fold in range(k)]
    heapify(load)
    folds = np.empty(len(cells), dtype=np.int64)
    for cell in order:
        objects, fold = heappop(load)
        folds[cell] = fold
        heappush(load, (objects + int(sizes[cell]), fold))
    return folds


def check_count(n_groups: int, k: int) -> None:
    """Refuse folds that cannot all be filled."""
    if k < 2:
        raise ConfigError(f"cross-fitting takes at least 2 folds, got {k}; or fit in-sample")
    if n_groups < k:
        raise DataError(
            f"{n_groups} group{'s' * (n_groups != 1)} of objects cannot fill {k} folds;"
            " take fewer folds or fit in-sample (--fit in-sample)"
        )


def check_positions(ra: Array, dec: Array, n: int) -> None:
    """Refuse positions that are not on the sphere."""
    if not len(ra) == len(dec) == n:
        raise ShapeError(f"{len(ra)} ra, {len(dec)} dec and {n} groups do not fit together")
    bad = ~(np.isfinite(ra) & (np.abs(dec) <= 90))
    if bad.any():
        raise DataError(
            f"{bad.sum():,} of {n:,} objects have no valid ra and dec (first row:"
            f" {np.flatnonzero(bad)[0]}); mend the catalogue or use folds by hash"
        )
