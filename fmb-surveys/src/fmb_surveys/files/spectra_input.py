"""Spectra of a survey as its files hold them, with what is bad masked."""

import numpy as np

from fmb import Array, DataError, InputInfo, ShapeError, Spectra
from fmb.datasets import disordered
from fmb_surveys.files.inputs import Input
from fmb_surveys.files.numbers import float32, meant_numbers
from fmb_surveys.files.survey_toml import SpectraSource
from fmb_surveys.files.units import angstroms, is_unit
from fmb_surveys.files.wavelengths import from_log10, in_vacuum, pixel_widths, refuse_impossible

__all__ = ["SpectraInput"]

SAMPLED_ROWS = 256
"""Rows whose grids tell the wavelength range of a larger survey."""


class SpectraInput(Input[SpectraSource]):
    """Spectra on one grid, or each on its own with the same number of pixels."""

    def _describe(self, shape: tuple[int, ...]) -> InputInfo:
        source, store = self._source, self.store
        if len(shape) != 2:
            raise ShapeError(f"{store.place(source.flux)} has shape {shape}, expected (n, pixels)")
        self._check_shapes(shape, "ivar", "error", "mask", "good", "lsf")
        if source.lsf_unit == "Angstrom":
            self._compare_unit("lsf", "Angstrom", "lsf, which is in Angstrom,")
        self._grid_name = source.wavelength or source.loglam or ""
        self._factor = angstroms(self._wavelength_unit(), store.place(self._grid_name))
        grid = store.shape(self._grid_name)
        if grid not in (shape, shape[1:], (1, *shape[1:])):
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
        grid = grid if self._factor == 1.0 else np.where(grid > 0, grid * self._factor, grid)
        return in_vacuum(grid) if self._source.air else grid

    def _read_shared(self) -> Array:
        stored = self.store.read(self._grid_name, np.arange(self.store.shape(self._grid_name)[0]))
        grid = self._to_aa(stored).reshape(-1)  # an image of one row has an axis of one
        if disordered(grid[None], np.ones((1, len(grid)), dtype=bool)).any():
            raise DataError(
                f"{self.store.place(self._grid_name)}: wavelengths are not positive and ascending;"
                " sort the pixels by wavelength"
            )
        return grid

    def _range(self) -> tuple[float, float] | None:
        grid = self._shared
        # A store may know, and what is padded below zero is in no range.
        known_ends = getattr(self.store, "extremes", lambda name: None)(self._grid_name)
        if (
            grid is None
            and known_ends is not None
            and known_ends[0] > 0
            and not self._source.loglam
        ):
            return float(known_ends[0] * self._factor), float(known_ends[1] * self._factor)
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
        uneven = self._uneven(at)
        if uneven.any():
            mask = mask | uneven[:, None]
        return Spectra(
            flux=flux,
            ivar=ivar,
            mask=mask,
            wavelength_aa=grid,
            unit=self.unit,
            calibrated=self.info.calibrated,
            lsf_aa=self._lsf(at, grid) if source.lsf else None,
        )

    def _uneven(self, at: Array) -> Array:
        """(m,) bool: rows whose flux has another number of pixels than what goes with it."""
        source, uneven = self._source, np.zeros(len(at), dtype=bool)
        lengths = getattr(self.store, "lengths", None)  # files of arrays have none
        if lengths is None:
            return uneven
        pixels = lengths(source.flux, at)
        grid = self._grid_name if self._shared is None else None
        for name in (grid, source.ivar, source.error, source.mask, source.good, source.lsf):
            others = lengths(name, at) if name else None
            if others is not None and pixels is not None:
                uneven |= others != pixels
        return uneven

    def _lsf(self, at: Array, grid: Array) -> Array:
        """(m, pixels) float32, in Angstrom."""
        sigma = self._numbers(self._source.lsf or "", at)
        return float32(sigma * pixel_widths(grid) if self._source.lsf_unit == "pixel" else sigma)
