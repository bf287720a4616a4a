"""What a fused list tells of its objects, and what is refused to be fused."""

import numpy as np
import pytest
from two_views import N, ranked_by_scipy, score, write

import fmb as api


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
    told = "31 of 300 objects are in the list, which asks for the percentile 0.9 in gaussian image"
    assert f"{told} (reached by 31)" in " ".join(as_set.said.split())


def test_thresholds_that_nobody_reaches_are_told_with_how_many_reach_each(refused):
    firsts = (("--set", f"detector.geo.thresholds.{word}=1") for word in ("image", "gap"))
    both = ("--detector", "gaussian", "--detector", "gap")
    line = refused(*both, "--fusion", "geo", *(word for first in firsts for word in first))
    each = "1 in gaussian image (reached by 1), 1 in gap image+spectrum (reached by 1)"
    assert f"none of 300 objects has the percentiles asked for, {each}; lower thresholds" in line


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
        (
            ("--detector", "gaussian", "--fusion", "geo", "--set", "detector.geo.of=image"),
            "detector.geo.of = 'image': expected a list, [VALUE, VALUE]",
        ),
        (
            ("--detector", "gaussian", "--fusion", "geo", "--set", "detector.geo.thresholds=0.9"),
            "detector.geo.thresholds = 0.9: expected a table, KEY = VALUE",
        ),
        (
            ("--detector", "gaussian", "--fusion", "gaussian"),
            "'gaussian' is named by --detector and by --fusion: name it once",
        ),
        (
            (
                *("--detector", "gaussian", "--fusion", "consensus"),
                *("--set", "detector.consensus.at_least=3"),
            ),
            "consensus: at_least = 3, and there are 2 lists: no object is in the top of so many",
        ),
    ],
)
def test_what_cannot_be_fused_is_refused_in_a_line(refused, asked, told):
    assert told in refused(*asked)
