import io
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.text import Text

from fmb import DataError, ScoreError
from fmb_viz.config import ScoreHistogramConfig
from fmb_viz.score_histogram import ScoreHistogram
from fmb_viz.score_scale import ScoreScale, bin_edges, score_scale


def draw(data, **options):
    return ScoreHistogram(ScoreHistogramConfig(**options)).draw(data)


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def named(panel, gid):
    return next(artist for artist in panel.get_children() if artist.get_gid() == gid)


@pytest.fixture
def scored(data, changed):
    """A figure of a run whose list has these scores, of objects 0, 1, ... strangest first."""

    def scored(score, **changes):
        score = np.sort(np.asarray(score, dtype=np.float64))[::-1]
        n = len(score)
        table = pd.DataFrame(
            {"object_id": np.arange(n), "score": score, "rank": np.arange(1.0, n + 1)}
        )
        objects = pd.DataFrame({"object_id": np.arange(n)})
        return changed(data(1), **({"table": table, "objects": objects} | changes))

    return scored


def counted(panel, gid):
    counts, _, _ = named(panel, gid).get_data()
    return int(counts[counts >= 1].sum())  # an empty bin ends at the bottom of the axis


def normal(n, seed=0):
    return np.random.default_rng(seed).normal(1000.0, 20.0, n)


def test_every_object_is_counted_once_and_the_number_is_written(scored):
    figure = draw(scored(normal(500)))
    assert counted(figure.axes[0], "all") == 500
    assert "Scores of n = 500 objects" in texts(figure)
    ranks = figure.axes[1]
    assert len(named(ranks, "all").get_xdata()) + len(named(ranks, "top").get_xdata()) == 500


def test_the_strangest_are_marked_one_by_one(scored):
    score = normal(500)
    figure = draw(scored(score), top_k=7)
    top = named(figure.axes[1], "top")
    assert top.get_xdata() == pytest.approx(np.sort(score)[::-1][:7])
    assert top.get_ydata().tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert counted(figure.axes[0], "top") == 7


def test_axis_title_and_notes_are_written(scored):
    written = texts(draw(scored(normal(50))))
    assert "flow score: higher is stranger" in written
    assert "myrun: astropt mean joint flow" in written
    assert "simulated data: not evidence" in written
    assert not any("sigma" in text.lower() for text in written)


def test_a_heavy_tail_hides_neither_the_bulk_nor_the_strangest(scored):
    score = np.concatenate([normal(2000), [1e4, 1e6]])
    figure = draw(scored(score))
    for panel in figure.axes:
        low, high = panel.get_xlim()
        assert low < score.min() < 1e6 < high
        place = panel.transAxes.inverted().transform(
            panel.transData.transform([[np.percentile(score, q), 1.0] for q in (2.5, 97.5)])
        )
        assert place[1, 0] - place[0, 0] > 0.05  # on a linear axis it would be 8e-5
    assert any("compressed" in text for text in texts(figure))


@pytest.mark.parametrize("score", [[5.0], [2.0, 2.0, 2.0], [0.0, 0.0], [1.0, 2.0]])
def test_few_or_equal_scores_can_be_drawn(scored, score):
    figure = draw(scored(score))
    figure.savefig(io.BytesIO(), format="png")
    assert counted(figure.axes[0], "all") == len(score)


def test_half_of_the_scores_may_be_equal(scored):
    score = np.concatenate([np.zeros(90), np.arange(10.0)])
    assert counted(draw(scored(score)).axes[0], "all") == 100


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_scores_that_are_not_finite_are_refused(scored, bad):
    made = scored([1.0, 2.0, 3.0])
    table = made.run.table.assign(score=[1.0, bad, 2.0])
    with pytest.raises(ScoreError, match="1 of 3 scores are not finite"):
        draw(scored([1.0, 2.0, 3.0], table=table))


def test_a_figure_for_no_list_or_an_empty_one_is_refused(scored):
    made = scored([1.0, 2.0])
    with pytest.raises(DataError, match=r"myrun: .* is drawn for a list of scores"):
        draw(replace(made, list=None))
    with pytest.raises(DataError, match="no object has a score"):
        draw(scored([1.0, 2.0], table=made.run.table.head(0)))


def test_objects_that_are_not_in_the_list_are_not_counted(scored):
    made = scored(normal(100))
    figure = draw(scored(normal(100), table=made.run.table.head(60)))
    assert "Scores of n = 60 objects" in texts(figure)


