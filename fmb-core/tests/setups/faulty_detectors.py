"""A sound detector, and others that are like it but for one fault each."""

import ctypes
import random
from pathlib import Path

import numpy as np
import pytest

from fmb.contract.detector import DetectorSpec
from fmb.contract.vectors import Vectors


def spec(**changes):
    sound = {"name": "sound", "summary": "S", "target": "tests:Sound"}
    return DetectorSpec(**{**sound, "details": {"widest": "sigma"}, **changes})


class Sound:
    """Distance from the mean in standard deviations; each fault below changes one thing.

    It looks at nothing that the core sees to.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, x: Vectors) -> None:
        self.mean, self.std = x.values.mean(axis=0, dtype=np.float64), x.values.std(axis=0)

    def score(self, x: Vectors) -> np.ndarray:
        return np.sqrt(np.sum(((x.values - self.mean) / self.std) ** 2, axis=1))

    def save(self, folder: Path) -> None:
        np.savez(folder / "state.npz", mean=self.mean, std=self.std)

    @classmethod
    def load(cls, folder: Path) -> "Sound":
        detector = cls()
        with np.load(folder / "state.npz", allow_pickle=False) as state:
            detector.mean, detector.std = state["mean"], state["std"]
        return detector


class Upended(Sound):
    def score(self, x):
        return -super().score(x)


class Unseeded(Sound):
    def fit(self, x):
        super().fit(x)
        self.mean = self.mean + np.random.default_rng().normal(size=self.mean.shape)


class SeededByTheWorld(Sound):
    def fit(self, x):
        super().fit(x)
        self.mean = self.mean + np.random.default_rng(random.getstate()[1][1]).normal()


class Positional(Sound):
    def score(self, x):
        return super().score(x) + 0.1 * np.arange(len(x))


class Relative(Sound):
    def score(self, x):
        score = super().score(x)
        return score - 0.1 * score.mean()


class InPlace(Sound):
    def score(self, x):
        score = super().score(x)
        x.values[:] -= self.mean.astype(np.float32)
        return score


class InPlaceByForce(Sound):
    def fit(self, x):
        super().fit(x)
        ctypes.memset(x.values.ctypes.data, 0, 4)


class Reordering(Sound):
    def fit(self, x):
        super().fit(x)
        if x.ids.flags.writeable:
            x.ids.sort()
        else:
            ctypes.memset(x.ids.ctypes.data, 1, 8)


class Forgetful(Sound):
    def save(self, folder):
        np.savez(folder / "state.npz", mean=self.mean, std=np.ones_like(self.std))


class Coarse(Sound):
    def save(self, folder):
        np.savez(folder / "state.npz", mean=self.mean.astype(np.float16), std=self.std)


class Single(Sound):
    def score(self, x):
        return super().score(x).astype(np.float32)


class Column(Sound):
    def score(self, x):
        return super().score(x)[:, None]


class Listing(Sound):
    def score(self, x):
        return list(super().score(x))


class Overflowing(Sound):
    def score(self, x):
        score = super().score(x)
        return np.where(score > 20, np.inf, score)


class Binary(Sound):
    def score(self, x):
        return (super().score(x) > 20).astype(np.float64)


class Seeding(Sound):
    def fit(self, x):
        super().fit(x)
        np.random.seed(self.seed)  # noqa: NPY002, the fault


class Advancing(Sound):
    def score(self, x):
        random.random()
        return super().score(x)


class SeedingTorch(Sound):
    def fit(self, x):
        super().fit(x)
        pytest.importorskip("torch").manual_seed(self.seed)


class WithDetails(Sound):
    def details(self, x):
        return {"widest": np.abs((x.values - self.mean) / self.std).max(axis=1)}


class DetailsInPlace(WithDetails):
    def details(self, x):
        x.values[:] = 0.0
        return super().details(x)


class ShortDetails(WithDetails):
    def details(self, x):
        return {"widest": super().details(x)["widest"][1:]}


class SingleDetails(WithDetails):
    def details(self, x):
        return {"widest": super().details(x)["widest"].astype(np.float32)}


class TableDetails(WithDetails):
    def details(self, x):
        return [super().details(x)]


class EndlessDetails(WithDetails):
    def details(self, x):
        return {"widest": super().details(x)["widest"] * np.inf}


class OtherDetails(WithDetails):
    spec = spec()

    def details(self, x):
        return {"width": super().details(x)["widest"]}


class NoDetails(Sound):
    spec = spec()


class UncalledDetails(WithDetails):
    spec = spec(details={})


class NeedsAFullFolder(Sound):
    def save(self, folder):
        (folder / "made by the core").read_bytes()


class UnprintableReport(Sound):
    def report(self):
        return {"mean": self.mean}


class EndlessReport(Sound):
    def report(self):
        return {"loss": float("nan")}


class Fleeting(Sound):
    def save(self, folder):
        raise AssertionError("saved")


class Dimmed(Sound):
    def score(self, x):
        return super().score(x) + x.columns["magnitude"] / 100


class Together(Sound):
    @staticmethod
    def fit_together(detectors, samples):
        for detector, x in zip(detectors, samples, strict=True):
            detector.fit(x)


class TogetherOnTheFirstSample(Together):
    @staticmethod
    def fit_together(detectors, samples):
        first, *_ = samples
        for detector in detectors:
            detector.fit(first)


class TogetherWithOneSeed(Together):
    def fit(self, x):
        super().fit(x)
        self.mean = self.mean + 0.1 * np.random.default_rng(self.seed).normal(
            size=x.values.shape[1]
        )

    @staticmethod
    def fit_together(detectors, samples):
        for detector, x in zip(detectors, samples, strict=True):
            detector.seed = detectors[0].seed
            detector.fit(x)


class Summed(Sound):
    """The same from sums."""

    def __init__(self, seed=0):
        super().__init__(seed)
        self.sums = 0.0

    def add(self, x):
        values = x.values.astype(np.float64)
        powers = np.stack([np.ones_like(values), values, values**2])
        self.sums = self.sums + powers.sum(axis=1)
        self.settle()

    def merge(self, other):
        self.sums = self.sums + other.sums
        self.settle()

    def settle(self):
        n, total, squares = self.sums
        self.mean = total / n
        self.std = np.sqrt(squares / n - self.mean**2)


class SummedWithoutMerging(Summed):
    def merge(self, other):
        pass


class BothAtOnce(WithDetails):
    def score_with_details(self, x):
        return self.score(x), self.details(x)


class BothButOtherScores(BothAtOnce):
    def score_with_details(self, x):
        return self.score(x) + 0.1, self.details(x)


class BothButOtherDetails(BothAtOnce):
    def score_with_details(self, x):
        return self.score(x), {"widest": self.score(x)}
