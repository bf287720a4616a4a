"""Files of one spectrum each that nothing else here reads, by specutils."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from fmb import Array, ConfigError, DataError
from fmb.files import Stated, undamaged

__all__ = ["ObjectSpecutils", "open_object"]

KEPT = 64
"""Spectra that were read last: each array of a batch comes from the same ones."""


class ObjectSpecutils:
    """A spectrum: its arrays are "flux", "wavelength", "ivar" and "mask", (pixels,)."""

    def __init__(self, spectrum: Any, path: Path) -> None:
        self._spectrum, self._path = spectrum, path

    def shape(self, name: str) -> tuple[int, ...]:
        """Of an array."""
        return self.read(name).shape

    def kind(self, name: str) -> "np.dtype[Any]":
        """Type of the numbers as specutils gives them."""
        return self.read(name).dtype

    def stated(self, name: str) -> Stated:
        """The unit that the file tells; none of a mask."""
        flux = self._spectrum.flux.unit
        units = {"flux": flux, "wavelength": self._axis().unit, "ivar": flux**-2}
        unit = units.get(name)
        return Stated("" if unit is None or unit == 1 else str(unit.to_string()))

    def read(self, name: str) -> Array:
        """The array as a whole.

        Raises:
            DataError: the file has none of that name, or no spectrum of one dimension.
        """
        spectrum = self._spectrum
        found: Any = None
        if name == "flux":
            found = spectrum.flux.value
        elif name == "wavelength":
            found = self._axis().value
        elif name == "mask":
            found = spectrum.mask
        elif name == "ivar" and spectrum.uncertainty is not None:
            from astropy.nddata import InverseVariance

            with np.errstate(divide="ignore"):
                found = spectrum.uncertainty.represent_as(InverseVariance).array
        if found is None:
            raise DataError(f"{self._path}: specutils finds no {name!r} in it")
        values = np.asarray(found)
        if values.ndim != 1:
            raise DataError(f"{self._path}: {name!r} has shape {values.shape}: not one spectrum")
        return values.astype(values.dtype.newbyteorder("="))

    def _axis(self) -> Any:
        """The spectral axis where it is a length, else as wavelengths in Angstrom."""
        axis = self._spectrum.spectral_axis
        return axis if axis.unit.physical_type == "length" else self._spectrum.wavelength


@contextmanager
def open_object(path: Path) -> Iterator[ObjectSpecutils]:
    """The spectrum in a file.

    Raises:
        ConfigError: specutils is not installed.
        DataError: the file is missing, damaged, or of no format that specutils knows.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    yield ObjectSpecutils(_read(path, status.st_size, status.st_mtime_ns), path)


@lru_cache(maxsize=KEPT)
def _read(path: Path, size: int, changed_ns: int) -> Any:
    # Imported here: it is an extra, and takes seconds.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from specutils import Spectrum
    except ImportError:
        raise ConfigError(
            "format = 'specutils' needs it: pip install 'fmb-surveys[specutils]'"
        ) from None
    from astropy.io.registry import IORegistryError

    with undamaged(f"{path}: for specutils, it"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return Spectrum.read(str(path))
        except IORegistryError:
            raise DataError(f"{path}: in no format that specutils knows") from None
