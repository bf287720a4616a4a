"""Images and spectra of a survey as its HDF5 datasets hold them, with what is bad masked."""

import math
from typing import Generic, TypeVar

import numpy as np

from fmb import Array, DataError, Images, InputInfo, ShapeError, Spectra
from fmb.datasets import disordered
from fmb_surveys.files.stores import PerObject, Stacked
from fmb_surveys.files.survey_toml import ImagesSource, InputSource, SpectraSource

__all__ = ["ImagesInput", "Input", "SpectraInput"]

SAMPLED_ROWS = 256
"""Rows whose grids tell the wavelength range of a larger survey."""

S = TypeVar("S", bound=InputSource)


class Input(Generic[S]):
    """One input: where it is stored and which row belongs to which object."""

    def __init__(self, source: S, store: Stacked | PerObject, rows: Array) -> None:
        """Check the layout of everything the source names.

        Args:
            source: the table of the survey.toml.
            store: where its datasets are.
            rows: (n,) int64, the stored row of each object, -1 = not observed.
        """
        self._source, self.store, self.rows = source, store, rows
        self.info: InputInfo = self._describe(store.shape(source.flux))

    def _describe(self, shape: tuple[int, ...]) -> InputInfo:
        raise NotImplementedError

    def read(self, rows: Array) -> Images | Spectra:
        """The observations of the objects at `rows`, which must have this input."""
        raise NotImplementedError

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

    def _flux(self, at: Array) -> tuple[Array, Array | None]:
        """Flux (m, ...) float32, and where it holds the value that means "missing"."""
        stored = self.store.read(self._source.flux, at)
        gaps = None if self._source.missing is None else stored == self._source.missing
        scale = self._source.scale
        return _float32(stored if scale == 1.0 else stored * scale), gaps

    def _bad(self, at: Array) -> Array | None:
        """(m, ...) bool, what `mask` or `good` declares."""
        if self._source.mask:
            bad = self.store.read(self._source.mask, at)
            return bad if bad.dtype == bool else np.asarray(bad != 0)
        if self._source.good:
            return np.asarray(self.store.read(self._source.good, at) == 0)
        return None

    def _ivar(self, at: Array) -> Array | None:
        """(m, ...) float32; 0 where an error is not a positive number."""
        if self._source.error:
            error = self.store.read(self._source.error, at).astype(np.float64)
            known = np.isfinite(error) & (error > 0)
            return _float32(np.where(known, 1.0, 0.0) / np.where(known, error, 1.0) ** 2)
        return _float32(self.store.read(self._source.ivar, at)) if self._source.ivar else None


def _float32(values: Array) -> Array:
    # A value beyond float32 becomes infinite, which the quality checks report by object.
    with np.errstate(over="ignore"):
        return values.astype(np.float32, copy=False)


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
        for path in (source.psf_fwhm, source.band_valid):
            if path and math.prod(store.shape(path)) != shape[0] * bands:
                raise ShapeError(
                    f"{store.place(path)} has shape {store.shape(path)},"
                    f" expected ({shape[0]}, {bands})"
                )
        return InputInfo(
            kind="images",
            unit=source.unit,
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
        psf = self.store.read(source.psf_fwhm, at) if source.psf_fwhm else None
        full = (*per_band, *self.info.shape)
        return Images(
            flux=flux.reshape(full),
            bands=source.bands,
            band_valid=band_valid,
            unit=source.unit,
            pixel_scale_arcsec=source.pixel_scale_arcsec,
            ivar=None if ivar is None else ivar.reshape(full),
            mask=None if mask is None else mask.reshape(full),
            psf_fwhm_arcsec=None if psf is None else _float32(psf.reshape(per_band)),
        )


class SpectraInput(Input[SpectraSource]):
    """Spectra on one grid, or each on its own with the same number of pixels."""

    def _describe(self, shape: tuple[int, ...]) -> InputInfo:
        source, store = self._source, self.store
        if len(shape) != 2:
            raise ShapeError(f"{store.place(source.flux)} has shape {shape}, expected (n, pixels)")
        self._check_shapes(shape, "ivar", "error", "mask", "good", "lsf")
        self._grid_name = source.wavelength or source.loglam or ""
        self._factor = _angstroms(source.wavelength_unit)
        grid = store.shape(self._grid_name)
        if grid not in (shape, shape[1:]):
            raise ShapeError(
                f"{store.place(self._grid_name)} has shape {grid}, expected {shape[1:]} or {shape}"
            )
        self._shared = None if grid == shape else self._read_shared()
        return InputInfo(
            kind="spectra",
            unit=source.unit,
            shape=shape[1:],
            wavelength_aa=self._range(),
            calibrated=source.calibrated and source.unit != "counts",
            present=self._present(),
        )

    def _to_aa(self, stored: Array) -> Array:
        grid = stored.astype(np.float64)
        if self._source.loglam:
            grid = 10.0**grid
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
        return (float(known.min()), float(known.max())) if known.size else None

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
            unit=source.unit,
            calibrated=self.info.calibrated,
            lsf_aa=_float32(self.store.read(source.lsf, at)) if source.lsf else None,
        )


def _angstroms(unit: str) -> float:
    if unit == "Angstrom":
        return 1.0
    # Imported here: astropy costs half a second and most surveys are in Angstrom.
    from astropy import units

    try:
        return float(units.Unit(unit).to(units.AA))
    except (ValueError, units.UnitConversionError):
        raise DataError(f"wavelength_unit {unit!r} is not a length") from None
