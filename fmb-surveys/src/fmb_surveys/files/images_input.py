"""Images of a survey as its files hold them, with what is bad masked."""

import math

import numpy as np

from fmb import Array, Images, InputInfo, ShapeError
from fmb_surveys.files.inputs import Input
from fmb_surveys.files.numbers import float32
from fmb_surveys.files.survey_toml import ImagesSource
from fmb_surveys.files.units import has_zero_point

__all__ = ["ImagesInput"]


class ImagesInput(Input[ImagesSource]):
    """Cutouts of one size."""

    def _describe(self, shape: tuple[int, ...]) -> InputInfo:
        source, store, bands = self._source, self.store, len(self._source.bands)
        if not (len(shape) == 4 and shape[1] == bands) and not (len(shape) == 3 and bands == 1):
            raise ShapeError(
                f"{self._place_of_flux} has shape {shape}, expected"
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
            calibrated=has_zero_point(self.unit),
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
            mask = ~(ivar > 0) | (False if mask is None else mask)
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
