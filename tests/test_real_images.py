"""The page on real cutouts: its measures, and the script on a small made-up survey."""

import json
import sys
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file
from scipy.optimize import brentq

from fmb_analyses.bootstrap import interval
from fmb_analyses.metrics import auroc, precision_at_k

SCRIPTS = Path(__file__).resolve().parents[1] / "docs" / "results"
SIDE = 79


@pytest.fixture(autouse=True)
def scripts(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)


def blob(sigma: float, shape: str = "gauss", noise: float = 0.0, seed: int = 0) -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    r = np.hypot(x, y) / sigma
    light = np.exp(-(r**2) / 2 if shape == "gauss" else -r)
    return 1000 * light + 50 + np.random.default_rng(seed).normal(0, noise, (SIDE, SIDE))


def test_the_light_of_a_gaussian_has_its_size_and_concentration():
    from picture_light import light_of

    (measured,) = light_of(blob(5.0)[None]).to_dict("records")
    # r_f = sigma sqrt(-2 ln(1 - f)); the circle of 30 px, 6 sigma, holds all of the light.
    r20, r50, r80 = (5 * np.sqrt(-2 * np.log(1 - f)) for f in (0.2, 0.5, 0.8))
    # A pixel of 0.2 sigma spreads its light: sigma grows by 1/600; circles are 0.1 sigma apart.
    assert 10 ** measured["size"] == pytest.approx(r50, rel=0.005)
    assert measured["concentration"] == pytest.approx(5 * np.log10(r80 / r20), abs=0.02)
    # Without noise the pixels have that of rounding: 1/sqrt(12).
    light = 1000 * 2 * np.pi * 5**2 * np.sqrt(12)
    assert 10 ** measured["brightness"] == pytest.approx(light, rel=0.003)


def test_the_light_of_an_exponential_disc_has_its_size_and_concentration():
    from picture_light import light_of

    (measured,) = light_of(blob(3.0, "disc")[None]).to_dict("records")

    def over(r: float, share: float) -> float:
        """Light within r scale lengths less a share of that within the circle, ten of them."""
        return 1 - (1 + r) * np.exp(-r) - share * (1 - 11 * np.exp(-10))

    at = {share: brentq(over, 0, 10, args=(share,)) for share in (0.2, 0.5, 0.8)}
    assert 10 ** measured["size"] == pytest.approx(3 * at[0.5], rel=0.02)
    assert measured["concentration"] == pytest.approx(5 * np.log10(at[0.8] / at[0.2]), abs=0.03)


def test_noise_and_a_sky_full_of_light_are_not_measured():
    from picture_light import light_of

    empty = np.random.default_rng(0).normal(50, 10, (SIDE, SIDE))
    dark = 500 - blob(20.0)
    measured = light_of(np.stack([empty, dark, blob(5.0, noise=10)]))
    assert measured.isna().all(axis=1).tolist() == [True, True, False]


def objects_of(merger: np.ndarray, half: np.ndarray) -> pd.DataFrame:
    ids = np.arange(len(merger))
    return pd.DataFrame(
        {"object_id": ids, "merger": merger, "half": half, "group": ids.astype(str)}
    )


def test_mergers_are_two_percent_of_each_half_and_all_are_dealt():
    from agreement import rare_draws

    half = np.repeat([0, 1], [5400, 2700])
    merger = np.zeros(8100, bool)
    merger[:500] = merger[5400:5650] = True
    drawn = rare_draws(objects_of(merger, half), 8)
    assert drawn[~merger].all()
    # 2 % of 5,000 and of 2,500: 4,900 and 2,450 others need 100 and 50.
    assert (drawn[merger & (half == 0)].sum(axis=0) == 100).all()
    assert (drawn[merger & (half == 1)].sum(axis=0) == 50).all()
    times = drawn[merger & (half == 0)].sum(axis=1)  # 8 hands of 100 from a deck of 500
    assert (times.min(), times.max()) == (1, 2)


def test_replicates_of_one_sample_are_the_interval_of_the_core():
    from agreement import replicates, with_interval

    rng = np.random.default_rng(2)
    merger = rng.random(200) < 0.2
    scores = rng.normal(merger, 1)
    objects = objects_of(merger, np.zeros(200, int))
    ours = with_interval(replicates(auroc, objects, scores[:, None], np.ones(200)))
    assert ours == interval(auroc, merger, scores, objects["group"])


def test_the_mean_over_samples_counts_each_sample_by_itself():
    from agreement import over_samples

    merger = np.array([True, True, False, False])
    percentiles = np.array([[0.9, np.nan], [np.nan, 0.1], [0.5, 0.5], [0.1, 0.9]])
    # The first sample's merger beats both others, the second's none.
    assert over_samples(auroc, merger, percentiles, np.ones((1, 4))).tolist() == [0.5]
    # Without its second other the second sample's merger is beaten still, by one.
    assert over_samples(auroc, merger, percentiles, np.array([[1.0, 1, 1, 0]])).tolist() == [0.5]


def test_precision_in_looks_is_the_share_of_mergers_in_the_list():
    from agreement import LOOKS, MEASURES

    merger = np.zeros(500, bool)
    merger[[3, 50, 99, 100, 400]] = True
    scores = -np.arange(500.0)  # the list begins with object 0: three of its 100 are mergers
    assert LOOKS == 100
    assert MEASURES["precision"](merger, scores) == pytest.approx(0.03)
    assert precision_at_k(merger, scores, k=101) == pytest.approx(4 / 101)


