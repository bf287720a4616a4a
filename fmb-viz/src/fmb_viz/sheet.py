"""What the cards of a page show, gathered by style: a few artists instead of hundreds."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from fmb_viz.lettering import Print, SmallPrint
from fmb_viz.palette import INK

__all__ = ["Fill", "Pen", "Sheet"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Pen:
    """How a line is drawn."""

    colour: str
    width_pt: float
    zorder: float
    dashes: tuple[float, float] | None = None
    """Lengths of a dash and of the gap after it, in widths of the line; None = solid."""
    name: str = ""
    """gid of the artist."""


@dataclass(frozen=True)
class Fill:
    """How an area is filled."""

    colour: str
    zorder: float
    alpha: float = 1.0
    name: str = ""
    """gid of the artist."""


class Sheet:
    """A page in inches from its top left corner, y downwards.

    Args:
        figure: the page.
    """

    def __init__(self, figure: Figure) -> None:
        width, height = figure.get_size_inches()
        self.axes: Axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        self.axes.set_axis_off()
        self.axes.set_xlim(0.0, width)
        self.axes.set_ylim(height, 0.0)
        figure.suppressComposite = True  # else a PDF holds one picture of the size of the page
        self._lines: dict[Pen, list[Array]] = {}
        self._areas: dict[Fill, list[Array]] = {}
        self._prints: dict[tuple[str, str], list[Print]] = {}

    def line(self, points: npt.ArrayLike, pen: Pen) -> None:
        """A line through points (n, 2), broken where they are NaN."""
        self._lines.setdefault(pen, []).append(np.asarray(points, dtype=np.float64))

    def area(self, points: npt.ArrayLike, fill: Fill) -> None:
        """An area with corners (n, 2)."""
        self._areas.setdefault(fill, []).append(np.asarray(points, dtype=np.float64))

    def write(self, one: Print, *, colour: str = INK, halo: str = "") -> None:
        """A short text."""
        self._prints.setdefault((colour, halo), []).append(one)

    def picture(
        self, rgb: Array, box: tuple[float, float, float, float], *, row_0_at_top: bool
    ) -> None:
        """A picture (height, width, 3), uint8, in a box (left, top, width, height)."""
        left, top, width, height = box
        image = AxesImage(
            self.axes,
            extent=(left, left + width, top + height, top),
            origin="upper" if row_0_at_top else "lower",
            interpolation="nearest",
            resample=False,
        )
        image.set_data(rgb)
        image.set_clip_path(self.axes.patch)
        self.axes.add_image(image)

    def finish(self) -> None:
        """Add all that was gathered to the page."""
        for fill, corners in self._areas.items():
            areas = PolyCollection(
                corners,
                facecolors=fill.colour,
                edgecolors="none",
                linewidths=0.0,
                alpha=fill.alpha,
                zorder=fill.zorder,
                antialiaseds=True,
                gid=fill.name or None,
            )
            self.axes.add_collection(areas, autolim=False)
        for pen, lines in self._lines.items():
            drawn = LineCollection(
                lines,
                colors=pen.colour,
                linewidths=pen.width_pt,
                linestyles="solid" if pen.dashes is None else [(0.0, pen.dashes)],
                zorder=pen.zorder,
                antialiaseds=True,
                capstyle="butt",
                joinstyle="round",
                gid=pen.name or None,
            )
            self.axes.add_collection(drawn, autolim=False)
        for (colour, halo), prints in self._prints.items():
            rims = [SmallPrint(prints, colour=halo, halo=halo)] if halo else []
            for text in (*rims, SmallPrint(prints, colour=colour, zorder=4.1)):
                self.axes.add_collection(text, autolim=False)
