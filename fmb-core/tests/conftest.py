import math
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


_NORMAL = 0.6351814227307391
"""Minus the mean of log |x| of a standard normal x: (Euler's constant + log 2) / 2."""


def _row(z, degree):
    """Columns of a polynomial of one object, besides the constant."""
    products = [a * b for i, a in enumerate(z) for b in z[i:]]
    return [*z, *products] if degree == 2 else list(z)


def _penalised(columns):
    """Columns about their means with rows of the penalty below, 1/10,000 of their mean variance."""
    c = columns.shape[1]
    weight = np.sqrt(1e-4 * len(columns) * columns.var(axis=0).mean())
    return np.vstack([columns - columns.mean(axis=0), weight * np.eye(c)])


def _ridge(columns, targets, at):
    """Predictions at `at` by least squares; the constant is outside of the penalty."""
    mean, level = columns.mean(axis=0), targets.mean(axis=0)
    b = np.concatenate([targets - level, np.zeros((columns.shape[1], *targets.shape[1:]))])
    return level + (at - mean) @ np.linalg.lstsq(_penalised(columns), b, rcond=None)[0]


def _polynomial(roles, seen, degree):
    roles = np.asarray(roles, dtype=np.float64)
    centre = np.median(roles[seen], axis=0)
    spread = 1.4826 * np.median(np.abs(roles[seen] - centre), axis=0)
    z = np.minimum(np.maximum((roles - centre) / spread, -3), 3)
    return z, np.array([_row(list(one), degree) for one in z])


def _pooled(z, logs):
    """Slopes (R, d) of regressions of each column of `logs` on z, drawn to their mean.

    In the principal directions of z; James and Stein's factor is 1 - noise / scatter, of
    which the noise is what the regressions leave.
    """
    n, d = logs.shape
    u, s, axes = np.linalg.svd(z - z.mean(axis=0), full_matrices=False)
    own = np.array([[u[:, i] @ logs[:, j] for j in range(d)] for i in range(len(s))])
    away = logs - logs.mean(axis=0)
    noise = np.mean([away[:, j] @ away[:, j] - own[:, j] @ own[:, j] for j in range(d)]) / n
    for i in range(len(s)):
        common = own[i].mean()
        scatter = np.mean((own[i] - common) ** 2)
        own[i] = common + max(1 - noise / scatter, 0) * (own[i] - common)
    return axes.T @ (own / s[:, None])


def _within_five(log_spread):
    return np.exp(np.clip(log_spread, -np.log(5), np.log(5)))


def _residuals(values, roles, seen, degree):
    x = np.asarray(values, dtype=np.float64)
    z, p = _polynomial(roles, seen, degree)
    away = x - _ridge(p[seen], x[seen], p)
    least = 1e-2 * np.sqrt(np.mean(away[seen] ** 2, axis=0))
    logs = np.log(np.maximum(np.abs(away[seen]), least))
    log_spread = (z - z[seen].mean(axis=0)) @ _pooled(z[seen], logs)
    return away / np.exp(logs.mean(axis=0)) / _within_five(log_spread)


def _left_out(values, roles, seen, degree):
    """Of those in `seen`: divided by what share of an object's prediction is not its own."""
    _, p = _polynomial(roles, seen, degree)
    a = _penalised(p[seen])
    own = 1 / seen.sum() + np.diag(a @ np.linalg.pinv(a))[: seen.sum()]
    return _residuals(values, roles, seen, degree)[seen] / (1 - np.minimum(own, 0.9))[:, None]


def _levelled(scores, own, roles, seen, degree):
    """Scores as distances from what the scores `own` of `seen` are at such roles, in spreads."""
    _, p = _polynomial(roles, seen, degree)
    roles = np.asarray(roles, dtype=np.float64)
    centre = np.median(roles[seen], axis=0)
    z = (roles - centre) / (1.4826 * np.median(np.abs(roles[seen] - centre), axis=0))
    far = np.log(1 + (z**2).sum(axis=1) / z.shape[1])
    if len(own) >= 40 * (p.shape[1] + 2):
        p = np.column_stack([p, far, far**2])
    lowest = own.min()
    roots = [math.copysign(math.sqrt(abs(one - lowest)), one - lowest) for one in scores]
    usual = _ridge(p[seen], np.sqrt(own - lowest), p)
    away = np.abs(np.sqrt(own - lowest) - usual[seen])
    logs = np.log(np.maximum(away, 1e-2 * np.sqrt(np.mean(away**2))))
    spread = np.exp(_NORMAL + logs.mean()) * _within_five(_ridge(p[seen], logs, p) - logs.mean())
    return (roots - usual) / spread


@pytest.fixture
def direct_residuals():
    """(x - m(c)) / s(c) by formula: (values, roles, seen by the fit, degree) -> residuals."""
    return _residuals


@pytest.fixture
def direct_scores():
    """Scores of residuals by formula, their level taken out.

    (views, roles, seen by the fit, degree, judge) -> (n,), where judge takes, for each view, the
    residuals of the fit's own objects and those of the objects to score.
    """

    def scores(views, roles, seen, degree, judge):
        made = [_residuals(one, roles, seen, degree) for one in views]
        left = [_left_out(one, roles, seen, degree) for one in views]
        fitted = [one[seen] for one in made]
        own = judge(*zip(fitted, left, strict=True))
        return _levelled(judge(*zip(fitted, made, strict=True)), own, roles, seen, degree)

    return scores


@pytest.fixture
def direct_in_sample():
    """Scores (n,) of a fit to all of the same objects, (scores, roles, degree) -> levelled."""

    def scores(scores, roles, degree):
        return _levelled(scores, scores, roles, np.full(len(scores), True), degree)

    return scores
