"""The two real surveys, as the guide describes them, from data to figures."""

import os
import re
from pathlib import Path

import pandas as pd
import pytest

GUIDE = Path(__file__).resolve().parents[1] / "docs" / "your-survey.md"
DATA = os.environ.get("FMB_TEST_DATA")

pytestmark = pytest.mark.skipif(not DATA, reason="FMB_TEST_DATA is not set")


def described(name: str, folder: Path) -> Path:
    """The survey.toml of the guide that reads the file `name`, beside a link to that file."""
    tomls = re.findall(r"^```toml\n(.*?)^```", GUIDE.read_text(), re.M | re.S)
    (toml,) = [text for text in tomls if name in text]
    (file,) = Path(DATA).rglob(name)
    (folder / name).symlink_to(file.resolve())
    path = folder / "survey.toml"
    path.write_text(toml)
    return path


def run(fmb, path, *args):
    result = fmb(
        "run", "--model", "astropt", "--weights", "random", "--data", path,
        "--detector", "gaussian", *args,
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    return result


def test_the_pairs_of_deep2_and_hst_go_all_the_way(fmb, home, tmp_path):
    path = described("deep2_acs_pairs.h5", tmp_path)
    result = run(fmb, path, "--set", "model.astropt.bands=['F814W']")
    assert "not flux-calibrated" in result.stderr
    (folder,) = (home / "runs").iterdir()
    log = (folder / "run.log").read_text().splitlines()  # the screen has five notes
    warned = next(line for line in log if "zero-filled" in line)
    assert "DEEP2-12011504 (38%)" in warned
    for view in ("image", "spectrum", "joint"):
        scores = pd.read_parquet(folder / "scores" / f"astropt.mean.{view}.gaussian.parquet")
        assert scores["score"].notna().sum() == 28
    pairs = pd.read_parquet(folder / "scores" / "astropt.mean.image+spectrum.mismatch.parquet")
    assert pairs["score"].notna().sum() == 28
    assert "few correlations or none can be told from chance" in result.stderr
    assert len(list((folder / "plots").glob("*.png"))) == 10


def test_euclid_cutouts_go_all_the_way_and_are_called_not_photometric(fmb, home, tmp_path):
    path = described("euclid_q1_vis.h5", tmp_path)
    result = run(fmb, path, "--set", "model.astropt.preset=one-band")
    assert "not photometric" in result.stderr
    (folder,) = (home / "runs").iterdir()
    scores = pd.read_parquet(folder / "scores" / "astropt.mean.image.gaussian.given.parquet")
    assert scores["score"].notna().all()
    assert len(scores) == 2139
    assert {p.suffix for p in (folder / "plots").iterdir()} == {".png"}


def test_weights_are_trained_on_euclid_cutouts_and_used(fmb, home, tmp_path):
    path = described("euclid_q1_vis.h5", tmp_path)
    trained = fmb(
        "retrain", "astropt", "--data", path, "--weights", "random", "--out", "vis",
        "--set", "model.astropt.preset=tiny-one-band", "--limit", 300, "--set", "train.epochs=2",
    )  # fmt: skip
    assert trained.exit_code == 0, trained.stderr
    assert "not photometric" in trained.stderr
    used = fmb("embed", "--model", "astropt", "--weights", "vis", "--data", path, "--limit", 300)
    assert used.exit_code == 0, used.stderr
    assert "out of domain" not in used.stderr
