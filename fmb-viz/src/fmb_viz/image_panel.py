"""One cutout in one panel: the picture, its bands and a bar that tells its scale."""

import math
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.patheffects import Normal, withStroke

from fmb_viz.page import PLAIN_LINE, hide_axes, number, panel_width_in
from fmb_viz.palette import GREY, INK, PAPER
from fmb_viz.rgb import Picture
from fmb_viz.typeset import font, text_style, wrap

__all__ = ["bar_arcsec", "draw_image", "draw_missing"]

_BAR_FRACTION = 1.0 / 3.0
"""The scale bar is the longest round length up to this part of the width."""


def bar_arcsec(width_arcsec: float) -> float:
    """Length of the scale bar: the largest of 1, 2, 5 x 10^k up to a third of the width."""
    longest = width_arcsec * _BAR_FRACTION
    decade = 10.0 ** math.floor(math.log10(longest))
    return max(step * decade for step in (1.0, 2.0, 5.0) if step * decade <= longest * (1 + 1e-9))


def draw_missing(panel: Axes, lines: list[str]) -> None:
    """An empty panel that says what is not there."""
    hide_axes(panel)
    panel.set_xlim(0.0, 1.0)
    panel.set_ylim(0.0, 1.0)
    panel.set_facecolor("#f4f4f4")
    for spine in panel.spines.values():
        spine.set_linestyle((0, (4, 3)))
    panel.text(
        0.5,
        0.5,
        "\n".join(lines),
        ha="center",
        va="center",
        **text_style(font(8), INK),
    )


def draw_image(
    panel: Axes, shown: Picture, *, instrument: str, unit: str, pixel_scale_arcsec: float
) -> None:
    """Show a cutout with its instrument, bands and scale.

    Row 0 is at the bottom, as FITS images are kept, but at the top for pictures of unit
    "display".

    Args:
        panel: empty axes.
        shown: the picture.
        instrument: printed in the corner.
        unit: "display" or any flux unit.
        pixel_scale_arcsec: of one pixel; no bar is drawn where it is not positive.
    """
    height, width = shown.no_data.shape
    hide_axes(panel)
    panel.imshow(
        shown.rgb,
        origin="upper" if unit == "display" else "lower",
        interpolation="nearest",
        aspect="equal",
        extent=(0.0, width, height, 0.0) if unit == "display" else (0.0, width, 0.0, height),
    )
    panel.set_facecolor(GREY)
    name = f"{instrument} {'/'.join(shown.bands)}"
    if shown.constant:
        name += ": constant"
    lines = wrap([name], panel_width_in(panel) * 0.92, font())
    _write(panel, (0.04, 0.96), "\n".join(lines), "top")
    if math.isfinite(pixel_scale_arcsec) and pixel_scale_arcsec > 0.0:
        _draw_bar(panel, width * pixel_scale_arcsec)


def _write(
    panel: Axes, at: tuple[float, float], text: str, align: Literal["top", "bottom"]
) -> None:
    panel.text(
        *at,
        text,
        va=align,
        ha="left",
        transform=panel.transAxes,
        path_effects=[withStroke(linewidth=1.6, foreground=INK), Normal()],
        **text_style(font(), PAPER),
    )


def _draw_bar(panel: Axes, width_arcsec: float) -> None:
    length = bar_arcsec(width_arcsec)
    panel.plot(
        [0.05, 0.05 + length / width_arcsec],
        [0.06, 0.06],
        transform=panel.transAxes,
        color=PAPER,
        linewidth=1.8,
        linestyle="-",
        path_effects=[withStroke(linewidth=3.2, foreground=INK), Normal()],
        gid="scale-bar",
        **PLAIN_LINE,
    )
    _write(panel, (0.05, 0.085), f"{number(length)} arcsec", "bottom")
