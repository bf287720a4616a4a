import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

from fmb.plugins.loading import plugin_entries

PLUGIN_HEAD = """
from fmb import DetectorSpec, EmbedderSpec, hookimpl

FMB_API = 1
"""

GOOD_PLUGIN = """
@hookimpl
def fmb_register_detectors():
    yield DetectorSpec(name="{name}", summary="Sound", target="{module}:Sound", config="fmb:Config")
"""


@pytest.fixture
def site(tmp_path, monkeypatch) -> Path:
    """A folder on the import path; besides what is installed there only fmb-core is found."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    for name in ("FMB_STRICT", "FMB_DISABLE_PLUGINS"):
        monkeypatch.delenv(name, raising=False)

    def only_here() -> list[EntryPoint]:
        return [
            entry
            for entry in plugin_entries()
            if entry.value == "fmb.plugins.builtin" or Path(entry.dist.locate_file("")) == folder
        ]

    monkeypatch.setattr("fmb.plugins.loading.plugin_entries", only_here)
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
            del sys.modules[name]


@pytest.fixture
def install(site) -> Callable[..., None]:
    """Install a distribution with one plugin module of the given code into `site`."""

    def install(
        name: str,
        body: str | None = None,
        *,
        plugin: str = "",
        version: str = "1.2",
        head=PLUGIN_HEAD,
    ) -> None:
        module = name.replace("-", "_") + "_plugin"
        if body is None:
            body = GOOD_PLUGIN.format(name=name, module=module)
        (site / f"{module}.py").write_text(head + body)
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[fmb]\n{plugin or name} = {module}\n")

    return install


def _row(z, degree):
    """Columns of a polynomial of one object, besides the constant."""
    products = [a * b for i, a in enumerate(z) for b in z[i:]]
    return [*z, *products] if degree == 2 else list(z)


def _ridge(columns, targets, at):
    """Predictions at `at` of a regression with a penalty of 1/10,000 of the columns' mean variance.

    Least squares with rows of the penalty below the data; the constant is outside of it.
    """
    mean, level = columns.mean(axis=0), targets.mean(axis=0)
    c = columns.shape[1]
    weight = np.sqrt(1e-4 * len(columns) * columns.var(axis=0).mean())
    a = np.vstack([columns - mean, weight * np.eye(c)])
    b = np.vstack([targets - level, np.zeros((c, targets.shape[1]))])
    return level + (at - mean) @ np.linalg.lstsq(a, b, rcond=None)[0]


def _direct(values, roles, seen, degree):
    x, roles = np.asarray(values, dtype=np.float64), np.asarray(roles, dtype=np.float64)
    centre = np.median(roles[seen], axis=0)
    spread = 1.4826 * np.median(np.abs(roles[seen] - centre), axis=0)
    z = np.minimum(np.maximum((roles - centre) / spread, -3), 3)
    p = np.array([_row(list(one), degree) for one in z])
    away = x - _ridge(p[seen], x[seen], p)
    least = 1e-2 * np.sqrt(np.mean(away[seen] ** 2, axis=0))
    squares = np.log(np.maximum(np.abs(away), least) ** 2)
    size = np.exp(0.5 * squares[seen].mean(axis=0))
    log_g = 0.5 * _ridge(p[seen], squares[seen].mean(axis=1)[:, None], p)
    log_g -= log_g[seen].mean()
    return away / size / np.exp(np.clip(log_g, -np.log(5), np.log(5)))


@pytest.fixture
def direct_residuals():
    """(x - m(c)) / s(c) by formula: (values, roles, seen by the fit, degree) -> residuals."""
    return _direct
