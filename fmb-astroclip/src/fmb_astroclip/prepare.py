"""From a batch of the survey to the arrays the network takes; runs in loader workers."""

from dataclasses import dataclass

import numpy as np

from fmb import Array, Batch, Images, Inputs, Spectra
from fmb_astroclip.images import prepare_images
from fmb_astroclip.recipes import Recipe
from fmb_astroclip.spectra import prepare_spectra

__all__ = ["Preparer"]


@dataclass(frozen=True)
class Preparer:
    """Pictures and fluxes of the objects of a batch. Pickles; holds no tensors."""

    recipe: Recipe
    max_pixels: int
    """Longest spectrum that the network takes."""
    image_source: str | None
    """Instrument that feeds the slot `image`; None = that slot is not fed."""
    spectrum_source: str | None
    min_coverage: float

    def __call__(self, batch: Batch) -> Inputs:
        """Arrays `image` (n, 3, side, side), `spectrum` (n, pixels), `spectrum_pixels` (n,).

        Rows that are not valid hold NaN.

        Raises:
            DataError: an object of the batch lacks an input, a band is not there, or a unit cannot
                be converted.
            ShapeError: images or spectra of a size that the weights do not take.
        """
        arrays: dict[str, Array] = {}
        reasons: dict[str, list[str]] = {}
        if self.image_source is not None:
            images = batch.whole(self.image_source, Images)
            pictures = prepare_images(images, self.recipe.image)
            arrays["image"] = pictures.values
            reasons["image"] = pictures.reasons
        if self.spectrum_source is not None:
            spectra = batch.whole(self.spectrum_source, Spectra)
            fluxes = prepare_spectra(
                spectra,
                self.recipe.spectrum,
                max_pixels=self.max_pixels,
                min_coverage=self.min_coverage,
            )
            arrays |= {"spectrum": fluxes.values, "spectrum_pixels": fluxes.lengths}
            reasons["spectrum"] = fluxes.reasons
        valid = {s: np.array([not text for text in told], bool) for s, told in reasons.items()}
        return Inputs(arrays=arrays, valid=valid, reasons=reasons)
