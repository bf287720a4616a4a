"""The tables of the results page say what their scores imply."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fmb_analyses.bootstrap import Interval

sys.path.append(str(Path(__file__).parents[1] / "docs" / "results"))
import demo_page
import demo_results
import planted

N = 200
KINDS = ("lens", "merger", "agn", "second-redshift")


@pytest.fixture(scope="module")
def objects():
    """Hosts, and a copy of each at one of three strengths, of one of the science kinds."""
    hosts = np.arange(N)
    label = np.resize(KINDS, N)
    strength = np.resize([0.0, 0.5, 1.0], N)
    return pd.DataFrame(
        {
            "object_id": np.arange(2 * N),
            "injected_from": np.concatenate([hosts, hosts]),
            "group": np.concatenate([hosts, hosts]),
            "label": np.concatenate([np.full(N, "ordinary"), label]),
            "strength": np.concatenate([np.full(N, np.nan), strength]),
        }
    )


def entrant(name, objects, shift):
    """Scores that are the same for host and copy but for `shift(label)` times the strength."""
    rng = np.random.default_rng(0)
    base = np.tile(rng.normal(size=N), 2)
    moved = [shift(kind) for kind in objects["label"]] * np.nan_to_num(objects["strength"])
    scores = pd.Series(base + moved, index=objects["object_id"])
    return demo_page.Entrant(name, "gaussian", dict.fromkeys(planted.VIEWS, scores))


@pytest.fixture(scope="module")
def comparison(objects):
    ours = entrant("ours", objects, lambda kind: 100.0 if kind in ("lens", "agn") else 0.0)
    theirs = entrant("theirs", objects, lambda kind: 100.0 if kind == "merger" else 0.0)
    return demo_page.Comparison(objects, [ours, theirs])


def cells(table):
    return {
        tuple(c.strip() for c in line.split("|")[1:3]): [c.strip() for c in line.split("|")[3:-1]]
        for line in table.splitlines()
    }


def test_a_kind_is_above_or_below_where_the_interval_of_the_difference_leaves_out_zero(comparison):
    (verdict,) = comparison.verdicts()
    assert verdict == (
        "ours is above theirs on 2 (lens, agn) of the 4 science kinds and below it on 1 (merger)."
    )


def test_differences_are_those_of_the_two_auroc(objects, comparison):
    ours, theirs = (
        planted.compared(objects, column.scores["image"], "lens", None)
        for column in comparison.columns
    )
    value = cells(comparison.differences())["lens", "image"][0]
    assert value.startswith(f"{ours.value - theirs.value:.2f} ")


def test_strong_copies_are_all_found_and_weak_ones_are_like_hosts(objects, comparison):
    scores = comparison.columns[0].scores["image"]
    assert planted.recall_in_top(objects, scores, "lens", 1.0).value == 1
    assert planted.compared(objects, scores, "lens", 1.0).value == 1
    assert planted.compared(objects, scores, "lens", 0.0).value == 0.5  # copies like their hosts


def test_a_row_is_there_for_each_strength_and_one_for_all(comparison):
    table = comparison.by_strength(planted.compared)
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| lens ")]
    assert [row[4].strip() for row in rows] == ["weak", "middle", "strong", "all"]


def test_a_mean_of_kinds_has_the_error_of_independent_kinds():
    rows = [[Interval(0.5, 0.2, 0.9)], [Interval(0.7, 0.3, 1.0)]]
    (mean,) = demo_page.averages(rows, 1)
    assert mean.value == pytest.approx(0.6)
    assert mean.value - mean.low == pytest.approx((0.3**2 + 0.4**2) ** 0.5 / 2)
    assert mean.high - mean.value == pytest.approx((0.4**2 + 0.3**2) ** 0.5 / 2)


def test_what_stands_above_the_mark_of_a_page_is_kept(tmp_path):
    page = tmp_path / "page.md"
    demo_results.write(page, iter(["# Title", "first"]))
    assert page.read_text() == "# Title\n\nfirst\n"
    page.write_text(f"# Mine\n\nby hand\n\n{demo_results.MARK}\n\nold\n")
    demo_results.write(page, iter(["# Title", "second"]))
    assert page.read_text() == f"# Mine\n\nby hand\n\n{demo_results.MARK}\n\nsecond\n"