def test_looks_are_shared_out_over_samples():
    from agreement import share_of_looks

    percentiles = np.stack([np.linspace(1, 0.1, 400), np.full(400, np.nan)], axis=1)
    percentiles[200:, 1] = np.linspace(0.1, 1, 200)
    chosen = np.arange(400) < 50  # in the first sample 50 of the top 100, in the second none
    assert share_of_looks(chosen, percentiles) == 0.25


def test_matched_objects_are_alike_and_what_has_no_like_counts_nothing():
    from agreement import matched_weights

    rng = np.random.default_rng(0)
    merger = np.repeat([True, False], [400, 8000])
    features = rng.normal(0, 1, (8400, 2))
    features[merger, 0] += 1
    features[0] = 40.0
    features[8399] = np.nan
    weights = matched_weights(merger, features)
    assert weights[0] == weights[8399] == 0
    counted = merger & (weights > 0)
    assert np.ptp(weights[counted]) == 0
    mean = np.average(features[~merger][:-1], axis=0, weights=weights[~merger][:-1])
    # Each other lies within 0.25 deviations of the merger that takes it, on all sides.
    np.testing.assert_allclose(mean, features[counted].mean(axis=0), atol=0.05)
    assert weights[merger].sum() == pytest.approx(400)
    assert weights[~merger].sum() == pytest.approx(8000)


def made_up(folder: Path, n: int = 280) -> None:
    """Pictures of one blob or, of mergers, two; each stretched by itself to 8 bits."""
    rng = np.random.default_rng(4)
    label = rng.choice(["nonmerger", "merger", "unknown"], n, p=[0.75, 0.2, 0.05])
    pictures = []
    for i, name in enumerate(label):
        picture = blob(rng.uniform(2, 4), noise=rng.uniform(10, 40), seed=i)
        if name == "merger":
            picture += np.roll(blob(2.0), rng.integers(6, 12, 2), axis=(0, 1))
        low, high = np.quantile(picture, [0.01, 0.99])
        pictures.append(np.clip((picture - low) / (high - low), 0, 1) * 255)
    file = folder / "euclid_q1_vis" / "euclid_q1_vis.h5"
    file.parent.mkdir()
    with h5py.File(file, "w") as out:
        out["image"] = np.array(pictures).astype(np.uint8)
        out["object_id"] = [f"MADE-UP-{i}" for i in range(n)]
        out["label"] = label.tolist()
        out["ra"], out["dec"] = rng.uniform(60, 66, n), rng.uniform(-50, -47, n)


def test_the_script_trains_on_halves_and_writes_all_rows(tmp_path, home, monkeypatch):
    import agreement
    import real_images

    made_up(tmp_path)
    monkeypatch.setenv("FMB_TEST_DATA", str(tmp_path))
    # So many that no resample of so small a survey lacks them.
    monkeypatch.setattr(agreement, "PREVALENCE", 0.1)
    monkeypatch.setattr(agreement, "CALIPER", 2.0)
    monkeypatch.setattr(agreement, "RESAMPLES", 20)
    monkeypatch.setattr(agreement, "PENALTIES", (0.01, 0.1))
    page = tmp_path / "page.md"
    arguments = ["--weights", "random", "--epochs", "1", "--draws", "2", "--flow-draws", "1"]
    monkeypatch.setattr(sys, "argv", ["real_images.py", *arguments, "--page", str(page)])
    real_images.main()
    text = page.read_text()
    rows = ["trained from scratch", "random weights", "PCA-100", "size, concentration",
            "size, concentration, brightness"]  # fmt: skip
    for heading in ("## gaussian", "## flow", "## What the vectors hold linearly"):
        lines = text.partition(heading + "\n")[2].partition("\n## ")[0].splitlines()
        listed = [line.split("|")[1].strip() for line in lines if line.startswith("| ")]
        assert listed[2 : 2 + len(rows)] == rows
    for floor in rows[1:4]:
        assert text.count(f"| trained from scratch | {floor} | ") == 2
    assert "nan" not in text
    halves = [set((home / "real-images" / f"half-{i}.txt").read_text().split()) for i in (0, 1)]
    assert len(halves[0] | halves[1]) == 280
    assert not halves[0] & halves[1]
    assert abs(len(halves[0]) - len(halves[1])) <= 1
    # Weights that learned from one half, the other left out, have given vectors of the other.
    trained = sorted((home / "real-images").glob("half-*/training/recipe.json"))
    assert [path.parts[-3][:6] for path in trained] == ["half-0", "half-1"]
    left_out = [excluded(path) for path in trained]
    assert left_out[0] != left_out[1]
    for half, path in enumerate(trained):
        (folder,) = (home / "embeddings").glob(f"*/*-{path.parts[-3]}-*")
        parts = [load_file(part)["id_utf8"] for part in folder.glob("part-*.safetensors")]
        embedded = {bytes(id_).decode().rstrip("\0") for part in parts for id_ in part}
        assert embedded == halves[1 - half]


def excluded(record: Path) -> str:
    return json.loads(record.read_text())["data"]["selection"]["exclude"]
