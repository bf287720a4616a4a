"""Tables `[inputs.NAME]` of a survey.toml for images and spectra."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from fmb import Config
from fmb_surveys.files.columns_source import ColumnsSource
from fmb_surveys.files.units import Unit

__all__ = ["A_BAND_EACH", "AnySource", "ImagesSource", "InputSource", "SpectraSource"]

A_BAND_EACH = ("flux", "ivar", "error", "mask", "good")
"""Keys of images that name one array of all bands, or list an array for each."""


class InputSource(Config):
    """What images and spectra have in common. Every value that names data is an HDF5 path."""

    file: str = ""
    """One HDF5 file whose first axis is the objects; "" = the survey's `file`."""
    files: str = ""
    """A table with the columns `object_id` and the input's name: one file an object.

    Or `NAME.BAND`, one file a band of it.
    """
    format: str = ""
    """What `file`, or each of `files`, is; "" = by its ending."""
    id: str | None = None
    """Dataset of ids in `file`; needed when that is not the catalogue's file."""
    same_order: bool = False
    """True when the rows of another file are those of the catalogue."""
    present: str | tuple[str, ...] | None = None
    """Dataset of booleans: which rows of `file` were observed; of several, any."""
    flux: str
    unit: Unit
    scale: float = 1.0
    """The stored flux is multiplied by it; left out: what the file says of itself, else 1."""
    missing: float | None = None
    """Stored flux value that means "no value"."""
    ivar: str | None = None
    error: str | None = None
    """Standard deviation; ivar = 1/error^2, and error <= 0 means masked."""
    mask: str | None = None
    """True or not 0 = bad."""
    mask_bits: tuple[Annotated[int, Field(ge=0, lt=64)], ...] = ()
    """Bits of `mask` that mean bad, from 0; left out, any."""
    good: str | None = None
    """True or not 0 = good."""

    @model_validator(mode="after")
    def _check_pairs(self) -> "InputSource":
        of_one_file = ("files", "present"), ("files", "id")
        pairs = ("file", "files"), ("ivar", "error"), ("mask", "good"), *of_one_file
        for one, other in pairs:
            if getattr(self, one) and getattr(self, other):
                raise ValueError(f"give {one} or {other}, not both")
        if self.mask_bits and not self.mask:
            raise ValueError("mask_bits are bits of mask: name it too")
        return self


class ImagesSource(InputSource):
    """Table `[inputs.NAME]` with kind = "images"; flux is (n, bands, height, width).

    flux, ivar, error, mask and good may each be a list instead: of every band, in order, an array
    (n, height, width).
    """

    kind: Literal["images"]
    # Wider than what spectra have; the base class reads them once `one_name_each` made them text.
    flux: str | tuple[str, ...]  # type: ignore[assignment]
    ivar: str | tuple[str, ...] | None = None  # type: ignore[assignment]
    error: str | tuple[str, ...] | None = None  # type: ignore[assignment]
    mask: str | tuple[str, ...] | None = None  # type: ignore[assignment]
    good: str | tuple[str, ...] | None = None  # type: ignore[assignment]
    bands: tuple[str, ...] = Field(min_length=1)
    """With one band, flux may be (n, height, width)."""
    band_names: str | None = None
    """Texts (n, bands): which bands a row has, in its order; those of `bands` in other letters."""
    pixel_scale_arcsec: float = Field(gt=0)
    psf_fwhm: str | None = None
    """(n, bands) in arcsec."""
    band_valid: str | None = None
    """(n, bands); without it a band is there when any of its pixels has a value."""

    @model_validator(mode="after")
    def _check_arrays_of_bands(self) -> "ImagesSource":
        for key in A_BAND_EACH:
            arrays = getattr(self, key)
            if isinstance(arrays, tuple) and len(arrays) != len(self.bands):
                raise ValueError(
                    f"{key} lists {len(arrays)} arrays for {len(self.bands)} bands; name an array"
                    " for each band, in their order"
                )
        return self


class SpectraSource(InputSource):
    """Table `[inputs.NAME]` with kind = "spectra"; flux is (n, pixels)."""

    kind: Literal["spectra"]
    wavelength: str | None = None
    """(pixels,) or (1, pixels), the same for all, or (n, pixels)."""
    loglam: str | None = None
    """The same as log10 of the wavelength."""
    wavelength_unit: Unit = "Angstrom"
    air: bool = False
    """True when they are in standard air; vacuum is read."""
    calibrated: bool = True
    lsf: str | None = None
    """(n, pixels): sigma of the line-spread function."""
    lsf_unit: Literal["Angstrom", "pixel"] = "Angstrom"
    pixels: int | None = Field(default=None, gt=0)
    """Of the longest spectrum; shorter ones are padded. Left out, all have as many."""
    complete_mask: bool = False
    """True when `mask` already counts pixels without value, ivar or wavelength."""

    @model_validator(mode="after")
    def _check_grid(self) -> "SpectraSource":
        if (self.wavelength is None) == (self.loglam is None):
            raise ValueError("give either wavelength or loglam")
        return self


AnySource = ImagesSource | SpectraSource | ColumnsSource
