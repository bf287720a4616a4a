"""The simplest detector: strange objects are those far from the mean."""

from pathlib import Path

import numpy as np

from fmb import Config, Vectors
from fmb.contract.errors import DataError, NotFittedError, ShapeError

__all__ = ["NormDetector"]


class NormDetector:
    """Distance from the mean, each column in units of its own standard deviation."""

    def __init__(self, config: Config, *, seed: int, device: str) -> None:
        self.mean: np.ndarray | None = None

    def fit(self, x: Vectors) -> None:
        """Take mean and standard deviation of each column; columns that never vary are left out."""
        values = self._checked(x)
        mean, std = values.mean(axis=0), values.std(axis=0)
        if not (std > 0).any():
            raise DataError(f"norm: all {len(x)} vectors are equal, none is strange; check them")
        self.mean = mean
        self.scale = np.where(std > 0, 1 / np.where(std > 0, std, 1), 0)

    def score(self, x: Vectors) -> np.ndarray:
        """Distances, shape (n,), float64, in standard deviations; higher is stranger.

        Raises:
            NotFittedError: before `fit`.
            ShapeError: the vectors have another width than the fitted ones.
            DataError: a value is not finite.
        """
        if self.mean is None:
            raise NotFittedError("norm: fit the detector before asking it for scores")
        values = self._checked(x)
        if values.shape[1] != len(self.mean):
            raise ShapeError(f"norm was fitted on d={len(self.mean)}, got d={values.shape[1]}")
        return np.sqrt((((values - self.mean) * self.scale) ** 2).sum(axis=1))

    def save(self, folder: Path) -> None:
        """Write the fit to `folder`."""
        np.savez(folder / "norm.npz", mean=self.mean, scale=self.scale)

    @classmethod
    def load(cls, folder: Path) -> "NormDetector":
        """The detector that was saved in `folder`."""
        detector = cls(Config(), seed=0, device="cpu")
        with np.load(folder / "norm.npz", allow_pickle=False) as state:
            detector.mean, detector.scale = state["mean"], state["scale"]
        return detector

    @staticmethod
    def _checked(x: Vectors) -> np.ndarray:
        if not np.isfinite(x.values).all():
            raise DataError("norm: some vectors hold values that are not finite; leave them out")
        return x.values.astype(np.float64)
