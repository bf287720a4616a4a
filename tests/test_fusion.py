"""Fused lists through the command line: who is fused, among whom, and what is told of it."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata

import fmb as api
from fmb import open_run

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


@pytest.fixture
def gap(tmp_path, monkeypatch):
    """A detector of pairs, installed."""
    info = tmp_path / "site" / "fmb_gap-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fmb-gap\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[fmb]\ngap = gap_plugin\n")
    (tmp_path / "site" / "gap_plugin.py").write_text(GAP)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))


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


def score(run, words):
    table = run.scores(words)
    return table["score"].to_numpy()


def ranked_by_scipy(scores):
    return rankdata(scores) / len(scores)


def test_a_fusion_alone_brings_lists_to_fuse(fmb, home, tmp_path):
    write(tmp_path / "v.npz")
    result = fmb("detect", "--embeddings", "v.npz", "--fusion", "geo", "--out", "r")
    assert result.exit_code == 0, result.stderr
    found = {(name.detector, name.view) for name in open_run("r").lists}
    assert found >= {("gaussian", "image"), ("gaussian", "spectrum"), ("geo", "image+spectrum")}


def test_geo_is_the_formula_of_the_original_on_the_objects_in_all_lists(detect, tmp_path):
    write(tmp_path / "v.npz", missing=90)
    run = detect("--fusion", "geo", "--set", "detector.geo.missing=common")
    lists = ("gaussian image", "gaussian spectrum", "gap image+spectrum")
    image, spectrum, mismatch = (score(run, words) for words in lists)
    common = ~np.isnan(spectrum)
    assert common.sum() == N - 90
    image, spectrum, mismatch = (ranked_by_scipy(s[common]) for s in (image, spectrum, mismatch))
    fused = score(run, "geo")
    assert (np.isnan(fused) == ~common).all()
    np.testing.assert_allclose(fused[common] ** 2, mismatch * np.sqrt(image * spectrum))


@pytest.mark.parametrize("missing", [0, 90])
def test_a_joint_permutation_of_rows_changes_nothing(detect, tmp_path, missing):
    fusions = [word for name in ("geo", "any-view", "pareto") for word in ("--fusion", name)]
    write(tmp_path / "v.npz", missing)
    write(tmp_path / "w.npz", missing, np.random.default_rng(1).permutation(N))
    one, other = detect(*fusions), detect(*fusions, out="other", file="w.npz")
    for name in one.lists:
        a, b = one.scores(name), other.scores(name)
        np.testing.assert_allclose(a["score"], b["score"], rtol=1e-5)
        pd.testing.assert_series_equal(a["rank"], b["rank"])


FUSIONS = ("any-view", "avg", "consensus", "geo", "max", "min", "pareto", "quota", "rank-product")


def test_with_a_third_of_a_view_missing_percentiles_stay_in_range_and_orders_hold(detect, tmp_path):
    write(tmp_path / "v.npz", missing=90)
    run = detect(*(word for name in FUSIONS for word in ("--fusion", name)))
    common = detect(
        *(word for name in FUSIONS for word in ("--fusion", name)),
        *(word for n in FUSIONS for word in ("--set", f"detector.{n}.missing=common")),
        out="common",
    )
    both = np.arange(N) < N - 90
    for name in FUSIONS:
        apart, alone = run.scores(name), common.scores(name)
        assert apart["percentile"].between(0, 1, inclusive="right").all()
        assert alone["score"].isna().to_numpy().tolist() == (~both).tolist()
        assert alone["percentile"].dropna().between(0, 1, inclusive="right").all()
        # Among objects in all lists nothing moves, and the others own no more than their share.
        np.testing.assert_array_equal(apart["score"][both], alone["score"][both])
        top = apart["rank"].to_numpy() <= N / 10
        assert top[~both].sum() <= 0.1 * 90 + 1
    assert "fusions rank objects that are in different lists apart: 210 in gaussian image" in (
        run.said.replace("\n", " ")
    )


def test_an_object_in_one_list_is_ranked_by_it(detect, tmp_path):
    write(tmp_path / "v.npz", missing=90)
    run = detect("--fusion", "avg")
    alone = np.arange(N) >= N - 90
    image, fused = (score(run, words)[alone] for words in ("gaussian image", "avg"))
    assert (np.argsort(image) == np.argsort(fused)).all()


def test_details_tell_views_standings_and_uplift(detect, tmp_path):
    write(tmp_path / "v.npz", missing=90)
    run = detect("--fusion", "geo")
    told, both = run.details("geo"), np.arange(N) < N - 90
    assert set(told) == {
        "n_views",
        "uplift",
        "percentile.gaussian.image",
        "percentile.gaussian.spectrum",
        "percentile.gap.image+spectrum",
    }
    assert told["n_views"].tolist() == [2.0] * (N - 90) + [1.0] * 90
    image, spectrum = (score(run, f"gaussian {view}")[both] for view in ("image", "spectrum"))
    best = np.maximum(ranked_by_scipy(image), ranked_by_scipy(spectrum))
    fused = run.scores("geo")["percentile"][both]
    np.testing.assert_allclose(told["uplift"][both], fused - best)
    assert told["uplift"].min() < -0.05
    assert told["uplift"].max() > 0.05
    assert told["percentile.gaussian.spectrum"][~both].isna().all()


def test_a_threshold_means_the_same_from_every_entry_point(detect, tmp_path):
    asked = ("--fusion", "geo", "--set", "detector.geo.thresholds.image=0.9")
    as_set = detect(*asked)
    table = '[detector.geo]\nscope = "fusion"\nthresholds = {image = 0.9}\n'
    (tmp_path / "t.toml").write_text(table)
    as_file = detect("--config", "t.toml", out="file")
    as_python = api.detect(
        embeddings="v.npz",
        detector=["gaussian", "gap"],
        fusion="geo",
        no_companions=True,
        set=["detector.geo.thresholds.image=0.9"],
        out="python",
    )
    image = as_set.scores("gaussian image")["percentile"]
    free = detect("--fusion", "geo", out="free")
    assert score(free, "geo").size == N
    assert np.isfinite(score(free, "geo")).all()
    for run in (as_set, as_file, as_python):
        fused = run.scores("geo")
        assert (fused["score"].notna() == (image >= 0.9)).all()
        assert fused["rank"].max() == (image >= 0.9).sum() == 31
        inside = fused["score"].notna()
        assert (fused["score"][inside] == free.scores("geo")["score"][inside]).all()
    assert "31 of 300 objects reach the thresholds (31 >= 0.9 in gaussian image)" in as_set.said


def test_thresholds_that_nobody_reaches_are_told_with_how_many_reach_each(refused):
    firsts = (("--set", f"detector.geo.thresholds.{word}=1") for word in ("image", "gap"))
    both = ("--detector", "gaussian", "--detector", "gap")
    line = refused(*both, "--fusion", "geo", *(word for first in firsts for word in first))
    assert "none of 300 objects reaches all thresholds (1 >= 1 in gaussian image, 1 >= 1 in" in line


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("--fusion", "gaussian"), "'gaussian' fuses no lists"),
        (("--fusion", "geom"), "no detector is called 'geom'"),
        (("--fusion", "geo"), "detector 'geo' fuses the lists of others, and there are not two"),
        (
            ("--detector", "gaussian", "--fusion", "geo", "--set", "detector.geo.of=['geo']"),
            "detector.geo.of names 'geo', which is this fusion itself",
        ),
        (
            ("--detector", "gaussian", "--fusion", "geo", "--set", "detector.geo.of=['flow']"),
            "detector.geo.of names 'flow'; choose from gaussian",
        ),
        (
            ("--detector", "gaussian", "--fusion", "geo", "--set", "detector.geo.weights.imge=2"),
            "weights: no list is called 'imge'; did you mean 'image'?",
        ),
    ],
)
def test_what_cannot_be_fused_is_refused_in_a_line(refused, asked, told):
    assert told in refused(*asked)


def test_letters_of_a_view_play_no_part(detect, tmp_path):
    """`embedding_hsc_desi` is no image for the three letters in it."""
    write(tmp_path / "v.npz", missing=90)
    write(tmp_path / "w.npz", missing=90, views=("embedding_hsc_desi", "embedding_desi"))
    plain = detect("--fusion", "geo")
    lettered = detect("--fusion", "geo", out="w", file="w.npz")
    np.testing.assert_allclose(score(plain, "geo"), score(lettered, "geo"), rtol=1e-5)


def test_a_fourth_model_needs_no_other_word(fmb, counting, survey):
    models = [word for label in "abcd" for word in ("--model", f"{label}=counting")]
    result = fmb(
        *(
            "detect",
            *models,
            "--weights",
            "random",
            "--data",
            survey,
            "--detector",
            "gaussian",
            "--fusion",
            "any-view",
        ),
        *("--no-companions", "--out", "r"),
    )
    assert result.exit_code == 0, result.stderr
    fused = [name for name in open_run("r").lists if name.is_fusion]
    assert [name.model for name in fused] == ["a", "b", "c", "d"]
    assert all([one.view for one in name.of] == ["image", "spectrum"] for name in fused)


def test_a_weight_follows_its_label_and_not_what_the_label_stood_for(detect):
    weights = ("--fusion", "geo", "--set", "detector.geo.weights.a=9")
    both = ("--detector", "a=gaussian", "--detector", "b=gap")
    swapped = ("--detector", "b=gaussian", "--detector", "a=gap")
    one = detect(*weights, also=both)
    other = detect(*weights, also=swapped, out="other")
    assert np.abs(score(one, "geo") - score(other, "geo")).max() > 0.1


def test_a_view_by_name_is_its_own_list_and_not_the_fused_one(detect):
    run = detect("--fusion", "any-view", also=("--detector", "gaussian"))
    assert [run.list_called(view).view for view in ("image", "spectrum")] == ["image", "spectrum"]
    assert run.list_called("any-view image").detector == "any-view"


def test_a_source_comes_once(detect, tmp_path):
    group = [f"g{i // 2}" for i in range(N)]
    pd.DataFrame({"object_id": range(N), "group": group}).to_csv(tmp_path / "c.csv", index=False)
    run = detect("--fusion", "any-view", "--catalog", "c.csv")
    fused = run.scores("any-view")
    assert fused["rank"].max() <= N / 2
    assert fused["is_repeat"].sum() == N / 2


def test_a_fused_list_has_p_where_its_rule_can_and_its_lists_have(detect, tmp_path):
    aside = np.arange(N) >= 150
    table = pd.DataFrame({"object_id": range(N), "aside": aside.astype(int)})
    table.to_csv(tmp_path / "c.csv", index=False)
    fusions = [word for name in FUSIONS for word in ("--fusion", name)]
    run = detect(*fusions, "--catalog", "c.csv", "--reference", "aside == 1")
    for name in FUSIONS:
        p = run.scores(name)["p_value"]
        assert p[aside].isna().all()
        if name in ("pareto", "quota"):
            assert p.isna().all()
        else:
            assert p[~aside].between(1 / 151, 1).all()
    any_view = run.scores("any-view")[["p_value", "q_value"]]
    assert (any_view["p_value"][:9] <= 0.02).sum() >= 8  # odd in one view, or in both
    assert run.scores("geo")["p_value"][[3, 4, 5]].max() < 0.2
    assert (any_view["q_value"][~aside] >= any_view["p_value"][~aside]).all()
    without = detect(*fusions, out="without")
    assert without.scores("any-view")["p_value"].isna().all()


def test_strategies_compare_what_lists_would_show(detect, fmb, tmp_path):
    run = detect("--fusion", "any-view", "--fusion", "geo")
    result = fmb("analyze", "strategies", "r", "--set", "analysis.strategies.looks=15")
    assert result.exit_code == 0, result.stderr
    looks = pd.read_parquet(run.folder.table("strategies", "looks")).set_index(["detector", "view"])
    assert looks.loc[("gaussian", "image"), ["ordinary", "mismatch_only"]].tolist() == [0, 0]
    chance = looks.loc[("chance", "")]
    assert chance["one_view"] < looks.loc[("any-view", "image+spectrum"), "one_view"]
    kinds = ["one_view", "several_views", "mismatch_only", "ordinary"]
    np.testing.assert_allclose(looks[kinds].sum(axis=1), 15)


def test_a_list_of_what_is_ordinary_is_fused_only_where_it_is_named(detect):
    lists = ("--detector", "gaussian", "--detector", "typical", "--fusion", "any-view")
    fused = {name.detector for name in detect(also=lists).list_called("any-view").of}
    assert fused == {"gaussian"}
    named = ("--set", 'detector.any-view.of=["gaussian", "typical"]')
    run = detect(*named, also=lists, out="named")
    assert {name.detector for name in run.list_called("any-view").of} == {"gaussian", "typical"}
