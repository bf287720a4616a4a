"""Lists of two views to fuse: of each view by one detector, of pairs by another."""

import pytest
from two_views import GAP, write

from fmb import open_run


@pytest.fixture
def gap(tmp_path, monkeypatch):
    """A detector of pairs, installed."""
    info = tmp_path / "site" / "fmb_gap-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fmb-gap\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[fmb]\ngap = gap_plugin\n")
    (tmp_path / "site" / "gap_plugin.py").write_text(GAP)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))


@pytest.fixture
def detect(fmb, home, tmp_path, gap):
    """`fmb detect` on v.npz with gaussian and gap and nothing beside: gives the run."""
    write(tmp_path / "v.npz")

    def run(*more, out="r", file="v.npz", also=("--detector", "gaussian", "--detector", "gap")):
        asked = ("detect", "--embeddings", file, *also, "--no-companions", *more, "--out", out)
        result = fmb(*asked)
        assert result.exit_code == 0, result.stderr
        made = open_run(out)
        made.said = result.stderr
        return made

    return run


@pytest.fixture
def refused(fmb, home, tmp_path, gap):
    """What `fmb detect` on v.npz is refused with."""
    write(tmp_path / "v.npz")

    def run(*more):
        result = fmb("detect", "--embeddings", "v.npz", "--no-companions", *more)
        assert result.exit_code == 2
        return " ".join(result.stderr.split())

    return run