def labelled(scored, kinds, **options):
    objects = pd.DataFrame({"object_id": np.arange(len(kinds)), "label": kinds})
    return draw(scored(normal(len(kinds)), objects=objects), **options)


def test_each_kind_has_a_strip_with_its_share_of_the_strangest(scored):
    labels = ["lens"] * 3 + [None] * 50 + ["merger"] * 5 + [""] * 2
    figure = labelled(scored, labels, top_k=2)
    written = texts(figure)
    assert "2 of 3 in top 2" in written
    assert "0 of 5 in top 2" in written
    strips = figure.axes[2]
    beside = {text.get_text(): text.get_position()[1] for text in strips.texts}
    assert beside["merger"] == beside["0 of 5 in top 2"] == 1.5  # the first is at the top
    assert beside["lens"] == beside["2 of 3 in top 2"] == 0.5
    ticks = {
        gid: sorted(float(segment[:, 1].mean()) for segment in named(strips, gid).get_segments())
        for gid in ("all", "top")
    }
    assert ticks["top"] == pytest.approx([0.5, 0.5])
    assert ticks["all"] == pytest.approx([0.5] + 5 * [1.5])
    assert named(strips, "median").get_ydata().tolist() == [1.5, 0.5]


def test_labels_can_be_left_out(scored):
    assert len(labelled(scored, ["lens"] * 10, labels=False).axes) == 2


def test_kinds_without_a_strip_are_counted(scored):
    labels = ["a", "a", "b", "b", "c", "d", *[""] * 20]
    figure = labelled(scored, labels, max_kinds=2)
    assert len(figure.axes[2].texts) == 2 * 2
    assert "2 rarer labels (2 objects) have no strip." in texts(figure)


def test_texts_stay_on_the_page_whatever_the_labels(scored):
    figure = labelled(scored, ["a label as long as a whole sentence of a referee " * 3] * 30)
    figure.canvas.draw()  # axis labels find their place now
    renderer = figure.canvas.get_renderer()
    for text in figure.findobj(Text):
        if text.get_text():
            extent = text.get_window_extent(renderer)
            assert extent.x0 >= 0.0
            assert extent.x1 <= figure.bbox.x1


def test_a_redrawn_figure_has_the_same_bytes(scored):
    made = scored(normal(300))
    for ending, when in (("png", {"Software": None}), ("pdf", {"CreationDate": None})):
        first, second = io.BytesIO(), io.BytesIO()
        for buffer in (first, second):
            draw(made).savefig(buffer, format=ending, metadata=when)
        assert first.getvalue() == second.getvalue()


def test_the_settings_of_the_user_do_not_change_the_figure(scored, user_settings):
    made = scored(normal(300))
    plain, changed = io.BytesIO(), io.BytesIO()
    draw(made).savefig(plain, format="png")
    with mpl.rc_context(user_settings):
        draw(made).savefig(changed, format="png", facecolor="white", edgecolor="white")
    assert changed.getvalue() == plain.getvalue()


finite = st.floats(-1e9, 1e9)


@given(st.lists(finite, min_size=2, max_size=200))
def test_bins_hold_every_score(values):
    score = np.array(values)
    edges = bin_edges(score, score_scale(score))
    assert np.histogram(score, edges)[0].sum() == len(score)
    assert len(edges) - 1 <= 120


@given(finite, st.sampled_from([1.0, 50.0, np.inf]), st.lists(st.floats(-1e6, 1e6), min_size=1))
def test_a_place_on_the_axis_belongs_to_one_score(centre, width, values):
    scale = ScoreScale(centre, width)
    # Relative to the distance from the centre: float64 loses digits in the difference.
    assert scale.inverse(scale.forward(values)) == pytest.approx(values, rel=1e-6, abs=1e-5)


def test_an_ordinary_ranking_has_a_linear_axis():
    assert not score_scale(normal(5000)).compressed
    assert not score_scale(np.ones(10)).compressed


def test_ticks_of_a_compressed_axis_are_round_and_distinct():
    ticks = ScoreScale(1000.0, 60.0).ticks(900.0, 1e5)
    assert len(ticks) >= 4
    assert len(set(ticks)) == len(ticks)
    assert all(len(f"{tick:.12g}".rstrip("0").rstrip(".")) <= 4 for tick in ticks)
