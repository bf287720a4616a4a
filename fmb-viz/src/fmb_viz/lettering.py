"""Small print drawn as shapes: many short texts in one artist, which is what makes a page cheap."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from matplotlib.collections import PathCollection
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.textpath import text_to_path

from fmb_viz.typeset import font, width_in

__all__ = ["Print", "SmallPrint", "lettered"]

Array = npt.NDArray[Any]

_ASCENT, _DESCENT = 0.76, 0.24
"""Of the tallest and the lowest letters of the typeface, over the size of the type."""
_LEADING = 1.25
"""Distance of two lines over the size of the type."""
_ALIGN = {"left": 0.0, "center": 0.5, "right": 1.0}


@dataclass(frozen=True)
class Print:
    """One short text, of one or several lines, and where it stands; inches."""

    text: str
    x: float
    y: float
    """Counted downwards from the top of the page."""
    across: Literal["left", "center", "right"] = "left"
    """Which part of the text stands at `x`."""
    along: Literal["top", "center", "bottom"] = "top"
    """Which part stands at `y`."""
    upright: bool = True
    """False turns it a quarter to the left, to be read from below; `across` is still horizontal."""
    face: FontProperties = field(default_factory=font)


class SmallPrint(PathCollection):
    """Texts in one style.

    Args:
        prints: the texts.
        colour: of the letters.
        halo: colour of a rim that keeps them readable on a picture; "" = none.
        zorder: of matplotlib.
    """

    def __init__(
        self, prints: Sequence[Print], *, colour: str, halo: str = "", zorder: float = 4.0
    ) -> None:
        super().__init__(
            [lettered(one) for one in prints],
            facecolors=halo or colour,
            edgecolors=halo or "none",
            linewidths=1.6 if halo else 0.0,
            antialiaseds=True,
            zorder=zorder,
            joinstyle="round",
        )
        self.texts = [one.text for one in prints]


def lettered(one: Print) -> Path:
    """The outlines of a text at its place on the page, inches, y downwards."""
    face, size = one.face, float(one.face.get_size_in_points()) / 72.0
    lines = one.text.split("\n")
    widths = [width_in(line, face) for line in lines]
    height = size * (_ASCENT + _DESCENT + _LEADING * (len(lines) - 1))
    across, along = _ALIGN[one.across], {"top": 0.0, "center": 0.5, "bottom": 1.0}[one.along]
    if not one.upright:
        across, along = 1.0 - along, across  # of the unturned text: its end is at the top
    vertices: list[Array] = []
    codes: list[Array] = []
    for i, (line, width) in enumerate(zip(lines, widths, strict=True)):
        shape = _outline(line, face)
        start = [-across * width, size * (_ASCENT + _LEADING * i) - along * height]
        vertices.append(np.asarray(shape.vertices) * [size, -size] + start)
        codes.append(np.asarray(shape.codes))
    placed = np.concatenate(vertices)
    if not one.upright:
        placed = np.column_stack([placed[:, 1], -placed[:, 0]])
    return Path(placed + np.array([one.x, one.y]), np.concatenate(codes))


@lru_cache(maxsize=512)
def _outline(line: str, face: FontProperties) -> Path:
    """Outlines of one line from its start on the baseline, in units of the size of the type."""
    vertices, codes = text_to_path.get_text_path(face, line, ismath=False)
    scale = 1.0 / text_to_path.FONT_SCALE
    shape = np.asarray(vertices, dtype=np.float64).reshape(-1, 2) * scale
    return Path(shape, np.asarray(codes, dtype=np.uint8))
