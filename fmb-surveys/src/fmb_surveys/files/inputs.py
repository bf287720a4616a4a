"""Images and spectra of a survey as its HDF5 datasets hold them, with what is bad masked."""

import math
from dataclasses import replace
from typing import Generic, TypeVar

import numpy as np

from fmb import Array, DataError, Images, InputInfo, ShapeError, Spectra
from fmb.datasets import disordered
from fmb.files import equal_to
from fmb_surveys.files.numbers import float32, may_hold, meant_numbers, times
from fmb_surveys.files.stores.store import Store
from fmb_surveys.files.survey_toml import ImagesSource, InputSource, SpectraSource
from fmb_surveys.files.units import angstroms, convenient, is_unit, refuse_contradiction
from fmb_surveys.files.wavelengths import from_log10, refuse_impossible

__all__ = ["ImagesInput", "Input", "SpectraInput"]

SAMPLED_ROWS = 256
"""Rows whose grids tell the wavelength range of a larger survey."""

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
            bad = self.store.read(self._source.mask, at, pad=0)
            return bad if bad.dtype == bool else np.asarray(bad != 0)
        if self._source.good:
            good = self.store.read(self._source.good, at, pad=0)
            return np.asarray((good == 0) | np.isnan(good))
        return None

    def _ivar(self, at: Array) -> Array | None:
        """(m, ...) float32; 0 where an error is not a positive number."""
        if self._source.error:
            error = times(self._numbers(self._source.error, at).astype(np.float64), self.factor)
            known = np.isfinite(error) & (error > 0)
            with np.errstate(over="ignore"):
                return float32(np.where(known, 1.0, 0.0) / np.where(known, error, 1.0) ** 2)
        if not self._source.ivar:
            return None
        stored = self.store.read(self._source.ivar, at, pad=0)
        ivar = meant_numbers(self.store.stated(self._source.ivar), stored)
        gaps = self.store.stated(self._source.ivar).missing and np.isnan(ivar)
        ivar = np.where(gaps, 0, ivar) if np.any(gaps) else ivar  # nothing is known there
        return float32(times(ivar, self.factor**-2))


class ImagesInput(Input[ImagesSource]):
    """Cutouts of one size."""

    def _describe(self, shape: tuple[int, ...]) -> InputInfo:
        source, store, bands = self._source, self.store, len(self._source.bands)
        if not (len(shape) == 4 and shape[1] == bands) and not (len(shape) == 3 and bands == 1):
            raise ShapeError(
                f"{store.place(source.flux)} has shape {shape}, expected"
                f" (n, {bands}, height, width) for bands {', '.join(source.bands)}"
            )
        self._check_shapes(shape, "ivar", "error", "mask", "good")
        self._compare_unit("psf_fwhm", "arcsec", "psf_fwhm, which is in arcsec,")
        for path in (source.psf_fwhm, source.band_valid):
            if path and math.prod(store.shape(path)) != shape[0] * bands:
                raise ShapeError(
                    f"{store.place(path)} has shape {store.shape(path)},"
                    f" expected ({shape[0]}, {bands})"
                )
        return InputInfo(
            kind="images",
            unit=self.unit,
            bands=source.bands,
            shape=shape[-2:],
            pixel_scale_arcsec=source.pixel_scale_arcsec,
            calibrated=source.unit != "display",
            present=self._present(),
        )

    def read(self, rows: Array) -> Images:
        """The cutouts of the objects at `rows`; pixels without value are NaN."""
        source, at = self._source, self.rows[rows]
        flux, gaps = self._flux(at)
        if gaps is not None:
            flux = np.where(gaps, np.float32(np.nan), flux)
        ivar, mask = self._ivar(at), self._bad(at)
        if source.error and ivar is not None:
            mask = (ivar == 0) | (False if mask is None else mask)
        per_band = (len(at), len(source.bands))
        if source.band_valid:
            band_valid = self.store.read(source.band_valid, at).reshape(per_band) != 0
        else:
            pixels = math.prod(self.info.shape)
            band_valid = np.isfinite(flux).reshape(*per_band, pixels).any(axis=2)
        psf = self._numbers(source.psf_fwhm, at) if source.psf_fwhm else None
        full = (*per_band, *self.info.shape)
        return Images(
            flux=flux.reshape(full),
            bands=source.bands,
            band_valid=band_valid,
            unit=self.unit,
            pixel_scale_arcsec=source.pixel_scale_arcsec,
            ivar=None if ivar is None else ivar.reshape(full),
            mask=None if mask is None else mask.reshape(full),
            psf_fwhm_arcsec=None if psf is None else float32(psf.reshape(per_band)),
        )


