"""A figure laid out in inches from its top left corner, with a heading and notes."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.ticker import MaxNLocator

from fmb_viz.palette import GREY, INK, PAPER, VERMILION
from fmb_viz.typeset import font, text_style, wrap

__all__ = [
    "MARGIN_IN",
    "Page",
    "number",
    "pitch_in",
    "round_ticks",
    "set_ticks",
]

MARGIN_IN = 0.3
DPI = 150
"""Of the figure while it is laid out and of what is rasterised in a PDF."""
_TITLE = font(11, bold=True)
_SUBTITLE = font(9)
_NOTE = font(8, bold=True)
_LEGEND = font(7.5)
_LEADING = 1.4
"""Distance of two lines over the size of the type."""


class Page:
    """A white figure with a title, a body of known height and lines of text at its foot.

    Args:
        size_in: width of the figure and height of its body, inches.
        title: set bold; wrapped.
        subtitle: says what is shown; wrapped.
        notes: warnings, set bold at the foot, each starting a line.
        legend: explanations below the notes, each starting a line.
    """

    def __init__(
        self,
        size_in: tuple[float, float],
        *,
        title: str,
        subtitle: str,
        notes: Sequence[str],
        legend: Sequence[str],
    ) -> None:
        self.width_in, body_in = size_in
        head = [*self._block([title], _TITLE, INK), *self._block([subtitle], _SUBTITLE, INK)]
        foot = [*self._block(notes, _NOTE, VERMILION), *self._block(legend, _LEGEND, INK)]
        self.body_top_in = MARGIN_IN + sum(pitch_in(face) for _, face, _ in head) + 0.1
        foot_top_in = self.body_top_in + body_in
        self.height_in = foot_top_in + sum(pitch_in(face) for _, face, _ in foot) + MARGIN_IN
        self.figure = Figure(
            figsize=(self.width_in, self.height_in),
            dpi=DPI,
            facecolor=PAPER,
            edgecolor=PAPER,
            frameon=True,
        )
        self.figure.set_layout_engine("none")
        FigureCanvasAgg(self.figure)
        self.column(MARGIN_IN, MARGIN_IN, head)
        self.column(MARGIN_IN, foot_top_in, foot)

    def _block(
        self, paragraphs: Sequence[str], face: FontProperties, colour: str
    ) -> list[tuple[str, FontProperties, str]]:
        limit = self.width_in - 2 * MARGIN_IN
        return [
            (line, face, colour)
            for paragraph in paragraphs
            for line in wrap(paragraph.split(), limit, face)
        ]

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """An empty panel; all four numbers in inches, `top` counted downwards."""
        panel = self.figure.add_axes(
            (
                left / self.width_in,
                1.0 - (top + height) / self.height_in,
                width / self.width_in,
                height / self.height_in,
            ),
            facecolor=PAPER,
        )
        panel.minorticks_off()
        panel.grid(False)
        panel.set_axisbelow(False)
        for spine in panel.spines.values():
            spine.set_visible(True)
            spine.set_edgecolor(GREY)
            spine.set_linewidth(0.6)
        return panel

    def column(
        self, left: float, top: float, lines: Sequence[tuple[str, FontProperties, str]]
    ) -> float:
        """Write lines (text, font, colour) below each other; gives where the next would start."""
        for text, face, colour in lines:
            self.figure.text(
                left / self.width_in,
                1.0 - top / self.height_in,
                text,
                va="top",
                ha="left",
                **text_style(face, colour),
            )
            top += pitch_in(face)
        return top


def pitch_in(face: FontProperties) -> float:
    """Distance from one line of text to the next, inches."""
    return float(face.get_size_in_points()) * _LEADING / 72.0


def number(value: float) -> str:
    """A number as short as it can be read, with a true minus sign."""
    text = f"{value + 0.0:.6g}" if abs(value) < 1e6 else f"{value:.3g}"  # + 0.0: no minus zero
    return text.replace("-", "\N{MINUS SIGN}")


def round_ticks(low: float, high: float, *, most: int) -> list[float]:
    """Round values between two, with at most so many intervals."""
    values = MaxNLocator(nbins=most, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return [float(value) for value in values if low <= value <= high]


def set_ticks(panel: Axes, which: str, at: Sequence[float] | None = None, *, most: int = 6) -> None:
    """Ticks and numbers of one axis within its present limits, set once and for all.

    Args:
        panel: its limits are set already and stay.
        which: "x" or "y".
        at: where; None = round values.
        most: the greatest number of intervals between round values.
    """
    axis = panel.xaxis if which == "x" else panel.yaxis
    low, high = sorted(panel.get_xlim() if which == "x" else panel.get_ylim())
    chosen = round_ticks(low, high, most=most) if at is None else at
    inside = [float(value) for value in chosen if low <= value <= high]
    axis.set_ticks(inside, labels=[number(v) for v in inside], **text_style(font()))
    panel.tick_params(
        axis="x" if which == "x" else "y",
        which="major",
        length=2.5,
        width=0.6,
        color=GREY,
        direction="out",
        pad=2.0,
        left=True,
        bottom=True,
        right=False,
        top=False,
    )
