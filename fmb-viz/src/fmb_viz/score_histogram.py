"""All scores of a ranking: the bulk, the tail one by one, and where known objects lie."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fmb import PlotData, ScoreError
from fmb_viz.config import ScoreHistogramConfig
from fmb_viz.label_kinds import Kind, kinds
from fmb_viz.page import MARGIN_IN, Page
from fmb_viz.ranking import ranking
from fmb_viz.score_panels import (
    NAME_IN,
    draw_counts,
    draw_ranks,
    draw_strips,
    name_scores,
    share_scores,
)
from fmb_viz.score_scale import bin_edges, score_scale
from fmb_viz.typeset import font, width_in

__all__ = ["ScoreHistogram"]

_WIDTH_IN = 6.4
_HEIGHT_IN = 1.9
_NUMBERS_IN = 0.55
"""Numbers and name of an axis, left of the panels."""
_COUNT_IN = 1.3
"""How many of a kind are among the strangest, right of the strips."""
_BETWEEN_IN = 0.12
_STRIP_IN = 0.17
_AXIS_IN = 0.5


class ScoreHistogram:
    """Counts of scores, rank against score, and a strip for each kind of labelled object.

    Args:
        config: what is marked.
    """

    def __init__(self, config: ScoreHistogramConfig) -> None:
        self.config = config

    def draw(self, data: PlotData) -> Figure:
        """The scores of all objects that were ranked.

        Args:
            data: a list of a run.

        Raises:
            DataError: the list is empty.
            ScoreError: a score is not finite.
        """
        listed = ranking(data)
        scores = listed.table
        score = scores["score"].to_numpy(dtype=np.float64)
        if not np.isfinite(score).all():
            bad = int(np.sum(~np.isfinite(score)))
            raise ScoreError(f"{bad} of {len(score)} scores are not finite; run the detector again")
        rank = scores["rank"].to_numpy(dtype=np.float64)
        top = rank <= self.config.top_k
        known = kinds(scores, data.run.objects, self.config.top_k) if self.config.labels else []
        shown = known[: self.config.max_kinds]
        left = MARGIN_IN + _left_in(shown)
        page = self._page(data, len(score), shown, known[len(shown) :])
        scale, heights = (
            score_scale(score),
            [_HEIGHT_IN] * 2 + [_STRIP_IN * len(shown)] * bool(shown),
        )
        edges = bin_edges(score, scale)
        limits = scale.widened(float(edges[0]), float(edges[-1]))
        panels: list[Axes] = []
        at = page.body_top_in
        for height in heights:
            panels.append(page.axes(left, at, _WIDTH_IN, height))
            share_scores(panels[-1], scale, limits)
            at += height + (_BETWEEN_IN if height == _HEIGHT_IN else 0.0)
        draw_counts(panels[0], score, top, edges)
        draw_ranks(panels[1], score, top, rank)
        if shown:
            draw_strips(panels[2], shown, min(self.config.top_k, len(score)))
        name_scores(panels[-1], scale, listed.label)
        return page.figure

    def _page(self, data: PlotData, n: int, shown: Sequence[Kind], others: Sequence[Kind]) -> Page:
        marked = min(self.config.top_k, n)
        legend = [f"Orange: the {marked:,} strangest. Bins are equal in width on the axis."]
        if shown:
            legend.append("Strips: each labelled object, by kind; black: the median of the kind.")
        if others:
            objects = sum(len(kind.score) for kind in others)
            legend.append(f"{len(others)} rarer labels ({objects:,} objects) have no strip.")
        width = 2 * MARGIN_IN + _left_in(shown) + _WIDTH_IN + (_COUNT_IN if shown else 0.1)
        height = 2 * (_HEIGHT_IN + _BETWEEN_IN) + len(shown) * _STRIP_IN + _AXIS_IN
        return Page(
            (width, height),
            title=data.title,
            subtitle=f"Scores of n = {n:,} objects",
            notes=[note.text for note in data.notes],
            legend=legend,
        )


def _left_in(shown: Sequence[Kind]) -> float:
    names = [min(NAME_IN, width_in(kind.name, font())) + 0.1 for kind in shown]
    return max([_NUMBERS_IN, *names])
