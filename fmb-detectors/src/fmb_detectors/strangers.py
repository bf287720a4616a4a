"""Partners of other objects, alike in the catalogue, tried in place of an object's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fmb import Array

__all__ = ["ROLES", "Alike", "Strangers", "catalogue"]

NUMBERS = ("magnitude", "redshift", "snr", "size")
ROLES = (*NUMBERS, "class")
"""Catalogue roles in which a stranger is like the object, as far as they are known of both."""
ROWS = 256
"""Objects that are compared with all strangers at a time: what comes of them stays in a cache."""
UNKNOWN = 100.0
"""Squared distance of a stranger of which a role is not known: further than any that has it."""
OTHER_CLASS = 1000.0


def catalogue(columns: Mapping[str, Array], n: int) -> dict[str, Array]:
    """The roles of n objects, each of them; where nobody knows one it is unknown of all."""
    unknown = {role: np.full(n, np.nan) for role in NUMBERS}
    return {**unknown, "class": np.full(n, ""), **{r: columns[r] for r in ROLES if r in columns}}


@dataclass(frozen=True, eq=False)
class Alike:
    """The catalogue of a sample, and how far others are from it: squared, in spreads of a role."""

    columns: Mapping[str, Array]
    """Role -> (m,), each of `ROLES`; numbers NaN where unknown, classes "" where unknown."""

    @property
    def known(self) -> bool:
        """True when some role is known of some object."""
        numbers = any(np.isfinite(self.columns[role]).any() for role in NUMBERS)
        return numbers or bool((self.columns["class"] != "").any())

    def distances(self, columns: Mapping[str, Array]) -> Array:
        """(n, m), float32, of n objects of which each of the roles is given.

        With h and g saying of which side a role is known, the sum over roles of h g (x - y)^2 +
        UNKNOWN h (1 - g), and OTHER_CLASS where classes differ, as one product of two tables.
        """
        left, known, classed, one_hot = self._read(columns)
        table = [known * left**2, -2 * left, UNKNOWN * known, OTHER_CLASS * classed]
        table.append(-OTHER_CLASS * one_hot)
        return np.asarray(np.hstack(table).astype(np.float32) @ self._right)

    @cached_property
    def _right(self) -> Array:
        """The other table, (features, m), float32."""
        right, known, classed, one_hot = self._read(self.columns)
        # What the first two columns of the other side leave out, known * right^2, goes with known.
        table = [known, right, known * right**2 / UNKNOWN + 1 - known, classed, one_hot]
        return np.ascontiguousarray(np.hstack(table).T.astype(np.float32))

    @cached_property
    def _sorted(self) -> dict[str, Array]:
        """What is known of each number, ascending."""
        numbers = {role: self.columns[role] for role in NUMBERS}
        return {role: np.sort(values[np.isfinite(values)]) for role, values in numbers.items()}

    @cached_property
    def _classes(self) -> Array:
        return np.unique(self.columns["class"][self.columns["class"] != ""])

    def _read(self, columns: Mapping[str, Array]) -> tuple[Array, Array, Array, Array]:
        """Numbers (n, q), 0 where unknown, and if known; if a class is known (n, 1), and which.

        A number stands for its place among those of the sample, so that no unit and no logarithm
        counts, in units of the spread of places.
        """
        places = np.full((len(columns["class"]), len(NUMBERS)), np.nan)
        for i, role in enumerate(NUMBERS):
            values, sample = columns[role], self._sorted[role]
            if len(sample):
                middle = np.searchsorted(sample, values) + np.searchsorted(sample, values, "right")
                share = middle / (2 * len(sample)) * np.sqrt(12)  # of a uniform distribution
                places[:, i] = np.where(np.isfinite(values), share, np.nan)
        known = np.isfinite(places)
        classes = columns["class"][:, None]
        one_hot = (classes == self._classes).astype(float)
        return np.where(known, places, 0.0), known.astype(float), (classes != "") * 1.0, one_hot


@dataclass(frozen=True, eq=False)
class Strangers:
    """Pairs of a fit whose second half may stand in for that of an object."""

    bits: Array
    """(m,), uint64, of their ids: nobody is its own stranger."""
    partner: Array
    """(m, r + 2), float32: rows of `Ratio.halves`."""
    alike: Alike

    def rank(
        self, own: Array, left: Array, bits: Array, columns: Mapping[str, Array], k: int
    ) -> tuple[Array, Array]:
        """Place of an object's own partner, and the share of strangers that do as well.

        Args:
            own: (n,), nats, ratio of each object with its own partner.
            left: (n, r + 2): rows of `Ratio.halves`.
            bits: (n,), uint64, of their ids.
            columns: role -> (n,).
            k: strangers of each object, those most alike.

        Returns:
            partner_rank: (n,), float64, 1 = no stranger fits as well.
            stranger_share: (n,), float64, (1 + strangers that fit as well) / (1 + strangers).
        """
        rank, share = np.empty(len(own)), np.empty(len(own))
        for start in range(0, len(own), ROWS):
            at = slice(start, start + ROWS)
            some = {role: values[at] for role, values in columns.items()}
            chosen = self._chosen(bits[at], some, k)
            fits = left[at].astype(np.float32) @ self.partner.T >= own[at, None].astype(np.float32)
            rank[at] = 1 + np.count_nonzero(fits & chosen, axis=1)
            share[at] = rank[at] / (1 + np.count_nonzero(chosen, axis=1))
        return rank, share

    def _chosen(self, bits: Array, columns: Mapping[str, Array], k: int) -> Array:
        """(n, m), bool: the k most alike of each of n objects, fewer where there are no more."""
        distance = self.alike.distances(columns)
        place = np.searchsorted(self.bits, bits)
        itself = np.flatnonzero(self.bits[np.minimum(place, len(self.bits) - 1)] == bits)
        distance[itself, place[itself]] = np.inf
        if k < len(self.bits):
            bound = np.partition(distance, k - 1, axis=1)[:, k - 1 : k]
            chosen = distance <= bound
            full = np.count_nonzero(chosen, axis=1) > k
            chosen[full] = _first(distance[full], bound[full], k)
            distance[~chosen] = np.inf
        return np.isfinite(distance)


def _first(distance: Array, bound: Array, k: int) -> Array:
    """(n, m), bool: the k nearest of each row, of those at the bound the first."""
    nearer, at = distance < bound, distance == bound
    left = k - np.count_nonzero(nearer, axis=1)
    return np.asarray(nearer | (at & (np.cumsum(at, axis=1) <= left[:, None])))