class SpectraInput(Input[SpectraSource]):
    """Spectra on one grid, or each on its own with the same number of pixels."""

    def _describe(self, shape: tuple[int, ...]) -> InputInfo:
        source, store = self._source, self.store
        if len(shape) != 2:
            raise ShapeError(f"{store.place(source.flux)} has shape {shape}, expected (n, pixels)")
        self._check_shapes(shape, "ivar", "error", "mask", "good", "lsf")
        self._compare_unit("lsf", "Angstrom", "lsf, which is in Angstrom,")
        self._grid_name = source.wavelength or source.loglam or ""
        self._factor = angstroms(self._wavelength_unit())
        grid = store.shape(self._grid_name)
        if grid not in (shape, shape[1:]):
            raise ShapeError(
                f"{store.place(self._grid_name)} has shape {grid}, expected {shape[1:]} or {shape}"
            )
        self._shared = None if grid == shape else self._read_shared()
        return InputInfo(
            kind="spectra",
            unit=self.unit,
            shape=shape[1:],
            wavelength_aa=self._range(),
            calibrated=source.calibrated and source.unit != "counts",
            present=self._present(),
        )

    def _wavelength_unit(self) -> str:
        """Of the survey.toml where it says one, else of the file, else Angstrom."""
        source, told = self._source, self.store.stated(self._grid_name)
        if source.loglam or not told.unit:
            return source.wavelength_unit
        if "wavelength_unit" in source.model_fields_set or not is_unit(told.unit):
            self._compare_unit("wavelength", source.wavelength_unit, "wavelength_unit")
            return source.wavelength_unit
        return told.unit

    def _to_aa(self, stored: Array) -> Array:
        grid = meant_numbers(self.store.stated(self._grid_name), stored).astype(np.float64)
        if self._source.loglam:
            grid = from_log10(grid, self.store.place(self._grid_name))
        # Padding below zero keeps its value: it says "no wavelength" whatever the unit.
        return grid if self._factor == 1.0 else np.where(grid > 0, grid * self._factor, grid)

    def _read_shared(self) -> Array:
        grid = self._to_aa(
            self.store.read(self._grid_name, np.arange(*self.store.shape(self._grid_name)))
        )
        if disordered(grid[None], np.ones((1, len(grid)), dtype=bool)).any():
            raise DataError(
                f"{self.store.place(self._grid_name)}: wavelengths are not positive and ascending;"
                " sort the pixels by wavelength"
            )
        return grid

    def _range(self) -> tuple[float, float] | None:
        grid = self._shared
        if grid is None:
            have = self.rows[self.rows >= 0]
            step = max(1, len(have) // SAMPLED_ROWS)
            grid = self._to_aa(self.store.read(self._grid_name, have[::step]))
        known = grid[np.isfinite(grid) & (grid > 0)]
        if not known.size:
            return None
        low, high = float(known.min()), float(known.max())
        if not self._source.loglam:
            refuse_impossible(low, high, self._factor, self.store.place(self._grid_name))
        return low, high

    def read(self, rows: Array) -> Spectra:
        """The spectra of the objects at `rows`; pixels that carry nothing are masked.

        Where the good pixels of an object are not at positive, ascending wavelengths all its
        pixels are masked: none can be trusted to be where it says, and the checks name it.
        """
        source, at = self._source, self.rows[rows]
        flux, gaps = self._flux(at)
        ivar, mask = self._ivar(at), self._bad(at)
        grid = self._shared
        if grid is None:
            grid = self._to_aa(self.store.read(self._grid_name, at))
        if mask is None or not source.complete_mask:
            mask = ~np.isfinite(flux) | (False if mask is None else mask)
            if gaps is not None:
                mask |= gaps
            if ivar is not None:
                mask |= ~(ivar > 0)
            if grid.ndim == 2:
                mask |= disordered(grid, ~mask)[:, None]
        return Spectra(
            flux=flux,
            ivar=ivar,
            mask=mask,
            wavelength_aa=grid,
            unit=self.unit,
            calibrated=self.info.calibrated,
            lsf_aa=float32(self._numbers(source.lsf, at)) if source.lsf else None,
        )
