"""The gallery: which objects, what is written of each, and that nothing overlaps."""

import subprocess
import sys
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from drawn_grid import boxes_in, draw, saved, small_print, texts
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.image import AxesImage
from matplotlib.text import Text

from fmb import DataError, Note
from fmb_viz.lines import LINES


def test_each_object_has_a_panel_for_each_instrument(data):
    assert len(boxes_in(draw(data(5)))) == 5 * 2


def test_no_more_objects_are_shown_than_asked_for(data):
    assert len(boxes_in(draw(data(5), n_objects=3))) == 3 * 2


def test_a_page_of_many_objects_takes_as_many_artists_as_one_of_few(data):
    def artists(n):
        made = draw(data(n, catalog={"redshift": 0.4}), n_objects=n)
        return len([a for a in made.findobj() if not isinstance(a, (Text, AxesImage))])

    assert artists(30) == artists(2)


def test_rank_id_standing_and_score_of_each_object_are_written(data):
    written = texts(draw(data(2)))
    assert "#1\xa0\xa039633345008000000" in written
    assert "#2\xa0\xa039633345008000001" in written
    assert "top 0.05 % (1 of 2,000)    score 200" in written
    assert "top 0.1 % (2 of 2,000)    score 199.9" in written


def test_a_place_is_one_among_all_of_the_list_however_few_are_shown(data, changed):
    whole = data(2)
    shown = whole.run.ranked(whole.list).iloc[:500]
    shown.attrs["ranked"] = 2000
    assert "top 0.05 % (1 of 2,000)    score 200" in texts(draw(changed(whole, table=shown)))


def test_what_the_catalogue_knows_is_written_and_what_it_does_not_is_not(data):
    catalog = {
        "label": ["lens", None, ""] + [""] * 1997,
        "redshift": [0.25, np.nan, 0.5] + [0.1] * 1997,
        "mag_r": np.float32([19.5, 20.0, np.nan] + [21.0] * 1997),
        "mag_z": 18.0,
    }
    written = texts(draw(data(3, catalog=catalog)))
    assert [text for text in written if text.startswith("label")] == ["label: lens"]
    assert "top 0.05 % (1 of 2,000)    score 200    redshift 0.25    mag_r 19.5" in written
    assert "top 0.1 % (2 of 2,000)    score 199.9    mag_r 20" in written
    assert "top 0.15 % (3 of 2,000)    score 199.9    redshift 0.5" in written


def test_columns_that_are_asked_for_are_written_exactly(data):
    catalog = {"TARGETID": 10**18 + np.arange(2000), "mag_r": 20.0}
    written = " ".join(texts(draw(data(1, catalog=catalog), facts=("TARGETID",))))
    assert "TARGETID 1000000000000000000" in written
    assert "mag_r" not in written


def test_title_score_and_every_note_are_written(data):
    notes = ("simulated data: not evidence", "not photometric")
    made = data(2, notes=(Note("simulated", notes[0]), Note("data", notes[1])))
    written = texts(draw(made))
    assert "myrun: astropt mean joint flow" in written
    assert set(notes) <= set(written)
    assert "The 2 strangest, in order, of 2,000 objects; score: flow score" in written
    assert not any("sigma" in text.lower() for text in written)


def test_a_gallery_without_its_data_is_refused(data, changed):
    made = data(2)
    with pytest.raises(DataError, match=r"myrun: .* is drawn for a list of scores"):
        draw(replace(made, list=None))
    with pytest.raises(DataError, match="no object has a score"):
        draw(changed(made, table=made.run.table.head(0)))
    with pytest.raises(DataError, match="needs the cutouts"):
        draw(changed(made, batch=made.run.batch.take(np.arange(0))))
    with pytest.raises(DataError, match="39633345008000001 has a cutout but no score"):
        draw(changed(made, table=made.run.table.drop(index=1)))


def test_objects_that_are_not_in_the_list_are_not_counted(data, changed):
    made = data(1)
    shorter = changed(made, table=made.run.table.head(1000))
    assert "top 0.1 % (1 of 1,000)    score 200" in texts(draw(shorter))


def test_the_order_of_the_cutouts_does_not_matter(data, changed):
    made = data(4)
    turned = changed(made, batch=made.run.batch.take([2, 0, 3, 1]))
    assert saved(draw(turned)) == saved(draw(made))


@pytest.mark.parametrize("ending", ["png", "pdf"])
def test_a_redrawn_figure_has_the_same_bytes(data, ending):
    first, second = (saved(draw(data(2, catalog={"redshift": 0.4})), ending) for _ in range(2))
    assert first == second


