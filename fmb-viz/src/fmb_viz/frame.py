"""A panel of a page with an axis on two sides: where values stand, in inches."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fmb_viz.lettering import Print
from fmb_viz.page import number, round_ticks
from fmb_viz.palette import GREY
from fmb_viz.sheet import Pen, Sheet
from fmb_viz.typeset import font, width_in

__all__ = ["Frame", "corners"]

Array = npt.NDArray[Any]

_EDGE = Pen(GREY, 0.6, 2.5, name="frame")
_TICK = Pen(GREY, 0.6, 2.6, name="ticks")
_TICK_IN = 2.5 / 72.0
_PAD_IN = 2.0 / 72.0


@dataclass(frozen=True)
class Frame:
    """A box of the page, in inches from its top left corner, and the values at its edges."""

    left: float
    top: float
    width: float
    height: float
    x: tuple[float, float] = (0.0, 1.0)
    """Values at the left and the right edge."""
    y: tuple[float, float] = (0.0, 1.0)
    """Values at the lower and the upper edge."""

    def across(self, x: npt.ArrayLike) -> Array:
        """Where values stand on the page, inches from its left."""
        low, high = self.x
        return self.left + (np.asarray(x, dtype=np.float64) - low) / (high - low) * self.width

    def down(self, y: npt.ArrayLike) -> Array:
        """Where values stand on the page, inches from its top."""
        low, high = self.y
        up = (np.asarray(y, dtype=np.float64) - low) / (high - low)
        return self.top + (1.0 - up) * self.height

    def edge(self, sheet: Sheet, pen: Pen = _EDGE) -> None:
        """Draw its four sides."""
        points = corners(self.left, self.top, self.width, self.height)
        sheet.line([*points, points[0], points[1]], pen)  # once more, so that the corner is joined

    def ticks(self, sheet: Sheet, across: int = 6) -> float:
        """Draw ticks at round values and their numbers, below and to the left.

        Args:
            sheet: the page.
            across: numbers below it at most.

        Returns:
            How far the numbers reach to the left, inches from the left of the page.
        """
        bottom, reach = self.top + self.height, self.left
        for value in round_ticks(*self.x, most=across):
            at = float(self.across(value))
            sheet.line([(at, bottom), (at, bottom + _TICK_IN)], _TICK)
            below = bottom + _TICK_IN + _PAD_IN
            sheet.write(Print(number(value), at, below, across="center"))
        for value in round_ticks(*self.y, most=4):
            at = float(self.down(value))
            sheet.line([(self.left, at), (self.left - _TICK_IN, at)], _TICK)
            before = self.left - _TICK_IN - _PAD_IN
            sheet.write(Print(number(value), before, at, across="right", along="center"))
            reach = min(reach, before - width_in(number(value), font()))
        return reach


def corners(left: float, top: float, width: float, height: float) -> list[tuple[float, float]]:
    """The four corners of a box, in order."""
    right, bottom = left + width, top + height
    return [(left, top), (right, top), (right, bottom), (left, bottom)]
