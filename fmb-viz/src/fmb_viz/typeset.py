"""Text whose look does not depend on the user's matplotlib settings, and how wide it is."""

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from fmb_viz.palette import INK

__all__ = ["SMALLEST_PT", "font", "shorten", "text_style", "unit_text", "width_in", "wrap"]

SMALLEST_PT = 7.0
"""No text of a figure is smaller."""
_HINTING = 1.03
"""Letters fitted to the pixels of a screen are up to this much wider than their outlines."""
_ROUNDING_IN = 1e-9
"""Of a sum of widths."""
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def font(size_pt: float = SMALLEST_PT, *, bold: bool = False) -> FontProperties:
    """The typeface of all figures, which comes with matplotlib."""
    return FontProperties(
        family="DejaVu Sans",
        style="normal",
        variant="normal",
        weight="bold" if bold else "normal",
        stretch="normal",
        size=size_pt,
    )


def text_style(face: FontProperties, colour: str = INK) -> dict[str, Any]:
    """Keywords for a matplotlib text that prints its characters as they are.

    An id or a label may hold "$" and "_"; neither TeX nor mathtext may read them.
    """
    return {"fontproperties": face, "color": colour, "usetex": False, "parse_math": False}


def unit_text(unit: str) -> str:
    """A unit as it is printed: "1e-17 erg / (Angstrom s cm2)" becomes "10⁻¹⁷ erg / (Å s cm²)"."""
    text = re.sub(
        r"\b(?:1e|10\*\*)([+-]?)0*(\d+)", lambda m: "10" + _raised(m[1].strip("+") + m[2]), unit
    )
    text = re.sub(r"\b(Angstrom|AA)(?![A-Za-z])", "Å", text)
    return re.sub(r"(?<=[A-Za-zÅ])(?:\*\*|\^)?(-?\d+)\b", lambda m: _raised(m[1]), text)


def _raised(digits: str) -> str:
    return digits.translate(_SUPERSCRIPT)


@lru_cache(maxsize=8192)
def width_in(text: str, face: FontProperties) -> float:
    """Width of one line of text, in inches."""
    width_pt, _, _ = text_to_path.get_text_width_height_descent(text, face, False)
    return float(width_pt) / 72.0 * _HINTING


def shorten(text: str, limit_in: float, face: FontProperties) -> str:
    """The text, or as much of its beginning as fits with "…" for the rest."""
    if width_in(text, face) <= limit_in:
        return text
    lengths = range(len(text))
    fits = bisect_right(lengths, limit_in, key=lambda n: width_in(text[:n] + "…", face))
    return text[: max(0, fits - 1)] + "…"


def wrap(pieces: Sequence[str], limit_in: float, face: FontProperties, gap: str = " ") -> list[str]:
    """Lines no wider than `limit_in`, with every character of `pieces` in its order.

    Args:
        pieces: kept whole where they fit a line; broken at spaces, then anywhere, where not.
        limit_in: width of a line, inches.
        face: the font.
        gap: stands between two pieces of one line.
    """
    lines: list[str] = []
    current, reached = "", 0.0
    # Nothing is kerned at a space, so widths add up: each word is measured, not each longer line.
    between = width_in(gap, face)
    for piece in _fitting(pieces, limit_in, face):
        longer = reached + between + width_in(piece, face)
        if current and longer > limit_in + _ROUNDING_IN:
            lines.append(current)
            current = ""
        reached = longer if current else width_in(piece, face)
        current = f"{current}{gap}{piece}" if current else piece
    return [*lines, current] if current else lines


def _fitting(pieces: Sequence[str], limit_in: float, face: FontProperties) -> list[str]:
    fitting: list[str] = []
    for piece in pieces:
        if not piece or width_in(piece, face) <= limit_in:
            fitting.append(piece)
        elif " " in piece:
            fitting.extend(wrap(piece.split(), limit_in, face))
        else:
            fitting.extend(_broken(piece, limit_in, face))
    return fitting


_BREAKS = re.compile(r"[_/:,]|-(?!\d)|(?=[+-]\d)")
"""Where a word may end: after punctuation, and before a sign, which belongs to its number."""


def _broken(word: str, limit_in: float, face: FontProperties) -> list[str]:
    parts = []
    while width_in(word, face) > limit_in and len(word) > 1:
        fits = max(1, bisect_right(range(1, len(word) + 1), limit_in, key=_width_of(word, face)))
        # An id is easier to read when it breaks at its own punctuation.
        at = max(
            (m.end() for m in _BREAKS.finditer(word, 0, fits + 1) if m.end() <= fits), default=0
        )
        at = at if at > fits // 2 else fits
        parts.append(word[:at])
        word = word[at:]
    return [*parts, word]


def _width_of(word: str, face: FontProperties) -> Callable[[int], float]:
    return lambda n: width_in(word[:n], face)
