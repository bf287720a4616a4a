"""The panels of the score histogram, one above the other on one axis of scores."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from fmb import Array
from fmb_viz.label_kinds import Kind
from fmb_viz.page import set_ticks
from fmb_viz.palette import BLUE, GREY, INK, VERMILION
from fmb_viz.score_scale import ScoreScale
from fmb_viz.typeset import font, shorten, text_style

__all__ = ["NAME_IN", "draw_counts", "draw_ranks", "draw_strips", "name_scores", "share_scores"]

_EMPTY = 0.6
"""Bottom of the logarithmic axis of counts: a bin of one object stands above it."""
NAME_IN = 3.0
"""Longest name of a kind; more is cut, with dots."""
_TICK = 0.38
"""Half the height of a tick, in strips."""
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


def draw_strips(panel: Axes, kinds: Sequence[Kind], n_top: int) -> None:
    """A strip for each kind, the first at the top: a tick for each object, name and numbers beside.

    All strips are one panel with a few artists: a panel each costs as much as all else together.

    Args:
        panel: empty, with the axis of scores.
        kinds: those that have a strip.
        n_top: how many of all objects are marked.
    """
    n = len(kinds)
    middles = n - 0.5 - np.arange(n)
    for name, colour in (("all", BLUE), ("top", VERMILION)):
        members = [kind.score[kind.top == (name == "top")] for kind in kinds]
        height = np.repeat(middles, [len(some) for some in members])
        panel.vlines(
            np.concatenate(members),
            height - _TICK,
            height + _TICK,
            colors=colour,
            linestyles="-",
            linewidth=0.7,
            gid=name,
            alpha=0.8,
        )
    medians = [float(np.median(kind.score)) for kind in kinds]
    panel.plot(medians, middles, color=INK, markersize=4.0, gid="median", **_POINT)
    panel.hlines(
        np.arange(1, n), 0.0, 1.0, colors=GREY, linewidth=0.3, transform=panel.get_yaxis_transform()
    )
    panel.set_ylim(0.0, n)
    panel.set_yticks([])
    for spine in panel.spines.values():
        spine.set_linewidth(0.3)
    beside = panel.get_yaxis_transform()
    for kind, middle in zip(kinds, middles.tolist(), strict=True):
        count = f"{int(kind.top.sum())} of {len(kind.score):,} in top {n_top:,}"
        for at, side, text in (
            (-0.01, "right", shorten(kind.name, NAME_IN, font())),
            (1.01, "left", count),
        ):
            panel.text(
                at, middle, text, ha=side, va="center", transform=beside, **text_style(font())
            )


def _finish_log(panel: Axes, name: str) -> None:
    panel.minorticks_off()
    low, high = sorted(panel.get_ylim())
    set_ticks(panel, "y", at=[10.0**i for i in range(int(np.log10(high)) + 1) if 10.0**i >= low])
    panel.set_ylabel(name, labelpad=3.0, **text_style(font(8)))
