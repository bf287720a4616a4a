"""Fused lists through the command line: who is fused, among whom, and how it is ranked."""

import numpy as np
import pandas as pd
import pytest
from two_views import N, ranked_by_scipy, score, write

from fmb import open_run


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
