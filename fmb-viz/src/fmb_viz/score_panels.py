"""The panels of the score histogram, one above the other on one axis of scores."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from fmb import Array
from fmb_viz.label_kinds import Kind
from fmb_viz.page import set_ticks
from fmb_viz.palette import BLUE, GREY, INK, VERMILION
from fmb_viz.score_scale import ScoreScale
from fmb_viz.typeset import font, shorten, text_style

__all__ = ["NAME_IN", "draw_counts", "draw_ranks", "draw_strip", "name_scores", "share_scores"]

_EMPTY = 0.6
"""Bottom of the logarithmic axis of counts: a bin of one object stands above it."""
NAME_IN = 3.0
"""Longest name of a kind; more is cut, with dots."""
_POINT: dict[str, Any] = {"linestyle": "", "marker": "o", "markeredgewidth": 0.0}


def share_scores(panel: Axes, scale: ScoreScale, limits: tuple[float, float]) -> None:
    """Give a panel the axis of scores, without numbers."""
    if scale.compressed:
        panel.set_xscale("function", functions=(scale.forward, scale.inverse))
    panel.set_xlim(*limits)
    panel.set_xticks([])


def name_scores(panel: Axes, scale: ScoreScale, score_name: str) -> None:
    """Write the numbers and the name of the axis of scores below the last panel."""
    set_ticks(panel, "x", at=scale.ticks(*panel.get_xlim()) if scale.compressed else None)
    far = "; distances from the bulk are compressed (asinh)" if scale.compressed else ""
    panel.set_xlabel(f"{score_name}: higher is stranger{far}", labelpad=3.0, **text_style(font(8)))


def draw_counts(panel: Axes, score: Array, top: Array, edges: Array) -> None:
    """Objects per bin on a logarithmic axis, the strangest once more in orange.

    Args:
        panel: empty, with the axis of scores.
        score: (n,), float64.
        top: (n,), bool: marked as the strangest.
        edges: (bins + 1,), ascending, covering all scores.
    """
    highest = 1.0
    for members, colour, name in ((score, BLUE, "all"), (score[top], VERMILION, "top")):
        counts, _ = np.histogram(members, edges)
        highest = max(highest, float(counts.max()))
        panel.stairs(
            np.maximum(counts, _EMPTY),
            edges,
            baseline=_EMPTY,
            fill=True,
            facecolor=colour,
            edgecolor=colour,
            linewidth=0.0,
            gid=name,
        )
    panel.set_yscale("log")
    panel.set_ylim(_EMPTY, highest * 1.6)
    _finish_log(panel, "objects per bin")


def draw_ranks(panel: Axes, score: Array, top: Array, rank: Array) -> None:
    """Rank against score on a logarithmic axis with rank 1 at the top: each tail object apart.

    Args:
        panel: empty, with the axis of scores.
        score: (n,), float64.
        top: (n,), bool: marked as the strangest.
        rank: (n,), float64, from 1.
    """
    panel.plot(
        score[~top], rank[~top], color=BLUE, markersize=2.0, rasterized=True, gid="all", **_POINT
    )
    panel.plot(score[top], rank[top], color=VERMILION, markersize=3.6, gid="top", **_POINT)
    panel.set_yscale("log")
    panel.set_ylim(float(rank.max()) * 1.6, 0.6)
    _finish_log(panel, "rank")


def draw_strip(panel: Axes, kind: Kind, n_top: int) -> None:
    """A tick for each object of a kind, with its name and how many are marked."""
    for members, colour, name in (
        (kind.score[~kind.top], BLUE, "all"),
        (kind.score[kind.top], VERMILION, "top"),
    ):
        panel.vlines(
            members, 0.12, 0.88, colors=colour, linestyles="-", linewidth=0.7, gid=name, alpha=0.8
        )
    panel.plot(
        [float(np.median(kind.score))], [0.5], color=INK, markersize=4.0, gid="median", **_POINT
    )
    panel.set_ylim(0.0, 1.0)
    panel.set_yticks([])
    for spine in panel.spines.values():
        spine.set_edgecolor(GREY)
        spine.set_linewidth(0.3)
    for at, side, text in (
        (-0.01, "right", shorten(kind.name, NAME_IN, font())),
        (1.01, "left", f"{int(kind.top.sum())} of {len(kind.score):,} in top {n_top:,}"),
    ):
        panel.text(
            at,
            0.5,
            text,
            ha=side,
            va="center",
            transform=panel.transAxes,
            **text_style(font()),
        )


def _finish_log(panel: Axes, name: str) -> None:
    panel.minorticks_off()
    low, high = sorted(panel.get_ylim())
    set_ticks(panel, "y", at=[10.0**i for i in range(int(np.log10(high)) + 1) if 10.0**i >= low])
    panel.set_ylabel(name, labelpad=3.0, **text_style(font(8)))