def test_the_settings_of_the_user_do_not_change_and_are_not_changed(data, user_settings):
    made = data(2, catalog={"redshift": 0.4, "label": "lens"})
    plain = saved(draw(made))
    with mpl.rc_context(user_settings):
        before = dict(mpl.rcParams)
        assert saved(draw(made)) == plain
        assert dict(mpl.rcParams) == before


def test_pyplot_is_never_imported():
    code = (
        "import sys, fmb_viz.outlier_grid, fmb_viz.score_histogram;"
        "assert 'matplotlib.pyplot' not in sys.modules;"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_ids_and_labels_are_printed_as_they_are(data):
    ids = np.array([f"SDSS_$x^2${i}" for i in range(2000)])
    figure = draw(data(2, ids=ids, catalog={"label": r"$\frac$ \textbf{lens}"}))
    saved(figure)  # mathtext would fail on these
    assert "#1\xa0\xa0SDSS_$x^2$0" in texts(figure)
    assert r"label: $\frac$ \textbf{lens}" in texts(figure)


SURVEYS = {
    "images only": lambda images, spectra, n: {"euclid": images(n, bands=("VIS",))},
    "spectra only": lambda images, spectra, n: {"desi": spectra(n)},
    "pairs": lambda images, spectra, n: {"hsc": images(n), "desi": spectra(n)},
    "two cameras": lambda images, spectra, n: {
        "euclid": images(n, bands=("VIS", "Y", "J", "H")),
        "legacysurvey": images(n),
        "desi": spectra(n),
    },
}


@pytest.mark.parametrize("n", [1, 7, 30])
@pytest.mark.parametrize("survey", SURVEYS)
def test_nothing_overlaps_or_leaves_the_page(data, images, spectra, survey, n):
    ids = np.array([f"EUCLID-Q1-{60 + i / 1e6:.6f}-50.335519-with-a-tail" for i in range(2000)])
    catalog = {"label": "a label with several words", "redshift": 0.3, "mag_r": 19.0}
    made = data(n, inputs=SURVEYS[survey](images, spectra, n), ids=ids, catalog=catalog)
    figure = draw(made, n_objects=n)
    boxes = boxes_in(figure)
    width, height = figure.get_size_inches()
    for i, (low, high) in enumerate(boxes):
        assert (low >= 0.0).all()
        assert high[0] <= width
        assert high[1] <= height
        for other_low, other_high in boxes[:i]:
            assert (low >= other_high - 1e-6).any() or (high <= other_low + 1e-6).any()
    assert width <= 17.0 or n == 1
    assert len(boxes) == n * len(made.run.batch.inputs)
    renderer = FigureCanvasAgg(figure).get_renderer()
    headings = [text.get_window_extent(renderer) for text in figure.texts]
    lows = [[e.x0 / figure.dpi, height - e.y1 / figure.dpi] for e in headings]
    highs = [[e.x1 / figure.dpi, height - e.y0 / figure.dpi] for e in headings]
    for text, extent in small_print(figure):
        if text.startswith(("top ", "score ", "redshift ", "mag_r ", "label: ")):
            lows.append(extent.min)
            highs.append(extent.max)
        assert (extent.min >= 0.0).all()
        assert (extent.max <= [width, height]).all()
    assert len(lows) > 3 * n
    for text_low, text_high in zip(np.array(lows), np.array(highs), strict=True):
        assert text_low[0] >= 0.0
        assert text_high[0] <= width
        for low, high in boxes:
            assert not ((text_low < high) & (text_high > low)).all()


def test_names_of_lines_touch_neither_each_other_nor_the_text_of_the_card(data, spectra):
    made = data(1, inputs={"desi": spectra(1)}, catalog={"redshift": 0.1, "label": "x" * 60})
    figure = draw(made)
    known = {line.name for line in LINES}
    names = [extent for text, extent in small_print(figure) if text in known]
    others = [extent for text, extent in small_print(figure) if text.startswith(("label", "top"))]
    assert len(names) == 13  # from [O II] to the first [S III], in 4000 to 9990 A at z = 0.1
    for i, one in enumerate(names):
        assert not any(one.overlaps(other) for other in [*names[i + 1 :], *others])


def test_no_text_is_smaller_than_seven_points(data, spectra):
    figure = draw(data(2, catalog={"redshift": 0.3, "label": "lens"}))
    assert min(text.get_fontsize() for text in figure.findobj(Text) if text.get_text()) >= 7.0


def test_columns_can_be_set(data):
    left = {round(box[0][0], 3) for box in boxes_in(draw(data(6), columns=3))}
    assert len(left) == 3 * 2
