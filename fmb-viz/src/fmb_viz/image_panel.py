"""One cutout in one panel: the picture, its bands and a bar that tells its scale."""

import math

import numpy as np

from fmb_viz.frame import Frame, corners
from fmb_viz.lettering import Print
from fmb_viz.page import number
from fmb_viz.palette import GREY, INK, PAPER
from fmb_viz.rgb import Picture
from fmb_viz.sheet import Fill, Pen, Sheet
from fmb_viz.typeset import font, wrap

__all__ = ["bar_arcsec", "draw_image", "draw_missing"]

_BAR_FRACTION = 1.0 / 3.0
"""The scale bar is the longest round length up to this part of the width."""
_BAR = (Pen(INK, 3.2, 3.0), Pen(PAPER, 1.8, 3.1, name="scale-bar"))
_NOTHING, _DASHED = Fill("#f4f4f4", 0.0), Pen(GREY, 0.6, 2.5, (4.0, 3.0), "missing")


def bar_arcsec(width_arcsec: float) -> float:
    """Length of the scale bar: the largest of 1, 2, 5 x 10^k up to a third of the width."""
    longest = width_arcsec * _BAR_FRACTION
    decade = 10.0 ** math.floor(math.log10(longest))
    return max(step * decade for step in (1.0, 2.0, 5.0) if step * decade <= longest * (1 + 1e-9))


def draw_missing(sheet: Sheet, frame: Frame, lines: list[str]) -> None:
    """An empty panel that says what is not there."""
    sheet.area(corners(frame.left, frame.top, frame.width, frame.height), _NOTHING)
    frame.edge(sheet, _DASHED)
    middle = frame.left + frame.width / 2.0, frame.top + frame.height / 2.0
    sheet.write(Print("\n".join(lines), *middle, across="center", along="center"))


def draw_image(
    sheet: Sheet,
    frame: Frame,
    shown: Picture,
    *,
    name: str,
    unit: str,
    pixel_scale_arcsec: float,
) -> None:
    """Show a cutout with its instrument, bands and scale.

    Row 0 is at the bottom, as FITS images are kept, but at the top for pictures of unit
    "display".

    Args:
        sheet: the page.
        frame: where there is room for it.
        shown: the picture.
        name: printed in the corner.
        unit: "display" or any flux unit.
        pixel_scale_arcsec: of one pixel; no bar is drawn where it is not positive.
    """
    height, width = shown.no_data.shape
    inch = min(frame.width / width, frame.height / height)  # a pixel is square
    left = frame.left + (frame.width - width * inch) / 2.0
    top = frame.top + (frame.height - height * inch) / 2.0
    box = Frame(left, top, width * inch, height * inch)
    levels = np.rint(shown.rgb * 255.0).astype(np.uint8)
    sheet.picture(levels, (left, top, box.width, box.height), row_0_at_top=unit == "display")
    box.edge(sheet)
    lines = wrap([f"{name}: constant" if shown.constant else name], box.width * 0.92, font())
    corner = left + 0.04 * box.width, top + 0.03 * box.height
    sheet.write(Print("\n".join(lines), *corner), colour=PAPER, halo=INK)
    if math.isfinite(pixel_scale_arcsec) and pixel_scale_arcsec > 0.0:
        _draw_bar(sheet, box, width * pixel_scale_arcsec)


def _draw_bar(sheet: Sheet, box: Frame, width_arcsec: float) -> None:
    length = bar_arcsec(width_arcsec)
    left, bottom = box.left + 0.05 * box.width, box.top + 0.94 * box.height
    for pen in _BAR:
        sheet.line([(left, bottom), (left + length / width_arcsec * box.width, bottom)], pen)
    above = bottom - 0.03 * box.height
    text = Print(f"{number(length)} arcsec", left, above, along="bottom")
    sheet.write(text, colour=PAPER, halo=INK)
