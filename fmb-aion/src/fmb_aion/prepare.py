"""From a batch of the survey to what the codecs take; runs in loader workers."""

from dataclasses import dataclass

import numpy as np

from fmb import Array, Batch, Images, Inputs, Spectra
from fmb_aion.adapted import prepare_adapted
from fmb_aion.config import AionConfig
from fmb_aion.images import prepare_images
from fmb_aion.recipes import Recipe, SpectrumCodecSizes
from fmb_aion.spectra import prepare_spectra

__all__ = ["Preparer"]


@dataclass(frozen=True)
class Preparer:
    """Calibrated pixels of the objects of a batch. Pickles; holds no tensors."""

    recipe: Recipe
    codec: SpectrumCodecSizes
    config: AionConfig
    image_source: str | None
    """Instrument that feeds the slot `image`; None = that slot is not fed."""
    spectrum_source: str | None

    def __call__(self, batch: Batch) -> Inputs:
        """Arrays named by upstream's token domain and what they hold, such as "tok_image.flux".

        See `PreparedImages` (flux, bands) and `PreparedSpectra` (flux, ivar, mask, wavelength).
        What the adapter takes is named "adapted"; see `AdaptedImages` (flux, good).

        Raises:
            DataError: an object of the batch lacks an input; unknown bands, units, uncalibrated.
            ShapeError: the images are too small.
        """
        arrays: dict[str, Array] = {}
        reasons: dict[str, list[str]] = {}
        if self.image_source is not None:
            made, reasons["image"] = self._images(batch.whole(self.image_source, Images))
            arrays |= made
        if self.spectrum_source is not None:
            spectra = prepare_spectra(
                batch.whole(self.spectrum_source, Spectra),
                self.recipe.spectrum,
                self.codec,
                self.config.min_coverage,
            )
            for name in ("flux", "ivar", "mask", "wavelength"):
                arrays[f"{self._spectrum_domain()}.{name}"] = getattr(spectra, name)
            reasons["spectrum"] = spectra.reasons
        valid = {slot: np.array([not text for text in told]) for slot, told in reasons.items()}
        return Inputs(arrays=arrays, valid=valid, reasons=reasons)

    def _images(self, images: Images) -> tuple[dict[str, Array], list[str]]:
        adapter, most = self.recipe.adapter, self.config.max_masked
        if adapter is not None and set(adapter.bands) <= set(images.bands):
            adapted = prepare_adapted(images, adapter, most)
            return {"adapted.flux": adapted.flux, "adapted.good": adapted.good}, adapted.reasons
        found = prepare_images(images, self.recipe, most)
        name = found.domain
        return {f"{name}.flux": found.flux, f"{name}.bands": found.bands}, found.reasons

    def _spectrum_domain(self) -> str:
        survey = self.config.spectrum_survey
        if survey == "auto":
            known = self.recipe.spectrum.sdss_instruments
            survey = "sdss" if self.spectrum_source in known else "desi"
        return f"tok_spectrum_{survey}"
