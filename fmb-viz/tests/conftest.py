"""A small survey whose every pixel the tests know."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fmb import Batch, Images, ListName, Note, PlotData, Spectra, VectorName
from fmb.terminal import own_style

with own_style():  # imports matplotlib although MPLBACKEND may name what is not installed here
    pass

N_SURVEY = 2000
JOINT = ListName("flow", (VectorName("astropt", "mean", "joint"),))


@dataclass(frozen=True)
class FewObjects:
    """A run of one list: what figures read of it, and nothing on disk."""

    objects: pd.DataFrame
    table: pd.DataFrame
    """Rows of the list, strangest first: object_id, score, rank ..."""
    batch: Batch
    """Cutouts of the strangest, in any order."""
    name: str = "myrun"
    notes: tuple[Note, ...] = (Note("simulated", "simulated data: not evidence"),)
    lists: tuple[ListName, ...] = (JOINT,)
    read: dict[str, tuple[str, ...]] | None = None
    """What the models of the list read."""

    def ranked(self, name: ListName) -> pd.DataFrame:
        assert name in self.lists
        return self.table

    def reads(self, name: ListName) -> dict[str, tuple[str, ...]] | None:
        assert name in self.lists
        return self.read

    def cutouts(self, name: ListName, k: int) -> Batch:
        assert name in self.lists
        return self.batch.take(np.arange(min(k, len(self.batch))))


def make_images(n: int, *, bands: tuple[str, ...] = ("g", "r", "z"), **changes: Any) -> Images:
    rng = np.random.default_rng(n + len(bands))
    y, x = np.mgrid[:24, :24] - 11.5
    galaxy = 50.0 * np.exp(-np.hypot(x, y) / 3.0)
    noise = rng.normal(0.0, 1.0, (n, len(bands), 24, 24))
    values: dict[str, Any] = {
        "flux": (galaxy + noise).astype(np.float32),
        "bands": bands,
        "band_valid": np.ones((n, len(bands)), dtype=bool),
        "unit": "nJy",
        "pixel_scale_arcsec": 0.25,
    }
    return Images(**(values | changes))


def make_spectra(n: int, **changes: Any) -> Spectra:
    rng = np.random.default_rng(n)
    values: dict[str, Any] = {
        "flux": (10.0 + rng.normal(0.0, 1.0, (n, 600))).astype(np.float32),
        "ivar": np.ones((n, 600), dtype=np.float32),
        "mask": np.zeros((n, 600), dtype=bool),
        "wavelength_aa": 4000.0 + 10.0 * np.arange(600),
        "unit": "1e-17 erg / (Angstrom s cm2)",
    }
    return Spectra(**(values | changes))


def make_data(
    n: int = 3,
    *,
    inputs: dict[str, Images | Spectra] | None = None,
    rows: dict[str, list[int]] | None = None,
    ids: np.ndarray | None = None,
    catalog: dict[str, Any] | None = None,
    **changes: Any,
) -> PlotData:
    """A ranking of N_SURVEY objects with cutouts of the first n, which are the strangest."""
    everyone = 39_633_345_008_000_000 + np.arange(N_SURVEY) if ids is None else ids
    total = len(everyone)
    score = np.linspace(200.0, 100.0, total)
    rank = np.arange(1.0, total + 1)
    scores = pd.DataFrame(
        {
            "object_id": everyone,
            "score": score,
            "rank": rank,
            "percentile": (total - rank + 1) / total,
            "fold": 0,
        }
    )
    if inputs is None:
        inputs = {"hsc": make_images(n), "desi": make_spectra(n)}
    places = {name: np.arange(len(value)) for name, value in inputs.items()}
    places |= {name: np.array(have, dtype=np.int64) for name, have in (rows or {}).items()}
    run = FewObjects(
        pd.DataFrame({"object_id": everyone, **(catalog or {})}),
        scores,
        Batch(ids=everyone[:n], inputs=inputs, rows=places),
    )
    return drawn_from(replace(run, **changes))


def drawn_from(run: FewObjects) -> PlotData:
    """What a figure of the run's only list is drawn from."""
    return PlotData("myrun: astropt mean joint flow", run.notes, (run,), list=JOINT)


def change_run(data: PlotData, **changes: Any) -> PlotData:
    """The same figure of a run that differs in what `changes` names."""
    return drawn_from(replace(data.run, **changes))


@pytest.fixture
def images() -> Callable[..., Images]:
    return make_images


@pytest.fixture
def spectra() -> Callable[..., Spectra]:
    return make_spectra


@pytest.fixture
def data() -> Callable[..., PlotData]:
    return make_data


@pytest.fixture
def changed() -> Callable[..., PlotData]:
    return change_run


@pytest.fixture
def user_settings() -> dict[str, Any]:
    """What a user may have put into matplotlibrc."""
    return {
        "text.usetex": True,
        "font.family": "serif",
        "font.size": 20.0,
        "axes.facecolor": "black",
        "axes.edgecolor": "red",
        "axes.grid": True,
        "axes.spines.top": False,
        "lines.linewidth": 5.0,
        "lines.marker": "o",
        "lines.linestyle": ":",
        "lines.solid_capstyle": "round",
        "lines.dash_capstyle": "round",
        "xtick.direction": "in",
        "xtick.minor.visible": True,
        "xtick.top": True,
        "image.origin": "upper",
        "figure.autolayout": True,
        "figure.facecolor": "green",
    }
