"""Strategies: what looking down one list or another would show, by proxies of what it is.

Nobody knows what an object is before it was looked at. What it is odd in hints at it: odd in one
view only is an artefact as often as not, odd in several is more likely the object itself, and odd
in no view but in how two fit together is a mismatch. Source: the comparison of strategies of the
original Foundation Models Benchmark, whose proxies were cuts on the same percentiles.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from fmb import Array, DataError, ListName, Progress, RunData
from fmb.scoring import percentile, rank
from fmb_analyses.strategies_config import StrategiesConfig

__all__ = ["KINDS", "Strategies", "kinds_of"]

KINDS = ("one_view", "several_views", "mismatch_only", "ordinary")


class Strategies:
    """How many of the first k objects of each list are of which kind, and what lists share."""

    def __init__(self, config: StrategiesConfig, *, seed: int) -> None:
        self.k, self.top = config.looks, config.top

    def analyze(self, runs: Sequence[RunData], progress: Progress) -> dict[str, pd.DataFrame]:
        """Both tables, of every model and embedder that has lists of two views.

        Raises:
            DataError: there is none.
        """
        (run,) = runs
        looks: list[dict[str, object]] = []
        overlaps: list[dict[str, object]] = []
        for names in _by_model(run.lists):
            values = _common({name: run.scores(name) for name in names})
            if len(next(iter(values.values()))) >= self.k:
                kinds = kinds_of({n: v for n, v in values.items() if not n.is_fusion}, self.top)
                looks.extend(_looks(values, kinds, self.k))
                overlaps.extend(_overlaps(values, self.k))
        if not looks:
            raise DataError(
                f"run {run.name!r} has no {self.k:,} objects that are in lists of two views of a"
                " model; take fewer with --set analysis.strategies.looks=K, or a run of two views"
            )
        return {"looks": pd.DataFrame(looks), "overlaps": pd.DataFrame(overlaps)}


def kinds_of(scores: Mapping[ListName, Array], top: float) -> dict[str, Array]:
    """Which kind each object is of.

    Args:
        scores: lists of one view, and of pairs of views, of the same n objects: (n,), higher is
            stranger. Several of one view, or of pairs, count as their mean percentile.
        top: share of the objects that are odd in a view, and in pairs.

    Returns:
        Each of `KINDS` -> (n,), bool; an object is of one of them.
    """
    sides: dict[str, list[Array]] = {}
    for name, values in scores.items():
        side = name.view if len(name.of) == 1 else ""
        sides.setdefault(side, []).append(percentile(rank(values), len(values)))
    odd = {side: _top(np.mean(lists, axis=0), top) for side, lists in sides.items()}
    pairs = odd.pop("", None)
    count = np.sum(list(odd.values()), axis=0)
    mismatch = (count == 0) & (False if pairs is None else pairs)
    return {
        "one_view": count == 1,
        "several_views": count > 1,
        "mismatch_only": mismatch,
        "ordinary": (count == 0) & ~mismatch,
    }


def _top(values: Array, share: float) -> Array:
    return percentile(rank(values), len(values)) > 1 - share


def _by_model(names: Sequence[ListName]) -> Iterator[list[ListName]]:
    """The lists of each model and embedder that has two views, those of joint views left out."""
    groups: dict[tuple[str, str], list[ListName]] = {}
    for name in names:
        groups.setdefault((name.model, name.embedder), []).append(name)
    for group in groups.values():
        fused = [view.view for name in group if len(name.vectors) > 1 for view in name.vectors]
        usual = [n for n in group if len(n.vectors) > 1 or not fused or n.view in fused]
        if len({name.view for name in usual if len(name.vectors) == 1}) > 1:
            yield usual


def _common(tables: Mapping[ListName, pd.DataFrame]) -> dict[ListName, Array]:
    """Minus the rank in each list of the sources that are in all lists of views and pairs.

    One row a source, whose rank all its rows carry; minus infinity where a fusion has left it out.
    """
    judged = [table for name, table in tables.items() if not name.is_fusion]
    common = ~judged[0]["is_repeat"].fillna(True).to_numpy(bool)
    for table in judged:
        common &= table["rank"].notna().to_numpy()
    return {
        name: -table["rank"].fillna(np.inf).to_numpy(float)[common]
        for name, table in tables.items()
    }


def _first(values: Array, k: int) -> Array:
    """The k strangest of those that are in the list, ties in the order of ids."""
    return np.argsort(-values, kind="stable")[: min(k, np.count_nonzero(np.isfinite(values)))]


def _looks(
    values: Mapping[ListName, Array], kinds: Mapping[str, Array], k: int
) -> Iterator[dict[str, object]]:
    for name, scores in values.items():
        seen = _first(scores, k)
        counts = {kind: int(is_kind[seen].sum()) for kind, is_kind in kinds.items()}
        yield {**_called(name), "looks": len(seen), **counts}
    chance = {kind: float(k * is_kind.mean()) for kind, is_kind in kinds.items()}
    yield {**_called(name), "view": "", "detector": "chance", "looks": k, **chance}


def _overlaps(values: Mapping[ListName, Array], k: int) -> Iterator[dict[str, object]]:
    n = len(next(iter(values.values())))
    seen = {name: set(_first(scores, k).tolist()) for name, scores in values.items()}
    for a, b in combinations(values, 2):
        shared = len(seen[a] & seen[b])
        yield {
            "model": a.model,
            "embedder": a.embedder,
            "a": f"{a.detector} {a.view}",
            "b": f"{b.detector} {b.view}",
            "looks": k,
            "shared": shared,
            "jaccard": shared / (len(seen[a] | seen[b]) or 1),
            "chance": len(seen[a]) * len(seen[b]) / n,
        }


def _called(name: ListName) -> dict[str, object]:
    return {
        "model": name.model,
        "embedder": name.embedder,
        "view": name.view,
        "detector": name.detector,
    }
