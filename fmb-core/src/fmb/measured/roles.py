"""Roles that are measured on inputs: their names, and the measuring itself."""

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.inputs import Columns, Images, Spectra
from fmb.measured.images import IMAGE_ROLES, measure_images
from fmb.measured.spectra import SPECTRUM_ROLES, measure_spectra

__all__ = ["MEASURED", "REVISION", "measure", "measured_on_kind"]

MEASURED = {
    "sky": "level of the sky: median of the border of the image",
    "noise": "logarithm of the noise of a pixel",
    "light": "logarithm of the light above the sky, or of the level of the spectrum",
    "measured_snr": "logarithm of the signal-to-noise ratio, of the light or of a pixel",
    "masked": "share of pixels that are masked or saturated",
    "off_centre": "distance of the light from the centre of the image, arcsec",
}
"""Role -> what is measured; of images in the first declared band."""
REVISION = 1
"""Raised when a measure of the same input changes."""

_OF_KIND = {"images": IMAGE_ROLES, "spectra": SPECTRUM_ROLES}


def measured_on_kind(kind: str) -> tuple[str, ...]:
    """The roles that are measured on inputs of a kind, as `InputInfo.kind` has it; () = none."""
    return _OF_KIND.get(kind, ())


def measure(data: Images | Spectra | Columns) -> Array:
    """(n, roles), float64: measures of n inputs, a column a role as `measured_on_kind` names.

    NaN where an input does not allow it. `Columns` have no role: they are measured already.
    """
    if isinstance(data, Images):
        return measure_images(data)
    if isinstance(data, Spectra):
        return measure_spectra(data)
    return np.empty((len(data), 0))
