"""Typical detector: suspicious objects are ordinary beyond chance, as blanks and repeats are."""

from pathlib import Path
from typing import Any

import numpy as np

from fmb import Array, Vectors, build
from fmb_detectors.clumps import Clumps, linked, linking_length
from fmb_detectors.compared import Compared
from fmb_detectors.neighbour_config import TypicalConfig
from fmb_detectors.saved import read_fit, write_fit

__all__ = ["TypicalDetector"]

NAME = "typical"

NEAREST = 1e-6
"""Relative: distances below this are those of exact repeats, of vectors of float32."""
NOTABLE = 5
"""A clump of more than these is told of."""


class TypicalDetector:
    """How much nearer the k-th neighbour is than the nearest neighbour of most: high is suspicious.

    score(x) = -log(distance to the k-th nearest / median distance to the nearest + 1e-6). A clump
    is what chains of steps join that are shorter than half the 0.1 % quantile of the distances to
    the nearest neighbour, and to which steps twice as long add little: `fmb_detectors.clumps`.

    What it sees: blank and saturated images, repeats of one object under many ids, simulated or
    copied rows, tight clumps of rare objects: all that a density finds likely.
    What it cannot see: fewer than k + 1 that are alike. It ranks by a distance, so a survey without
    clumps has a first row too: `clump_size` says whether it is one of many.

    In a cross-fit an object is held against the fitted folds only, and joins their clumps: of 100
    that are alike it sees about 80, and each fit numbers its own. In-sample it is not its own
    neighbour. Works on the CPU whatever `device` says.

    Example:
        detector = TypicalDetector(TypicalConfig(), seed=0)
        detector.fit(vectors)
        clump_size = detector.details(vectors)["clump_size"]
    """

    def __init__(self, config: TypicalConfig, *, seed: int, device: str = "cpu") -> None:
        self.config = config
        self._fitted: Compared
        self._median: float
        self._length: float
        self._clumps: Clumps

    def fit(self, x: Vectors) -> None:
        """Find how far neighbours are, and the clumps.

        Raises:
            DataError: there are no more than k; or a vector of zeros has no direction.
        """
        self._fitted = Compared.of(x, self.config, NAME)
        self._median, self._length = linking_length(self._fitted.points)
        self._clumps = linked(self._fitted.points, self._length)

    def score(self, x: Vectors) -> Array:
        """How suspiciously near each object is to others.

        Args:
            x: n vectors of the dimension given to `fit`; values (n, d), float32.

        Returns:
            Shape (n,), float64, in powers of e, at most 13.8; higher is more suspicious; row order
            of `x`.

        Raises:
            DataError: a vector of zeros has no direction.
        """
        return self.score_with_details(x)[0]

    def details(self, x: Vectors) -> dict[str, Array]:
        """Of each object, (n,), float64, in the row order of `x`.

        "nearest": distance to the nearest object, in standard deviations where whitened;
        "clump": number of its clump in this fit, 1 = the largest, 0 = it is in none;
        "clump_size": objects in the clump, itself included; 1 = it is in none.
        """
        return self.score_with_details(x)[1]

    def score_with_details(self, x: Vectors) -> tuple[Array, dict[str, Array]]:
        """Scores and details, for the price of one."""
        near, at, own = self._fitted.nearest(x, self.config.k)
        scores = -np.log(near[:, -1] / self._median + NEAREST)
        # One that was not fitted joins the clump of its nearest neighbour, where that is near.
        new = own < 0
        joins = np.where(new & (near[:, 0] < self._clumps.reach[at[:, 0]]), at[:, 0], own)
        inside = joins >= 0
        number = np.where(inside, self._clumps.number[joins], 0)
        size = np.where(inside, self._clumps.size[joins] + new, 1)
        told = {"nearest": near[:, 0], "clump": number, "clump_size": size}
        nearest = self._fitted.space.distances(near[:, 0])
        return scores, {**{k: v.astype(np.float64) for k, v in told.items()}, "nearest": nearest}

    def report(self) -> dict[str, Any]:
        """Sizes of the fit, the two lengths, and clumps of more than five, which a note tells."""
        many = self._clumps.size > NOTABLE
        told = {
            **self._fitted.report(),
            "median_nearest": self._median,
            "linking_length": self._length,
            "clumps": len(np.unique(self._clumps.number[many])),
            "in_clumps": int(many.sum()),
        }
        if many.any():
            told["note"] = f"clumps of more than {NOTABLE} objects that are all but the same"
        return told

    def save(self, folder: Path) -> None:
        """Write the fit into `folder`."""
        arrays = self._fitted.arrays()
        clumps = self._clumps
        arrays |= {"clump": clumps.number, "clump_size": clumps.size, "reach": clumps.reach}
        values = {"median": self._median, "length": self._length}
        write_fit(folder, NAME, {"config": self.config.model_dump(), **values}, arrays)

    @classmethod
    def load(cls, folder: Path) -> "TypicalDetector":
        """The detector saved in `folder`; its scores are the same to the last bit.

        Raises:
            StoreError: the folder holds no such fit, or it is damaged.
        """
        values, arrays = read_fit(folder, NAME)
        detector = cls(build(TypicalConfig, values["config"], str(folder)), seed=0)
        detector._fitted = Compared.from_arrays(detector.config, arrays)
        detector._median, detector._length = values["median"], values["length"]
        detector._clumps = Clumps(arrays["clump"], arrays["clump_size"], arrays["reach"])
        return detector
