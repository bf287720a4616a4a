"""Links of an object's place to pages about it, as columns of a table."""

from functools import partial

import numpy as np
import pandas as pd

from fmb import Array, DataError
from fmb_surveys.export.exported import Column, Field

__all__ = ["link_columns"]

_ARCSEC = 5
"""Around the place, within which the two databases look."""


def link_columns(objects: pd.DataFrame) -> tuple[dict[str, Column], dict[str, Field]]:
    """A column of addresses for each page; a gap where the place is not known.

    Args:
        objects: with `ra` and `dec`, degrees, ICRS.

    Raises:
        DataError: there are no positions.
    """
    if not {"ra", "dec"} <= set(objects):
        raise DataError("--links needs positions, and this run has none; leave it out")
    ra, dec = (objects[c].to_numpy(dtype=np.float64, na_value=np.nan) for c in ("ra", "dec"))
    columns: dict[str, Column] = {}
    fields = {}
    for name, (about, address) in _PAGES.items():
        columns[name] = partial(_addresses, address, ra, dec)
        fields[name] = Field(about, ucd="meta.ref.url")
    return columns, fields


def _addresses(address: str, ra: Array, dec: Array, rows: Array) -> pd.Series:
    places = zip(ra[rows].tolist(), dec[rows].tolist(), strict=True)
    made = [
        # A plus sign would be read as a blank.
        address.format(ra=f"{x:.7f}", dec=f"{y:+.7f}".replace("+", "%2B"))
        if np.isfinite(x) and np.isfinite(y)
        else None
        for x, y in places
    ]
    return pd.Series(made, dtype=object)


_PAGES = {
    "link_simbad": (
        f"SIMBAD within {_ARCSEC} arcsec",
        "https://simbad.cds.unistra.fr/simbad/sim-coo?Coord={ra}d{dec}d&CooFrame=ICRS"
        f"&Radius={_ARCSEC}&Radius.unit=arcsec",
    ),
    "link_ned": (
        f"NED within {_ARCSEC} arcsec",
        "https://ned.ipac.caltech.edu/cgi-bin/objsearch?search_type=Near%20Position%20Search"
        "&in_csys=Equatorial&in_equinox=J2000.0&lon={ra}d&lat={dec}d"
        f"&radius={_ARCSEC / 60:.4f}",
    ),
    "link_legacy": (
        "Legacy Surveys viewer",
        "https://www.legacysurvey.org/viewer?ra={ra}&dec={dec}&mark={ra}%2C{dec}"
        "&layer=ls-dr10&zoom=16",
    ),
    "link_esasky": (
        "ESASky",
        "https://sky.esa.int/esasky/?target={ra}%20{dec}&cooframe=J2000&fov=0.02",
    ),
}
"""Column -> what it leads to, and the address of a place; encoded but for its two numbers."""
