"""Critic of pairs: boosted trees that tell true pairs from pairs of strangers."""

from pathlib import Path
from typing import Any

import numpy as np

from fmb import Array, DataError, Pairs, build
from fmb_detectors.fit_of_sums import FitOfSums
from fmb_detectors.fitted_pairs import FittedPairs, Known, fit_pairs
from fmb_detectors.mismatch_config import CriticConfig
from fmb_detectors.pair_sums import SummedPairs
from fmb_detectors.ratio import Halves, Ratio
from fmb_detectors.saved import read_fit, write_fit
from fmb_detectors.strangers import Alike
from fmb_detectors.trees import Trees

__all__ = ["CriticDetector"]

NAME = "mismatch-critic"
TERMS, VARIATES = 12, 8
"""Correlations whose terms and variates it sees one by one; what others add is in the sum."""
ALIKE, ANYBODY = 4, 2
"""Strangers a pair is shown beside, alike in the catalogue and drawn from all."""
AMONG = 40
"""One of so many of the pairs of an inner fold counts as alike, at least `ALIKE`."""
FEWEST = 100
"""Fitted pairs; with fewer there is nothing to learn from."""


class CriticDetector(FitOfSums[tuple[FittedPairs, Trees]]):
    """Minus the log odds that two halves are a pair and not of strangers.

    Trained on what `mismatch` computes: what each correlation adds to the ratio, their sum, the
    first canonical variates, and how far each half lies from the mean of its view. Training pairs
    are of the sample that the sums keep, each seen by directions of inner folds that it is not in,
    so that what they show is what new pairs show. Works on the CPU whatever `device` says.
    """

    def __init__(self, config: CriticConfig, *, seed: int, device: str = "cpu") -> None:
        super().__init__()
        self.config = config
        self.seed = seed

    def _make(self, sums: SummedPairs) -> tuple[FittedPairs, Trees]:
        fit, known = fit_pairs(sums, self.config.variance, self.config.components)
        if fit.canonical.n < FEWEST:
            raise DataError(
                f"{NAME}: {fit.canonical.n} fitted pairs are too few to learn from, it takes"
                f" {FEWEST}; mismatch does with fewer"
            )
        drawn = np.random.default_rng(self.seed)
        x, y = _lesson(fit.ratio, known, self.config.pairs, drawn)
        return fit, Trees.trained(x, y, self.config.trees, self.seed % 2**32)

    def score(self, x: Pairs) -> Array:
        """Minus the log odds, (n,), float64; higher is stranger; row order of `x`."""
        return self.score_with_details(x)[0]

    def details(self, x: Pairs) -> dict[str, Array]:
        """What else is known of each pair, (n,) float64 a column, in the row order of `x`."""
        return self.score_with_details(x)[1]

    def score_with_details(self, x: Pairs) -> tuple[Array, dict[str, Array]]:
        """Scores and details, for the price of one."""
        fit, trees = self._fit
        halves = fit.halves(x)
        told = {
            "fit_nats": fit.ratio.of(halves.u, halves.v),
            "strange_views": halves.strange_views(fit.bounds),
        }
        return -trees.logit(_shown(fit.ratio, halves)), told

    def report(self) -> dict[str, Any]:
        """Pairs, components and correlations of the fit, and what to know."""
        fit, _ = self._fit
        remarks = fit.remarks()[:1] if not fit.canonical.confirmed else []
        return {**fit.report(), **({"note": remarks[0]} if remarks else {})}

    def save(self, folder: Path) -> None:
        """Write the fit into `folder`."""
        fit, trees = self._fit
        nodes = {f"trees.{name}": array for name, array in vars(trees).items()}
        values = {"config": self.config.model_dump(), "seed": self.seed}
        write_fit(folder, NAME, values, {**fit.arrays(), **nodes})

    @classmethod
    def load(cls, folder: Path) -> "CriticDetector":
        """The detector saved in `folder`; its scores are the same.

        Raises:
            StoreError: the folder holds no such fit, or it is damaged.
        """
        values, arrays = read_fit(folder, NAME)
        config = build(CriticConfig, values["config"], str(folder))
        detector = cls(config, seed=values["seed"])
        own = {name: array for name, array in arrays.items() if name.startswith("trees.")}
        trees = Trees(**{name.removeprefix("trees."): array for name, array in own.items()})
        detector._made = FittedPairs.from_arrays(arrays), trees
        return detector


def _shown(ratio: Ratio, halves: Halves) -> Array:
    """What the trees see of pairs: (n, p), float64."""
    terms, variates = ratio.terms(halves.u, halves.v), min(VARIATES, len(ratio.rho))
    u, v = halves.u[:, :variates], halves.v[:, :variates]
    several = (terms[:, :TERMS], terms.sum(axis=1), np.log1p(halves.away), np.abs(u - v), u, v)
    return np.column_stack(several)


def _lesson(
    ratio: Ratio, known: Known, most: int, drawn: np.random.Generator
) -> tuple[Array, Array]:
    """What the trees are shown, (n, p), and if it is a pair, (n,), bool.

    Strangers are of the same inner fold, so that directions have seen neither half.
    """
    folds = int(known.inner.max()) + 1
    firsts, seconds = [], []
    for i in range(folds):
        here = np.flatnonzero(known.inner == i)[: -(-most // folds)]
        rows = np.arange(len(here))
        columns = {role: values[here] for role, values in known.sample.columns.items()}
        strangers = _strangers(Alike(columns), drawn)
        firsts += [here, here[np.repeat(rows, strangers.shape[1])]]
        seconds += [here, here[strangers.ravel()]]
    a, b = np.concatenate(firsts), np.concatenate(seconds)
    halves = known.halves
    away = np.column_stack([halves.away[a, 0], halves.away[b, 1]])
    return _shown(ratio, Halves(halves.u[a], halves.v[b], away)), a == b


def _strangers(alike: Alike, drawn: np.random.Generator) -> Array:
    """(m, up to 6), int64: for each of m pairs others, four alike and two drawn from all."""
    distance = alike.distances(alike.columns)
    m = len(distance)
    np.fill_diagonal(distance, np.inf)
    near = min(max(ALIKE, m // AMONG), m - 1)
    nearest = np.argsort(distance, axis=1, kind="stable")[:, :near]
    some = drawn.permuted(nearest, axis=1)[:, :ALIKE]
    any_other = (np.arange(m)[:, None] + drawn.integers(1, m, size=(m, ANYBODY))) % m
    return np.column_stack([some, any_other])
