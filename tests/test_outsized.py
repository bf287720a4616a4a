"""A vector beside which all others look alike is named, whatever detector it spoils."""

import numpy as np
import pytest

N = 300


@pytest.fixture
def detect(fmb, home, tmp_path, monkeypatch):
    """`fmb detect` on vectors of which that of 17 is as large as asked, or a copy is."""
    monkeypatch.chdir(tmp_path)

    def run(detector, size, *, at=17, copy=False):
        values = np.random.default_rng(2).normal(size=(N, 5)).astype(np.float32)
        values[at] *= np.float32(size)
        hosts = np.arange(N)
        hosts[at] = 3 if copy else at
        np.savez("v.npz", object_id=np.arange(N), v=values, injected_from=hosts)
        return fmb("detect", "--embeddings", "v.npz", "--detector", detector), values

    return run


@pytest.mark.parametrize("detector", ["gaussian", "knn", "lof", "typical"])
def test_a_huge_vector_is_refused_by_id_and_size_where_fits_fail(detect, detector):
    result, values = detect(detector, 1e30)
    assert result.exit_code == 2
    size = np.abs(values).max(axis=1)
    times = size[17] / np.median(size)
    (line,) = [one for one in result.stderr.splitlines() if one.startswith("fmb: ")]
    assert f"the vector of 17 is {times:.0e} times as large as most" in line
    assert "leave it out with --exclude" in line


def test_a_large_vector_is_noted_where_fits_go_on(detect):
    result, _ = detect("gaussian", 1e6)
    assert result.exit_code == 0
    assert "gaussian: the vector of 17 is" in " ".join(result.stderr.split())


@pytest.mark.parametrize(("size", "copy"), [(100, False), (1e6, True)])
def test_strange_objects_and_copies_that_no_fit_sees_are_not_called_too_large(detect, size, copy):
    result, _ = detect("gaussian", size, copy=copy)
    assert result.exit_code == 0
    assert "as large as most" not in result.stderr
