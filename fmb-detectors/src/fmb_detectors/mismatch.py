"""Mismatch detector: strange are pairs whose two views do not fit together."""

from pathlib import Path
from typing import Any

import numpy as np

from fmb import Array, DataError, Pairs, build
from fmb_detectors.fit_of_sums import FitOfSums
from fmb_detectors.fitted_pairs import FittedPairs, fit_pairs
from fmb_detectors.mismatch_config import MismatchConfig
from fmb_detectors.pair_sums import SummedPairs
from fmb_detectors.saved import read_fit, write_fit

__all__ = ["MismatchDetector"]

NAME = "mismatch"
NOWHERE = 1e-10
"""Of the length of a vector: one that is nearer to the mean differs from it by rounding."""
NAMED = 5
"""Objects that an error names."""


class MismatchDetector(FitOfSums[FittedPairs]):
    """Minus the log likelihood ratio of "belong together" against "independent", in nats.

    For views of one space, minus the cosine of the two vectors, each about the mean of its view,
    plus 1. Both from sums and a bounded sample, so that the fits of a cross-fit come from one pass
    over a survey. Works on the CPU whatever `device` says.

    Example:
        detector = MismatchDetector(MismatchConfig(), seed=0)
        detector.fit(pairs)
        scores = detector.score(pairs)
    """

    def __init__(self, config: MismatchConfig, *, seed: int, device: str = "cpu") -> None:
        super().__init__()
        self.config = config
        self.seed = seed
        self._cosine = self._aligned = False

    def _make(self, sums: SummedPairs) -> FittedPairs:
        fit, _ = fit_pairs(sums, self.config.variance, self.config.components)
        kind = self.config.kind
        self._cosine = kind == "cosine" or (kind == "auto" and sums.aligned)
        self._aligned = sums.aligned
        return fit

    def score(self, x: Pairs) -> Array:
        """Minus the ratio in nats, or 1 - cosine.

        Args:
            x: n pairs of the widths given to `fit`; float32.

        Returns:
            Shape (n,), float64; higher is stranger; row order of `x`.

        Raises:
            DataError: a vector is that of the mean, so that it has no direction, or the widths of
                the two differ; for the cosine only.
        """
        halves = self._fit.halves(x)
        return self._scores(x, self._fit.ratio.of(halves.u, halves.v))

    def details(self, x: Pairs) -> dict[str, Array]:
        """What else is known of each pair, (n,) float64 a column, in the row order of `x`."""
        return self.score_with_details(x)[1]

    def score_with_details(self, x: Pairs) -> tuple[Array, dict[str, Array]]:
        """Scores and details, for the price of one."""
        fit = self._fit
        halves = fit.halves(x)
        nats = fit.ratio.of(halves.u, halves.v)
        rank, share = fit.places(x, halves, nats, self.config.strangers)
        return self._scores(x, nats), {
            "fit_nats": nats,
            "strange_views": halves.strange_views(fit.bounds),
            "correlations": np.full(len(x), fit.effective),
            "stranger_share": share,
            "partner_rank": rank,
        }

    def report(self) -> dict[str, Any]:
        """Pairs, components and correlations of the fit, the kind of score, and what to know."""
        fit = self._fit
        remarks = fit.remarks()
        if self._cosine and not self._aligned:
            remarks.append("the two views were never put into one space: their cosine means little")
        report = {**fit.report(), "kind": "cosine" if self._cosine else "ratio"}
        return {**report, "note": "; ".join(remarks)} if remarks else report

    def save(self, folder: Path) -> None:
        """Write the fit into `folder`."""
        fit = self._fit
        values = {
            "config": self.config.model_dump(),
            "seed": self.seed,
            "cosine": self._cosine,
            "aligned": self._aligned,
        }
        write_fit(folder, NAME, values, fit.arrays())

    @classmethod
    def load(cls, folder: Path) -> "MismatchDetector":
        """The detector saved in `folder`; its scores are the same.

        Raises:
            StoreError: the folder holds no such fit, or it is damaged.
        """
        values, arrays = read_fit(folder, NAME)
        config = build(MismatchConfig, values["config"], str(folder))
        detector = cls(config, seed=values["seed"])
        detector._made = FittedPairs.from_arrays(arrays)
        detector._cosine, detector._aligned = values["cosine"], values["aligned"]
        return detector

    def _scores(self, x: Pairs, nats: Array) -> Array:
        if not self._cosine:
            return -nats
        if x.a.shape[1] != x.b.shape[1]:
            raise DataError(
                f"{NAME}: vectors of {x.a.shape[1]} and {x.b.shape[1]} numbers have no cosine; say"
                " kind = 'ratio', or leave kind out"
            )
        fit = self._fit.canonical
        a, b = x.a - fit.a.mean, x.b - fit.b.mean
        lengths = np.column_stack([np.linalg.norm(away, axis=1) for away in (a, b)])
        some = lengths > NOWHERE * np.array([one.size for one in (fit.a, fit.b)])
        if not some.all():
            without = x.ids[~some.all(axis=1)]
            named = ", ".join(map(str, without[:NAMED])) + (", ..." if len(without) > NAMED else "")
            raise DataError(
                f"{NAME}: {len(without)} objects ({named}) have a vector like the mean of its view,"
                " which points nowhere; mark them as not valid in this view"
            )
        return np.asarray(1 - np.einsum("ij,ij->i", a, b) / lengths.prod(axis=1))
