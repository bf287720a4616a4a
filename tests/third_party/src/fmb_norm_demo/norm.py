"""The simplest detector: strange objects are those far from the mean."""

import numpy as np

from fmb import Config

__all__ = ["NormDetector"]


class NormDetector:
    """Distance from the mean, each column in units of its own standard deviation."""

    def __init__(self, config, *, seed, device):
        pass

    def fit(self, x):
        """Take mean and standard deviation of each column; one that never varies counts nothing."""
        self.mean, std = x.values.mean(axis=0, dtype=np.float64), x.values.std(axis=0)
        self.scale = np.divide(1, std, out=np.zeros(len(std)), where=std > 0)

    def score(self, x):
        """Distances, shape (n,), in standard deviations; higher is stranger."""
        return np.linalg.norm((x.values - self.mean) * self.scale, axis=1)

    def details(self, x):
        """The largest distance in one column, in its standard deviations."""
        return {"widest": np.abs((x.values - self.mean) * self.scale).max(axis=1)}

    def save(self, folder):
        """Write the fit to `folder`."""
        np.savez(folder / "norm.npz", mean=self.mean, scale=self.scale)

    @classmethod
    def load(cls, folder):
        """The detector that was saved in `folder`."""
        detector = cls(Config(), seed=0, device="cpu")
        with np.load(folder / "norm.npz") as state:
            detector.mean, detector.scale = state["mean"], state["scale"]
        return detector
