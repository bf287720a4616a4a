"""Names of the axes of a panel of flux by wavelength, and of what it shows."""

from fmb_viz.frame import Frame
from fmb_viz.lettering import Print
from fmb_viz.palette import PAPER
from fmb_viz.sheet import Sheet
from fmb_viz.typeset import font, wrap

__all__ = ["name_axes"]

_LABEL_IN = 1.75
"""Longest label of the flux axis in one line; it may reach beyond the axis."""
_BELOW_IN, _BEFORE_IN = 0.19, 0.04
"""From a panel to the name of the axis below it, and from the numbers to that before them."""


def name_axes(sheet: Sheet, frame: Frame, name: str, flux: str, numbers_in: float) -> None:
    """Write the names around a panel whose ticks are drawn.

    Args:
        sheet: the page.
        frame: of the panel.
        name: printed in the corner.
        flux: name of the axis to the left.
        numbers_in: how far the numbers of that axis reach, inches from the left of the page.
    """
    middle, bottom = frame.left + frame.width / 2.0, frame.top + frame.height
    sheet.write(Print("wavelength (Å)", middle, bottom + _BELOW_IN, across="center"))
    label, left = "\n".join(wrap([flux], _LABEL_IN, font())), numbers_in - _BEFORE_IN
    halfway = frame.top + frame.height / 2.0
    sheet.write(Print(label, left, halfway, "right", "center", upright=False))
    corner = Print(name, frame.left + 0.04, frame.top + 0.04)
    sheet.write(corner, halo=PAPER)
