"""A survey of which is known what is odd."""

import numpy as np
import pytest
from known_objects import HOSTS, N


@pytest.fixture
def run(fmb, tmp_path, monkeypatch, home):
    """Vectors whose first 30 objects are far out, and copies of 60 others that are too."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    v = rng.normal(size=(N, 4)).astype(np.float32)
    odd = np.arange(N) < 30
    v[odd] += rng.normal(0, 5, (30, 4)).astype(np.float32)
    ra, dec = rng.uniform(0, 10, N), rng.uniform(-5, 5, N)
    kind = np.where(odd, "odd", np.where(np.arange(N) < 100, "", "plain"))
    np.savez("plain.npz", object_id=np.arange(N), v=v, ra=ra, dec=dec, kind=kind, depth=ra)
    hosts = np.repeat(np.arange(100, 100 + HOSTS), 3)
    strength = np.tile([0.0, 0.5, 1.0], HOSTS)
    names = np.where(hosts % 2 == 0, "far", "same")
    moved = np.where(names == "far", 20 * strength, 0.0)[:, None].astype(np.float32)
    np.savez(
        "planted.npz",
        object_id=np.arange(N + len(hosts)),
        v=np.concatenate([v, v[hosts] + moved]),
        injected_from=np.concatenate([np.arange(N), hosts]),
        label=np.concatenate([np.full(N, "ordinary"), names]),
        strength=np.concatenate([np.full(N, np.nan), strength]),
        declared_view=np.concatenate([np.full(N, ""), np.where(names == "far", "v", "nobody")]),
    )
    for name in ("plain", "planted"):
        asked = ("detect", "--embeddings", f"{name}.npz", "--detector", "gaussian", "--out", name)
        assert fmb(*asked).exit_code == 0
    return fmb
