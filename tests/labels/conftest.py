"""A run with three objects to label."""

import numpy as np
import pytest
from labelled import FIRST, SECOND, THIRD, N, done


@pytest.fixture
def detect(fmb, tmp_path):
    """`fmb detect` on vectors of one's own with three objects far out: detect("--out", "mine")."""
    values = np.random.default_rng(0).normal(size=(N, 4)).astype(np.float32)
    for row, far in ((FIRST, 90), (SECOND, 60), (THIRD, 40)):
        values[row, 0] += far
    np.savez(tmp_path / "sky.npz", object_id=np.arange(N), v=values, w=values[:, :2])

    def run(*more, views=False):
        if not views:
            np.savez(tmp_path / "sky.npz", object_id=np.arange(N), v=values)
        return done(fmb("detect", "--embeddings", "sky.npz", "--detector", "gaussian", *more))

    return run
