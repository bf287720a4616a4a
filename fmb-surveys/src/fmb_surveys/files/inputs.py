"""What images and spectra have in common: flux, its errors and masks as their files mean them."""

import math
from dataclasses import replace
from typing import Generic, TypeVar

import numpy as np

from fmb import Array, DataError, Images, InputInfo, ShapeError, Spectra
from fmb.files import equal_to
from fmb_surveys.files.numbers import bad_value, bits_of, float32, may_hold, meant_numbers, times
from fmb_surveys.files.stores.store import Store
from fmb_surveys.files.survey_toml import InputSource
from fmb_surveys.files.units import convenient, refuse_contradiction

__all__ = ["Input"]

S = TypeVar("S", bound=InputSource)


class Input(Generic[S]):
    """One input: where it is stored and which row belongs to which object."""

    def __init__(self, source: S, store: Store, rows: Array) -> None:
        """Check the layout of everything the source names.

        Args:
            source: the table of the survey.toml.
            store: where its datasets are.
            rows: (n,) int64, the stored row of each object, -1 = not observed.
        """
        self._source, self.store, self.rows = source, store, rows
        self.unknown_units: dict[str, str] = {}
        """Dataset -> what its file says of its unit, where astropy knows no such unit."""
        self.unit, self.factor = convenient(source.unit)
        """The unit that is read, and one of the stored unit in it."""
        self._compare_with_files()
        self.info: InputInfo = self._describe(store.shape(source.flux))

    def _describe(self, shape: tuple[int, ...]) -> InputInfo:
        raise NotImplementedError

    def read(self, rows: Array) -> Images | Spectra:
        """The observations of the objects at `rows`, which must have this input."""
        raise NotImplementedError

    @property
    def _place_of_flux(self) -> str:
        return self.store.place(self._source.flux)

    def origins(self, rows: Array, digest: str | None, mapping: str) -> Array:
        """(m,), uint64: what tells where stored rows come from; as `Store.origins`."""
        return self.store.origins(rows, digest, mapping)

    def _present(self) -> Array | None:
        have = self.rows >= 0
        return None if have.all() else have

    def _check_shapes(self, shape: tuple[int, ...], *keys: str) -> None:
        for key in keys:
            path = getattr(self._source, key)
            if path and self.store.shape(path) != shape:
                raise ShapeError(
                    f"{self.store.place(path)} has shape {self.store.shape(path)},"
                    f" {self._source.flux!r} has {shape}"
                )

    def _compare_with_files(self) -> None:
        """Hold what the survey.toml says of the numbers against what their files say."""
        source, flux = self._source, self.store.stated(self._source.flux)
        both = "scale" in source.model_fields_set and flux.scale != 1.0
        if both and not math.isclose(source.scale, flux.scale, rel_tol=1e-6):
            raise DataError(
                f"{self.store.place(source.flux)} has the scale {flux.scale:g} by what the file"
                f" says, {source.scale:g} by the survey.toml; correct the one that is wrong"
            )
        if source.missing is not None and not may_hold(
            self.store.kind(source.flux), source.missing
        ):
            raise DataError(
                f"{self.store.place(source.flux)}: missing = {source.missing:g} cannot stand in"
                f" {self.store.kind(source.flux)} data"
            )
        for key, power in (("flux", 1), ("error", 1), ("ivar", -2)):
            self._compare_unit(key, source.unit, "unit", power)

    def _compare_unit(self, key: str, unit: str, key_of_unit: str, power: int = 1) -> None:
        path = getattr(self._source, key)
        if path:
            where, told = self.store.place(path), self.store.stated(path)
            unknown = refuse_contradiction(where, told.unit, unit, key_of_unit, power)
            if unknown:
                self.unknown_units[path] = unknown

    def _numbers(self, path: str, at: Array) -> Array:
        """Those rows of a dataset as its file says they are meant; NaN where it has no value."""
        return meant_numbers(self.store.stated(path), self.store.read(path, at))

    def _flux(self, at: Array) -> tuple[Array, Array | None]:
        """Flux (m, ...) float32, and where it holds a value that means "missing"."""
        source, told = self._source, self.store.stated(self._source.flux)
        stored = self.store.read(source.flux, at)
        gaps = told.gaps(stored)
        if source.missing is not None:
            also = equal_to(stored, source.missing)
            gaps = also if gaps is None else gaps | also
        scale = source.scale if "scale" in source.model_fields_set else told.scale
        meant = replace(told, scale=scale).values(stored)
        return float32(times(meant, self.factor)), gaps

    def _bad(self, at: Array) -> Array | None:
        """(m, ...) bool, what `mask` or `good` declares; what is no number is bad."""
        if self._source.mask:
            bits = self._source.mask_bits
            kind = self.store.kind(self._source.mask)
            bad = self.store.read(self._source.mask, at, pad=bad_value(kind, bits))
            if self._source.mask_bits:
                bad = bits_of(bad, self._source.mask_bits, self.store.place(self._source.mask))
            return bad if bad.dtype == bool else np.asarray(bad != 0)
        if self._source.good:
            good = self.store.read(self._source.good, at, pad=0)
            return ~good if good.dtype == bool else np.asarray((good == 0) | np.isnan(good))
        return None

    def _ivar(self, at: Array) -> Array | None:
        """(m, ...) float32; 0 where an error is not a positive number.

        NaN where an error is so small that its ivar is beyond float32, which the checks name.
        """
        if self._source.error:
            error = times(self._numbers(self._source.error, at).astype(np.float64), self.factor)
            known = np.isfinite(error) & (error > 0)
            with np.errstate(over="ignore", divide="ignore"):
                ivar = float32(np.where(known, 1.0, 0.0) / np.where(known, error, 1.0) ** 2)
            return np.where(np.isinf(ivar), np.float32(np.nan), ivar)
        if not self._source.ivar:
            return None
        stored = self.store.read(self._source.ivar, at, pad=0)
        ivar = meant_numbers(self.store.stated(self._source.ivar), stored)
        gaps = self.store.stated(self._source.ivar).missing and np.isnan(ivar)
        ivar = np.where(gaps, 0, ivar) if np.any(gaps) else ivar  # nothing is known there
        return float32(times(ivar, self.factor**-2))
