"""From a batch of the survey to the tokens the network takes; runs in loader workers."""

from dataclasses import dataclass

import numpy as np

from fmb import Array, Batch, Images, Inputs, Spectra
from fmb_astropt.recipes import Recipe
from fmb_astropt.spectra import tokenise_spectra
from fmb_astropt.tokenise import tokenise_images

__all__ = ["Preparer"]


@dataclass(frozen=True)
class Preparer:
    """Tokens of the objects of a batch. Pickles; holds no tensors."""

    recipe: Recipe
    image_source: str | None
    """Instrument that feeds the slot `image`; None = that slot is not fed."""
    spectrum_source: str | None
    min_coverage: float

    def __call__(self, batch: Batch) -> Inputs:
        """Arrays `image` (n, t, numbers), `spectrum` and their masks `image_mask` (n, t), ...

        Rows that are not valid hold NaN.

        Raises:
            DataError: an object of the batch lacks an input, or a band is not there.
            ShapeError: the images are smaller than the weights take.
        """
        arrays: dict[str, Array] = {}
        reasons: dict[str, list[str]] = {}
        if self.image_source is not None and self.recipe.image is not None:
            images = batch.whole(self.image_source, Images)
            made = tokenise_images(images, self.recipe.image)
            arrays |= {"image": made.values, "image_mask": made.mask}
            reasons["image"] = made.reasons
        if self.spectrum_source is not None and self.recipe.spectrum is not None:
            spectra = batch.whole(self.spectrum_source, Spectra)
            cut = tokenise_spectra(spectra, self.recipe.spectrum, self.min_coverage)
            arrays |= {"spectrum": cut.values, "spectrum_mask": cut.mask}
            reasons["spectrum"] = cut.reasons
        valid = {slot: np.array([not text for text in told]) for slot, told in reasons.items()}
        return Inputs(arrays=arrays, valid=valid, reasons=reasons)
