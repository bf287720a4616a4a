"""Bands of images: arrays of one band each as one, and rows in the order of the declared bands."""

from collections.abc import Sequence
from typing import Any, Protocol, cast

import numpy as np

from fmb import Array, DataError, ShapeError
from fmb.files import Stated
from fmb_surveys.files.stores.store import Store, present_at

__all__ = ["SEVERAL", "BandArrays", "names_in"]

SEVERAL = " + "
"""Between the names of arrays that are one a band."""


def names_in(name: str) -> list[str]:
    """The arrays that a name stands for."""
    return name.split(SEVERAL)


class NamesBands(Protocol):
    """A store whose rows name their bands."""

    def texts(self, name: str, rows: Array, size: int) -> Array:
        """(m, size), object: the names, None beyond their ends."""


class BandArrays:
    """A store whose arrays of images have the declared bands, whatever their files have."""

    def __init__(self, store: Store, bands: Sequence[str], band_names: str | None = None) -> None:
        """Nothing is read.

        Args:
            store: where the arrays are.
            bands: in the order in which they are wanted.
            band_names: column of the bands of each row; None = all have these, in this order.
        """
        self.store, self.bands, self._names = store, tuple(bands), band_names

    def place(self, name: str) -> str:
        """Where the array, or that of the first band, is."""
        return self.store.place(names_in(name)[0])

    def shape(self, name: str) -> tuple[int, ...]:
        """(rows, bands, height, width), or as the file has it.

        Raises:
            ShapeError: the arrays of the bands have different shapes.
        """
        names = names_in(name)
        shapes = {one: self.store.shape(one) for one in names}
        first = shapes[names[0]]
        for one, shape in shapes.items():
            if shape != first:
                raise ShapeError(
                    f"{self.store.place(one)} has shape {shape[1:]}, {names[0]!r} has {first[1:]}"
                )
        if len(names) == 1:
            return first
        # One band may come as a stack of one.
        return (first[0], len(names), *(first[2:] if len(first) == 4 else first[1:]))

    def kind(self, name: str) -> "np.dtype[Any]":
        """Type of the numbers as they are stored."""
        return np.result_type(*(self.store.kind(one) for one in names_in(name)))

    def stated(self, name: str) -> Stated:
        """What the file says of the numbers.

        Raises:
            DataError: something else of one band than of another.
        """
        names = names_in(name)
        told = [self.store.stated(one) for one in names]
        for one, own in zip(names, told, strict=True):
            if own != told[0]:
                raise DataError(
                    f"{self.store.place(one)} has another unit, scale or missing value than"
                    f" {names[0]!r}; make each an input of its own"
                )
        return told[0]

    def read(self, name: str, rows: Array, pad: float = np.nan) -> Array:
        """(m, ...): those rows, bands as declared; one that a row has not is `pad`."""
        names = names_in(name)
        if len(names) > 1:
            read = [self.store.read(one, rows, pad) for one in names]
            return np.stack([one[:, 0] if one.ndim == 4 else one for one in read], axis=1)
        values = self.store.read(name, rows, pad)
        if self._names is None or values.shape[1:2] != (len(self.bands),):
            return values
        order = self._order(rows)
        if (order == np.arange(len(self.bands))).all():
            return values
        sorted_ones = values[np.arange(len(order))[:, None], order]
        if (order < 0).any():
            if values.dtype.kind != "f" and not np.isfinite(pad):
                sorted_ones = sorted_ones.astype(np.float64)
            sorted_ones[order < 0] = pad
        return sorted_ones

    def _order(self, rows: Array) -> Array:
        """(m, bands): where in each row the declared bands are; -1 = nowhere."""
        name, known = self._names or "", {band.lower(): at for at, band in enumerate(self.bands)}
        found = cast(NamesBands, self.store).texts(name, rows, len(self.bands))
        order = np.full(found.shape, -1, dtype=np.int64)
        for at in range(found.shape[1]):
            for word in {word for word in found[:, at].tolist() if word is not None}:
                if word.lower() not in known:
                    raise DataError(
                        f"{self.store.place(name)} names the band {word!r}, not among"
                        f" {', '.join(self.bands)}; declare it in bands"
                    )
                order[found[:, at] == word, known[word.lower()]] = at
        return order

    def column(self, name: str) -> Array:
        """(rows,): a value for each stored row."""
        return self.store.column(name)

    def present_at(self, name: str, rows: Array) -> Array:
        """(m,) bool: which of some stored rows were observed."""
        return present_at(self.store, name, rows, self.store.shape(name)[:1])

    def origins(self, rows: Array, digest: str | None, mapping: str) -> Array:
        """(m,), uint64: where each row comes from."""
        return self.store.origins(rows, digest, mapping)
