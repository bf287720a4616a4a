"""Vectors of two views, of which objects may lack one, and their scores."""

import numpy as np
from scipy.stats import rankdata

N = 300
GAP = """
import numpy as np

from fmb import DetectorSpec, hookimpl

FMB_API = 1


class Gap:
    def __init__(self, config, *, seed, device):
        pass

    def fit(self, x):
        pass

    def score(self, x):
        return np.abs(x.a.mean(axis=1) - x.b.mean(axis=1)).astype(np.float64)


@hookimpl
def fmb_register_detectors():
    yield DetectorSpec(
        name="gap", summary="Difference of means", target="gap_plugin:Gap", scope="pair",
        persistent=False,
    )
"""


def write(path, missing=0, order=None, views=("image", "spectrum")):
    """Objects in two views, of which the first few are odd in one or both."""
    rng = np.random.default_rng(5)
    values = [rng.normal(size=(N, 4)).astype(np.float32) for _ in views]
    values[0][:6] *= 5
    values[1][3:9] *= 5
    values[1][N - missing :] = np.nan
    at = np.arange(N) if order is None else order
    arrays = {view: v[at] for view, v in zip(views, values, strict=True)}
    np.savez(path, object_id=np.arange(N)[at], **arrays)


def score(run, words):
    table = run.scores(words)
    return table["score"].to_numpy()


def ranked_by_scipy(scores):
    return rankdata(scores) / len(scores)
