"""The tables of the results page say what was measured."""

import sys
from pathlib import Path

import numpy as np
import pytest

from fmb_analyses.evaluate.screen import mean_of
from fmb_analyses.evaluate.truth import Kind
from fmb_analyses.results import Measured

sys.path.append(str(Path(__file__).parents[1] / "docs" / "results"))
import demo_page
import demo_results

SCIENCE = ("lens", "merger", "agn", "second-redshift")
SEEN = [Kind(n, np.ones(1, bool), np.ones(1, bool), "image", "science") for n in SCIENCE]


def measured(value, half_width=0.1):
    return Measured(value, value - half_width, value + half_width, 0.5, 1000, 60)


class Column(demo_page.Column):
    """A column of which each measure is its strength, and 0.9 over all strengths."""

    def measured(self, kind, detector, metric, strength=None):
        return measured(0.9 if strength is None else strength)


@pytest.fixture
def columns():
    return [Column(name, name, None, None) for name in ("ours", "theirs")]


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_kind_is_above_or_below_where_the_interval_leaves_out_zero(columns, monkeypatch):
    found = dict(zip(SCIENCE, (0.3, -0.3, 0.2, 0.05), strict=True))
    monkeypatch.setattr(demo_page, "less", lambda a, b, kind, detector: measured(found[kind.name]))
    verdict, table = demo_page.differences(columns, SEEN, "gaussian")
    assert verdict == (
        "ours is above theirs on 2 (lens, agn) of the 4 science kinds and below it on 1 (merger)."
    )
    lines = [cells(line) for line in table.splitlines()]
    assert ["lens", "image", "0.30 [0.20, 0.40]"] in lines
    # Four independent kinds of half width 0.1: sqrt(4 x 0.01) / 4 = 0.05 round 0.0625.
    assert ["*science*", "", "0.06 [0.01, 0.11]"] in lines


def test_a_row_is_there_for_each_strength_and_one_for_all(columns):
    table = demo_page.by_strength(columns, SEEN, "gaussian", "auroc")
    rows = [cells(line) for line in table.splitlines() if line.startswith("| lens ")]
    assert [row[3] for row in rows] == ["weak", "middle", "strong", "all"]
    assert [row[4][:4] for row in rows] == ["0.00", "0.50", "1.00", "0.90"]


def test_what_was_not_measured_is_a_dash():
    assert demo_page.cell(None) == "-"
    assert demo_page.mean([measured(0.5), None]) == "-"


def test_a_mean_of_kinds_has_the_error_of_independent_kinds():
    values = [Measured(0.5, 0.2, 0.9, 0.5, 1, 1), Measured(0.7, 0.3, 1.0, 0.5, 1, 1)]
    mean = mean_of(values)
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
