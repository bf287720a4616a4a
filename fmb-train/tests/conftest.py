"""A survey of numbers and a network that is trained in milliseconds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from fmb import Batch, Images, InputInfo, Inputs, Spectra
from fmb.store import derive_seed
from fmb_train.config import TrainConfig
from fmb_train.job import FitJob

SLOPE, OFFSET = 3.0, -1.0
"""What the network has to find: y = SLOPE x + OFFSET."""


class Numbers:
    """Object i has x = a number in its image, y = SLOPE x + OFFSET in its spectrum."""

    def __init__(self, n: int = 60, *, bad: dict[int, float] | None = None, lacks_y: int = 0):
        self.ids = np.arange(n) + 1000
        self.catalog = pd.DataFrame(index=range(n))
        self.identity: dict[str, Any] = {"name": "numbers", "n": n}
        self.warnings: list[str] = []
        x = np.random.default_rng(3).normal(size=n)
        y = SLOPE * x + OFFSET
        for i, value in (bad or {}).items():
            x[i] = value
        self.x, self.y = x.astype(np.float32), y.astype(np.float32)
        self.has = {"cam": np.ones(n, bool), "spec": np.arange(n) >= lacks_y}
        self.inputs = {
            "cam": InputInfo(kind="images", unit="uJy", bands=("r",), present=self.has["cam"]),
            "spec": InputInfo(kind="spectra", unit="counts", present=self.has["spec"]),
        }
        self.reads = 0

    def __len__(self):
        return len(self.ids)

    def read(self, rows, inputs=None):
        self.reads += len(rows)
        at = {name: np.flatnonzero(self.has[name][rows]) for name in inputs}
        x, y = self.x[rows][at.get("cam", [])], self.y[rows][at.get("spec", [])]
        made = {
            "cam": lambda: Images(
                flux=x[:, None, None, None],
                bands=("r",),
                band_valid=np.ones((len(x), 1), bool),
                unit="uJy",
                pixel_scale_arcsec=0.1,
            ),
            "spec": lambda: Spectra(
                flux=np.repeat(y[:, None], 2, axis=1),
                mask=np.zeros((len(y), 2), bool),
                wavelength_aa=np.array([4000.0, 5000.0]),
                unit="counts",
            ),
        }
        return Batch(ids=self.ids[rows], inputs={k: made[k]() for k in at}, rows=at)


@dataclass(frozen=True)
class Prepare:
    """x and y of a batch; objects of `unusable` have no usable spectrum."""

    slots: tuple[str, ...]
    unusable: frozenset[int] = frozenset()

    def __call__(self, batch: Batch) -> Inputs:
        arrays: dict[str, np.ndarray] = {}
        valid: dict[str, np.ndarray] = {}
        reasons: dict[str, list[str]] = {}
        if "image" in self.slots:
            arrays["x"] = batch.inputs["cam"].flux[:, 0, 0, :]
            valid["image"] = np.ones(len(batch), bool)
        if "spectrum" in self.slots:
            arrays["y"] = batch.inputs["spec"].flux[:, :1]
            bad = np.isin(batch.ids, list(self.unusable))
            valid["spectrum"] = ~bad
            reasons["spectrum"] = ["torn" if b else "" for b in bad]
        return Inputs(arrays=arrays, valid=valid, reasons=reasons)


@dataclass
class Line:
    """Learns the line with a network of one hidden layer; alone, x is learned from x."""

    required: tuple[str, ...] = ()
    unusable: frozenset[int] = frozenset()
    dropout: float = 0.0
    module: torch.nn.Module = field(init=False)

    def __post_init__(self):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(5)
            self.module = torch.nn.Sequential(
                torch.nn.Linear(1, 16),
                torch.nn.Tanh(),
                torch.nn.Dropout(self.dropout),
                torch.nn.Linear(16, 1),
            )

    def preparer(self, sources):
        return Prepare(tuple(sources), self.unusable)

    def train(self, mode):
        self.module.train(mode)

    def loss(self, inputs):
        name = "x" if "image" in inputs.valid else "y"
        x = torch.as_tensor(inputs.arrays[name])
        y = torch.as_tensor(inputs.arrays["y" if "spectrum" in inputs.valid else name])
        loss = (self.module(x) - y).square().mean(1)
        return loss, {"square": loss.detach()}

    def weights(self):
        return self.module.state_dict()

    def card_changes(self):
        return {}


@pytest.fixture
def numbers() -> type[Numbers]:
    return Numbers


@pytest.fixture
def line() -> type[Line]:
    return Line


@pytest.fixture
def job_of(tmp_path: Path) -> Callable[..., FitJob]:
    """A training of the line: job_of(settings of TrainConfig, dataset=..., task=..., ...)."""

    def build(folder: str = "training", **options: Any) -> FitJob:
        dataset = options.pop("dataset", None) or Numbers()
        task = options.pop("task", None) or Line()
        extra = {k: options.pop(k) for k in ("seed", "precision") if k in options}
        validation = np.arange(0, len(dataset), 5)
        path = tmp_path / folder
        path.mkdir(exist_ok=True)
        settings = {"batch_size": 8, "epochs": 4, "learning_rate": 0.02, "patience": 0}
        return FitJob(
            task=task,
            config=TrainConfig(**{**settings, **options}),
            dataset=dataset,
            sources={"image": "cam", "spectrum": "spec"},
            training=np.setdiff1d(np.arange(len(dataset)), validation),
            validation=validation,
            folder=path,
            **{"seed": derive_seed(1, "test"), **extra},
        )

    return build
