"""`fmb detect --detector flow` fits its folds together; each is what it would be alone."""

import json

import numpy as np
import pandas as pd
import pytest

from fmb import Vectors, open_run
from fmb_detectors.config import FlowConfig
from fmb_detectors.flow import FlowDetector

N = 523


@pytest.fixture
def vectors(home, tmp_path):
    """Two parabolas among ten columns; 523 objects make folds of 105 and of 104."""
    rng = np.random.default_rng(0)
    t = rng.normal(size=(N, 2))
    bent = t**2 + 0.1 * rng.normal(size=t.shape)
    values = np.hstack([3 * t, 3 * bent, rng.normal(size=(N, 6))]).astype(np.float32)
    np.savez(tmp_path / "v.npz", object_id=np.arange(N), v=values)
    return values


def detect(fmb, out, *more):
    result = fmb("detect", "--embeddings", "v.npz", "--detector", "flow", "--out", out, *more)
    assert result.exit_code == 0, result.stderr
    run = open_run(out)
    (name,) = run.lists
    return run, run.scores(name)


def test_each_fold_is_the_flow_that_its_seed_and_its_objects_give_alone(fmb, vectors, home):
    _, scores = detect(fmb, "r")
    fold = scores["fold"].to_numpy(int)
    folders = sorted((home / "runs" / "r").glob("**/fold-*"))
    assert len(folders) == 5
    assert len({int((fold == i).sum()) for i in range(5)}) > 1
    alone, seeds = np.empty(N), set()
    for i, folder in enumerate(folders):
        saved = json.loads((folder / "detector.json").read_text())
        assert not saved["report"]["fallback"]
        seeds.add(saved["seed"])
        detector = FlowDetector(FlowConfig(), seed=saved["seed"])
        seen, held_out = np.flatnonzero(fold != i), np.flatnonzero(fold == i)
        detector.fit(Vectors(seen, vectors[seen]))
        x = Vectors(held_out, vectors[held_out])
        alone[held_out] = detector.score(x)
        loaded = FlowDetector.load(folder).score(x)
        np.testing.assert_allclose(loaded, scores["score"].to_numpy()[held_out], rtol=1e-12)
    assert len(seeds) == 5
    together = scores["score"].to_numpy()
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-3 * alone.std())
    assert set(np.argsort(-together)[:20]) == set(np.argsort(-alone)[:20])


def test_one_fit_to_all_objects_ranks_them_alike(fmb, vectors):
    _, cross = detect(fmb, "r")
    _, whole = detect(fmb, "whole", "--fit", "in-sample")
    assert (whole["fold"] == -1).all()
    a, b = (pd.Series(s["score"].to_numpy()).rank() for s in (cross, whole))
    assert a.corr(b) > 0.9
