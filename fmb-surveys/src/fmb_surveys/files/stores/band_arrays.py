"""Bands of images: arrays of one band each as one, and rows in the order of the declared bands."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar, cast

import numpy as np

from fmb import Array, DataError, ShapeError
from fmb.files import Stated
from fmb_surveys.files.stores.store import Store, present_at
from fmb_surveys.files.survey_toml import A_BAND_EACH, AnySource

__all__ = ["BandArrays", "one_name_each"]

S = TypeVar("S", bound=AnySource)


class NamesBands(Protocol):
    """A store whose rows name their bands."""

    def texts(self, name: str, rows: Array, size: int) -> Array:
        """(m, size), object: the names, None beyond their ends."""

    def lengths(self, name: str, rows: Array) -> Array | None:
        """(m,) int64: how many names or bands each row has, -1 = none."""


def one_name_each(source: S) -> tuple[S, dict[str, tuple[str, ...]]]:
    """The source with one name where it lists an array a band, and which arrays each stands for."""
    listed: dict[str, tuple[str, ...]] = {}
    names: dict[str, str] = {}
    for key in A_BAND_EACH:
        arrays: Any = getattr(source, key, None)
        if isinstance(arrays, tuple):
            names[key] = "', '".join(arrays)
            listed[names[key]] = arrays
    return cast(S, source.model_copy(update=names)), listed


class BandArrays:
    """A store whose arrays of images have the declared bands, whatever their files have.

    Some names stand for several arrays, one a band, of one shape.
    """

    def __init__(
        self,
        store: Store,
        arrays: Mapping[str, Sequence[str]],
        bands: Sequence[str] = (),
        band_names: str | None = None,
    ) -> None:
        """Nothing is opened before it is read.

        Args:
            store: has the arrays, each (rows, height, width) or (rows, 1, height, width).
            arrays: name -> the arrays it stands for, in the order of the bands.
            bands: in the order in which they are wanted, where rows name their own.
            band_names: column of the bands of each row; None = all have these, in this order.
        """
        self.store, self._arrays = store, dict(arrays)
        self._bands, self._names = tuple(bands), band_names
        self.objects: tuple[Array, Array] | None = None
        """Stored row (n,) and id (n,) of each object, for messages, once they are known."""

    def place(self, name: str) -> str:
        """Where the arrays are, for messages."""
        return self.store.place(name)

    def shape(self, name: str) -> tuple[int, ...]:
        """(rows, bands, height, width).

        Raises:
            ShapeError: one band is larger than another.
        """
        if name not in self._arrays:
            return self.store.shape(name)
        shapes = {array: _flat(self.store.shape(array)) for array in self._arrays[name]}
        first, *others = shapes
        for array in others:
            if shapes[array] != shapes[first]:
                raise ShapeError(
                    f"{self.store.place(array)} has shape {shapes[array]}, {first!r} has"
                    f" {shapes[first]}; give bands of one size, or an input each"
                )
        rows, *pixels = shapes[first]
        return (rows, len(self._arrays[name]), *pixels)

    def kind(self, name: str) -> "np.dtype[Any]":
        """The type that holds the numbers of all bands as they are stored."""
        return np.result_type(*(self.store.kind(array) for array in self._of(name)))

    def stated(self, name: str) -> Stated:
        """What the file says of the numbers of all bands.

        Raises:
            DataError: it says one thing of one band, and another of another.
        """
        first, *others = self._of(name)
        told = self.store.stated(first)
        for array in others:
            if (other := self.store.stated(array)) != told:
                raise DataError(
                    f"{self.store.place(array)} has another unit, scale or missing value than"
                    f" {first!r}: {other} and {told}; make them an input each"
                )
        return told

    def read(self, name: str, rows: Array, pad: float = np.nan) -> Array:
        """(m, bands, height, width): those rows; a band that a row lacks is `pad`."""
        if name not in self._arrays:
            return self._in_order(name, self.store.read(name, rows, pad), rows, pad)
        pixels = self.shape(name)[2:]
        listed = self._arrays[name]
        found = {array: self.store.read(array, rows, pad) for array in dict.fromkeys(listed)}
        bands = [found[array].reshape(len(rows), *pixels) for array in listed]
        return np.stack(bands, axis=1)

    def column(self, name: str) -> Array:
        """(rows,): a value for each stored row."""
        return self.store.column(name)

    def origins(self, rows: Array, digest: str | None, mapping: str) -> Array:
        """(m,), uint64: what tells where each row comes from."""
        return self.store.origins(rows, digest, mapping)

    def present_at(self, name: str, rows: Array) -> Array:
        """(m,) bool: which of some stored rows were observed."""
        return present_at(self.store, name, rows, self.store.shape(name)[:1])

    def _in_order(self, name: str, values: Array, rows: Array, pad: float) -> Array:
        """Arrays of rows with their bands as declared; one that a row has not is `pad`.

        Raises:
            DataError: a row names a band twice, or another number of bands than it has.
        """
        if self._names is None or values.shape[1:2] != (len(self._bands),):
            return values
        order = self._order(rows)
        self._refuse_unnamed(name, rows, (order >= 0).sum(axis=1))
        if (order == np.arange(len(self._bands))).all():
            return values
        sorted_ones = values[np.arange(len(order))[:, None], order]
        if (order < 0).any():
            if values.dtype.kind != "f" and not np.isfinite(pad):
                sorted_ones = sorted_ones.astype(np.float64)
            sorted_ones[order < 0] = pad
        return sorted_ones

    def _order(self, rows: Array) -> Array:
        """(m, bands): where in each row the declared bands are; -1 = nowhere."""
        name, known = self._names or "", {band.lower(): at for at, band in enumerate(self._bands)}
        found = cast(NamesBands, self.store).texts(name, rows, len(self._bands))
        order = np.full(found.shape, -1, dtype=np.int64)
        for at in range(found.shape[1]):
            for word in {word for word in found[:, at].tolist() if word is not None}:
                if word.lower() not in known:
                    raise DataError(
                        f"{self.store.place(name)} names the band {word!r}, not among"
                        f" {', '.join(self._bands)}; declare it in bands"
                    )
                has, band = found[:, at] == word, known[word.lower()]
                twice = np.flatnonzero(has & (order[:, band] >= 0))
                if len(twice):
                    raise DataError(
                        f"{self.store.place(name)} names the band {word!r} twice of"
                        f" {self._called(rows[twice[0]])}; leave one out"
                    )
                order[has, band] = at
        return order

    def _refuse_unnamed(self, name: str, rows: Array, named: Array) -> None:
        """Refuse rows with another number of bands in an array than they name: (m,)."""
        lengths = cast(NamesBands, self.store).lengths(name, rows)
        if lengths is None:
            return
        wrong = np.flatnonzero((lengths > 0) & (lengths != named))
        if len(wrong):
            at = wrong[0]
            raise DataError(
                f"{self.store.place(name)} has bands of {self._called(rows[at])}: {lengths[at]},"
                f" for {named[at]} that {self._names!r} names; name each once, or leave it out"
            )

    def _called(self, row: int) -> str:
        """The object of a stored row, for messages."""
        of_rows, ids = self.objects or (np.empty(0), np.empty(0))
        at = np.flatnonzero(of_rows == row)[:1]
        return f"object {ids[at[0]]}" if len(at) else f"row {row}"

    def _of(self, name: str) -> Sequence[str]:
        return self._arrays.get(name, (name,))


def _flat(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Without a band axis of one."""
    return (shape[0], *shape[2:]) if len(shape) == 4 and shape[1] == 1 else shape
