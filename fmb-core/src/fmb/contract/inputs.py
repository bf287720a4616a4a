"""What a survey holds of its objects: images, spectra, columns, in batches with their ids."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from fmb.contract.arrays import Array, Rows, per_row
from fmb.messages.errors import DataError, ShapeError

__all__ = ["Batch", "Columns", "Images", "InputInfo", "Inputs", "Spectra"]

T = TypeVar("T", "Images", "Spectra", "Columns")


@dataclass(frozen=True, kw_only=True, eq=False)
class Images(Rows):
    """Cutouts of n objects by one instrument, all of one size.

    `unit` is an astropy unit string, or "display" for stretched or 8-bit pictures without a flux
    scale. Row 0 of an image is as stored. An absent band is marked in `band_valid`, not zeroed.
    """

    flux: Array = per_row()
    """(n, bands, height, width), float32, in `unit`; NaN where a pixel has no value."""
    bands: tuple[str, ...]
    band_valid: Array = per_row()
    """(n, bands), bool."""
    unit: str
    pixel_scale_arcsec: float
    ivar: Array | None = per_row(default=None)
    """(n, bands, height, width), float32, in 1/unit^2; 0 = no information."""
    mask: Array | None = per_row(default=None)
    """(n, bands, height, width), bool, True = bad."""
    psf_fwhm_arcsec: Array | None = per_row(default=None)
    """(n, bands), float32."""

    def __post_init__(self) -> None:
        if self.flux.ndim != 4 or self.flux.shape[1] != len(self.bands):
            raise ShapeError(
                f"images have shape {self.flux.shape}, expected"
                f" (n, {len(self.bands)}, height, width) for bands {', '.join(self.bands)}"
            )
        self._require_shape(self.flux.shape, "ivar", "mask")


@dataclass(frozen=True, kw_only=True, eq=False)
class Spectra(Rows):
    """Spectra of n objects by one instrument, all with the same number of pixels."""

    flux: Array = per_row()
    """(n, pixels), float32, in `unit`."""
    ivar: Array | None = per_row(default=None)
    """(n, pixels), float32, in 1/unit^2; 0 = no information; None = the survey gives none."""
    mask: Array = per_row()
    """(n, pixels), bool, True = bad."""
    wavelength_aa: Array
    """(pixels,) shared, or (n, pixels); float64, Angstrom, strictly ascending where good."""
    unit: str
    calibrated: bool = True
    """False when the flux is in counts: its shape still means something, its level does not."""
    lsf_aa: Array | None = per_row(default=None)
    """(n, pixels), float32, sigma of the line-spread function in Angstrom."""

    def __post_init__(self) -> None:
        if self.flux.ndim != 2:
            raise ShapeError(f"spectra have shape {self.flux.shape}, expected (n, pixels)")
        self._require_shape(self.flux.shape, "ivar", "mask", "lsf_aa")
        if self.wavelength_aa.shape not in (self.flux.shape, self.flux.shape[1:]):
            raise ShapeError(
                f"wavelengths have shape {self.wavelength_aa.shape}, flux has {self.flux.shape}"
            )

    def _at(self, rows: Array) -> dict[str, Array]:
        own = {"wavelength_aa": self.wavelength_aa[rows]} if self.wavelength_aa.ndim == 2 else {}
        return {**super()._at(rows), **own}  # a shared grid stays shared

    def wavelengths(self) -> Array:
        """(n, pixels): the grid of each object, whether shared or not (a view, never a copy)."""
        return np.broadcast_to(self.wavelength_aa, self.flux.shape)


@dataclass(frozen=True, kw_only=True, eq=False)
class Columns(Rows):
    """Numbers from the catalogue as a model input: photometry, an SED."""

    values: Array = per_row()
    """(n, columns), float32; NaN where there is none."""
    names: tuple[str, ...]
    units: tuple[str, ...] = ()
    errors: Array | None = per_row(default=None)
    """(n, columns), float32, standard deviations in the same units; NaN where unknown."""
    wavelength_aa: tuple[float, ...] = ()
    """Of the band of each column, Angstrom; () = they are none of bands."""

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.shape[1] != len(self.names):
            raise ShapeError(
                f"columns have shape {self.values.shape}, expected (n, {len(self.names)}) for"
                f" {', '.join(self.names)}"
            )
        self._require_shape(self.values.shape, "errors")


@dataclass(frozen=True, kw_only=True)
class InputInfo:
    """What a dataset says of one of its inputs, before any pixel is read."""

    kind: str
    """"images", "spectra" or "columns"."""
    unit: str
    """Of the flux; of columns in several units ""."""
    bands: tuple[str, ...] = ()
    """Of images; of columns their names."""
    shape: tuple[int, ...] = ()
    """(height, width), (pixels,) or (columns,)."""
    pixel_scale_arcsec: float | None = None
    wavelength_aa: tuple[float, float] | None = None
    calibrated: bool = True
    present: Array | None = None
    """(n,), bool: which objects have this input; None = all."""
    origin: Array | None = None
    """(n,), uint64: where an object's input is; another when the file, or how it is read, changes.

    Known without reading any pixel. None = it cannot be said."""

    def have(self, n: int) -> Array:
        """(n,), bool: which of the survey's n objects have this input."""
        return np.ones(n, dtype=bool) if self.present is None else self.present

    def take(self, rows: Array) -> "InputInfo":
        """The same of the objects at `rows`."""
        return replace(
            self,
            present=None if self.present is None else self.present[rows],
            origin=None if self.origin is None else self.origin[rows],
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """Some objects of a survey with what was observed of them.

    `inputs[name]` holds the rows that exist only; `rows[name]` tells which objects of `ids` they
    belong to, so nothing stands in for what is missing.
    """

    ids: Array
    """(n,), int64, uint64 or str."""
    inputs: Mapping[str, Images | Spectra | Columns]
    rows: Mapping[str, Array]
    """Instrument -> (present,) int64, ascending positions into `ids`."""

    def __len__(self) -> int:
        return len(self.ids)

    def whole(self, name: str, kind: type[T]) -> T:
        """The input `name` of a batch whose objects all have it, as a model is given them.

        Raises:
            DataError: there is no such input, it is of another kind, or some objects lack it.
        """
        found = self.inputs.get(name)
        if not isinstance(found, kind):
            told = "no such input" if found is None else f"a {type(found).__name__}"
            raise DataError(f"input {name!r}: expected {kind.__name__}, the batch has {told}")
        if len(found) != len(self):
            raise DataError(
                f"input {name!r} is there for {len(found)} of {len(self)} objects of a batch;"
                " group the objects by the inputs they have"
            )
        return found

    def take(self, rows: npt.ArrayLike) -> "Batch":
        """The objects at `rows` (without repeats), in that order, with the inputs they have."""
        chosen = np.arange(len(self.ids))[np.asarray(rows)]
        inputs: dict[str, Images | Spectra | Columns] = {}
        kept: dict[str, Array] = {}
        for name, have in self.rows.items():
            at = np.full(len(self.ids), -1)
            at[have] = np.arange(len(have))
            position = at[chosen]
            inputs[name] = self.inputs[name].take(position[position >= 0])
            kept[name] = np.flatnonzero(position >= 0)
        return Batch(ids=self.ids[chosen], inputs=inputs, rows=kept)


@dataclass(frozen=True, kw_only=True, eq=False)
class Inputs:
    """What a model's preparer hands to `encode`: arrays of n objects, without weights."""

    arrays: Mapping[str, Any]
    """Name -> array or tensor whose first axis is the objects."""
    valid: Mapping[str, Array]
    """Slot -> (n,) bool: False where the data are there but unusable for this model."""
    reasons: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Slot -> n texts: why an object is not valid in that slot, "" where it is."""

    def take(self, rows: Array) -> "Inputs":
        """The same inputs for the objects at `rows`."""
        return Inputs(
            arrays={k: v[rows] for k, v in self.arrays.items()},
            valid={k: v[rows] for k, v in self.valid.items()},
            reasons={k: np.array(v, object)[rows].tolist() for k, v in self.reasons.items()},
        )
