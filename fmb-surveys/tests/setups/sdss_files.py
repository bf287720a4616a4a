"""Small SDSS spectra: what a spec-*.fits needs to be read, and no more."""

from pathlib import Path

import numpy as np
from astropy.io import fits

__all__ = ["FIRST_ID", "write_spectrum"]

FIRST_ID = 299535582055393280
"""SPECOBJID of the fiber 0."""


def write_spectrum(folder: Path, fiber: int, specobjid: str = "22A") -> Path:
    """One spec-*.fits of 40 pixels of flux `fiber`; specobjid: the FITS format of its id."""
    n = 40
    coadd = {"flux": np.full(n, fiber * 1.0), "loglam": 3.58 + 1e-4 * np.arange(n)}
    coadd |= {"ivar": np.ones(n), "and_mask": np.zeros(n)}
    columns = [
        fits.Column(name, "J" if name == "and_mask" else "E", array=values)
        for name, values in coadd.items()
    ]
    ident = FIRST_ID + fiber
    cell = np.array([str(ident) if specobjid.endswith("A") else ident])
    cells = [fits.Column("SPECOBJID", specobjid, array=cell)]
    named = {"PLATE": 266, "MJD": 51630, "FIBERID": fiber}
    cells += [fits.Column(name, "J", array=np.array([value])) for name, value in named.items()]
    primary = fits.PrimaryHDU()
    primary.header["BUNIT"], primary.header["VACUUM"] = "1E-17 erg/cm^2/s/Ang", True
    hdus = [
        primary,
        fits.BinTableHDU.from_columns(columns, name="COADD"),
        fits.BinTableHDU.from_columns(cells, name="SPECOBJ"),
    ]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"spec-0266-51630-{fiber:04d}.fits"
    fits.HDUList(hdus).writeto(path)
    return path
