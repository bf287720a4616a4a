"""Scale and orientation of an image by the WCS of its header."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fmb import DataError

__all__ = ["SkyScale", "sky_scale"]

_ARCSEC = {"": 3600.0, "deg": 3600.0, "arcmin": 60.0, "arcsec": 1.0, "rad": 3600 * 180 / math.pi}
SQUARE = 0.01
"""Sides of a pixel that differ by less than this part of them are alike."""


@dataclass(frozen=True)
class SkyScale:
    """How pixels lie on the sky."""

    arcsec: float
    """Side of a pixel."""
    north_degrees: float
    """From the direction of rising y to north, towards falling x."""
    mirrored: bool
    """True where east is not on the left with north up."""

    @property
    def orientation(self) -> str:
        """In words."""
        up = "up" if abs(self.north_degrees) < 0.5 else f"{self.north_degrees:.0f} degrees from up"
        return f"north {up}, east to the {'right' if self.mirrored else 'left'} of it"


def sky_scale(header: Mapping[str, Any], path: Path) -> SkyScale | None:
    """What a header says; None where it has no WCS of right ascension and declination.

    Args:
        header: of the image.
        path: names it in messages.

    Raises:
        DataError: pixels are no squares, or the WCS makes no sense.
    """
    types = [str(header.get(key, ""))[:4].rstrip("-") for key in ("CTYPE1", "CTYPE2")]
    if types != ["RA", "DEC"] or not any(key in header for key in ("CD1_1", "CD1_2", "CDELT1")):
        return None
    try:
        (a, b), (c, d) = _matrix(header)
    except (TypeError, ValueError, KeyError):
        a = b = c = d = 0.0
    determinant = a * d - b * c
    if not (math.isfinite(determinant) and determinant):
        raise DataError(f"{path}: its WCS makes no sense: a pixel has no area")
    x_side, y_side = math.hypot(a, c), math.hypot(b, d)
    if abs(x_side - y_side) > SQUARE * y_side:
        raise DataError(f'{path}: its pixels are {x_side:g}" by {y_side:g}", no squares')
    # A step to the north is this much in x and in y: the matrix turned round, times (0, 1).
    north = math.degrees(math.atan2(b / determinant, a / determinant))
    return SkyScale(arcsec=y_side, north_degrees=north, mirrored=determinant > 0)


def _matrix(header: Mapping[str, Any]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Arcsec to the east and to the north for a pixel in x and in y.

    Source: Calabretta & Greisen 2002, A&A 395, 1077, eqs. 1 to 3 and 189.
    """
    units = [_ARCSEC[str(header.get(f"CUNIT{axis}", "")).strip().lower()] for axis in (1, 2)]
    if any(f"CD{i}_{j}" in header for i in (1, 2) for j in (1, 2)):
        rows = [[float(header.get(f"CD{i}_{j}", 0)) for j in (1, 2)] for i in (1, 2)]
    else:
        step = [float(header[f"CDELT{axis}"]) for axis in (1, 2)]
        turn = math.radians(float(header.get("CROTA2", 0)))
        ratio = step[1] / step[0]
        cos, sin = math.cos(turn), math.sin(turn)
        turned = {"1_1": cos, "1_2": -sin * ratio, "2_1": sin / ratio, "2_2": cos}
        if any(f"PC{key}" in header for key in turned):
            turned = {"1_1": 1.0, "1_2": 0.0, "2_1": 0.0, "2_2": 1.0}
        rows = [
            [step[i - 1] * float(header.get(f"PC{i}_{j}", turned[f"{i}_{j}"])) for j in (1, 2)]
            for i in (1, 2)
        ]
    east, north = ([unit * value for value in row] for unit, row in zip(units, rows, strict=True))
    return (east[0], east[1]), (north[0], north[1])
