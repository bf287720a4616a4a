"""Where the panels of a card and the cards of a page go, in inches."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.font_manager import FontProperties

from fmb import Columns, Images, Spectra
from fmb_viz.cards import Card
from fmb_viz.columns_panel import drawable
from fmb_viz.page import MARGIN_IN, pitch_in
from fmb_viz.palette import INK
from fmb_viz.typeset import font, wrap

__all__ = ["Box", "Layout", "card_lines", "plan"]

_PAGE_IN = 18.5
"""Widest page that is made without being asked."""
_IMAGE_IN = 2.0
_SPECTRUM_IN = 3.1
_PHOTOMETRY_IN = 2.0
_LONE_SPECTRUM_IN = 4.2
"""Where a card has no image."""
_AXIS_LEFT_IN = 0.68
"""Numbers and label of the flux axis."""
_AXIS_BELOW_IN = 0.36
_NAMES_IN = 0.5
"""Names of lines above a spectrum."""
_GAP_IN = 0.08
_ACROSS_IN = 0.3
_DOWN_IN = 0.25
_HEADING = font(8.5, bold=True)
_TEXT = font(7.5)
_LABEL = font(7.5, bold=True)


@dataclass(frozen=True)
class Box:
    """A panel of one instrument, seen from the top left corner of its card; inches."""

    instrument: str
    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Layout:
    """The page: equal cards in rows, read like text."""

    boxes: tuple[Box, ...]
    card_in: tuple[float, float]
    """Width and height of a card with its text."""
    columns: int
    rows: int

    @property
    def page_in(self) -> tuple[float, float]:
        """Width of the page and height of all cards."""
        width, height = self.card_in
        across = 2 * MARGIN_IN + self.columns * width + (self.columns - 1) * _ACROSS_IN
        return across, self.rows * (height + _DOWN_IN)

    def corner(self, i: int, first_top: float) -> tuple[float, float]:
        """Left and top of card i, on a page whose first card begins at `first_top`; inches."""
        row, column = divmod(i, self.columns)
        width, height = self.card_in
        return MARGIN_IN + column * (width + _ACROSS_IN), first_top + row * (height + _DOWN_IN)


def card_lines(card: Card, width: float) -> list[tuple[str, FontProperties, str]]:
    """The text of a card, no wider than `width` inches: (line, font, colour)."""
    label = [f"label: {card.label}"] if card.label else []
    return [
        *((line, _HEADING, INK) for line in wrap([card.heading], width, _HEADING)),
        *((line, _TEXT, INK) for line in wrap(card.texts, width, _TEXT, gap="    ")),
        *((line, _LABEL, INK) for line in wrap(label, width, _LABEL)),
    ]


def _curves(
    inputs: Mapping[str, Images | Spectra | Columns], spectrum_in: float
) -> list[tuple[str, float]]:
    """Inputs with a flux axis and the width of each panel: spectra, then photometry."""
    spectra = [name for name, value in inputs.items() if isinstance(value, Spectra)]
    photometry = [n for n, v in inputs.items() if isinstance(v, Columns) and drawable(v)]
    return [*((n, spectrum_in) for n in spectra), *((n, _PHOTOMETRY_IN) for n in photometry)]


def plan(
    chosen: Sequence[Card],
    inputs: Mapping[str, Images | Spectra | Columns],
    *,
    columns: int | None,
    named_lines: bool,
) -> Layout:
    """Images first, then spectra, then photometry, in the order of the survey; one box each.

    Args:
        chosen: the cards; the longest text sets the height of all.
        inputs: what the survey has; columns that are no fluxes in bands have no panel.
        columns: cards side by side; None = as many as fit, in rows of equal length.
        named_lines: leave room for names of lines above the spectra.
    """
    images = [name for name, value in inputs.items() if isinstance(value, Images)]
    size = len(images) * (_IMAGE_IN + _GAP_IN) - _GAP_IN
    curves = _curves(inputs, _SPECTRUM_IN if images else _LONE_SPECTRUM_IN)
    beside = sum(_GAP_IN + _AXIS_LEFT_IN + wide for _, wide in curves)
    width = max(size + beside, _IMAGE_IN)
    lines = [card_lines(card, width) for card in chosen]
    text = max(sum(pitch_in(face) for _, face, _ in block) for block in lines) + 0.06
    boxes = [
        Box(name, i * (_IMAGE_IN + _GAP_IN), text, _IMAGE_IN, _IMAGE_IN)
        for i, name in enumerate(images)
    ]
    above = _NAMES_IN if named_lines else 0.04
    left = size
    for name, wide in curves:
        left += _GAP_IN + _AXIS_LEFT_IN
        boxes.append(Box(name, left, text + above, wide, _IMAGE_IN - above - _AXIS_BELOW_IN))
        left += wide
    if columns is None:
        most = max(1, int((_PAGE_IN - 2 * MARGIN_IN + _ACROSS_IN) / (width + _ACROSS_IN)))
        columns = math.ceil(len(chosen) / math.ceil(len(chosen) / most))
    columns = min(columns, len(chosen))
    return Layout(
        tuple(boxes),
        (width, text + (_IMAGE_IN if boxes else 0.0)),
        columns,
        math.ceil(len(chosen) / columns),
    )
