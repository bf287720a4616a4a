"""Links of an object's place to pages about it, as columns of a table."""

from collections.abc import Callable
from functools import partial
from urllib.parse import quote, urlencode

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


def _addresses(
    address: Callable[[float, float], str], ra: Array, dec: Array, rows: Array
) -> pd.Series:
    places = zip(ra[rows].tolist(), dec[rows].tolist(), strict=True)
    made = [address(*one) if np.isfinite(one).all() else None for one in places]
    return pd.Series(made, dtype=object)


def _query(page: str, **words: str) -> str:
    return f"{page}?{urlencode(words, quote_via=quote)}"


def _simbad(ra: float, dec: float) -> str:
    return _query(
        "https://simbad.cds.unistra.fr/simbad/sim-coo",
        Coord=f"{ra:.7f}d{dec:+.7f}d",
        CooFrame="ICRS",
        Radius=str(_ARCSEC),
        **{"Radius.unit": "arcsec"},
    )


def _ned(ra: float, dec: float) -> str:
    return _query(
        "https://ned.ipac.caltech.edu/cgi-bin/objsearch",
        search_type="Near Position Search",
        in_csys="Equatorial",
        in_equinox="J2000.0",
        lon=f"{ra:.7f}d",
        lat=f"{dec:+.7f}d",
        radius=f"{_ARCSEC / 60:.4f}",
    )


def _legacy(ra: float, dec: float) -> str:
    place = {"ra": f"{ra:.7f}", "dec": f"{dec:.7f}", "mark": f"{ra:.7f},{dec:.7f}"}
    return _query("https://www.legacysurvey.org/viewer", **place, layer="ls-dr10", zoom="16")


def _esasky(ra: float, dec: float) -> str:
    return _query(
        "https://sky.esa.int/esasky/", target=f"{ra:.7f} {dec:+.7f}", cooframe="J2000", fov="0.02"
    )


_PAGES: dict[str, tuple[str, Callable[[float, float], str]]] = {
    "link_simbad": (f"SIMBAD within {_ARCSEC} arcsec", _simbad),
    "link_ned": (f"NED within {_ARCSEC} arcsec", _ned),
    "link_legacy": ("Legacy Surveys viewer", _legacy),
    "link_esasky": ("ESASky", _esasky),
}
