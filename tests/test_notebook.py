"""A run in a notebook: lists by words, objects, figures and what it says of itself."""

import os
import shutil
import subprocess
import sys
from copy import copy
from datetime import datetime
from pathlib import Path

import h5py
import numpy as np
import pytest

import fmb as api
from fmb import DataError, FmbError, StoreError, UnknownNameError, open_run

N = 40


@pytest.fixture
def mine(fmb, tmp_path):
    """A run on vectors of two views with two detectors of each: four lists, no cutouts."""
    rng = np.random.default_rng(0)
    views = {view: rng.normal(size=(N, 4)).astype(np.float32) for view in ("image", "spectrum")}
    np.savez(tmp_path / "v.npz", object_id=np.arange(N) + 100, **views)
    words = ["--detector", "gaussian", "--detector", "wide=gaussian", "--no-companions"]
    result = fmb("detect", "--embeddings", "v.npz", *words, "--out", "mine")
    assert result.exit_code == 0, result.stderr
    return open_run("mine")


@pytest.fixture
def pixels(fmb, survey):
    """A run on images and spectra of 40 objects that keeps cutouts of the strangest two a list."""
    words = ["--model", "astropt", "--weights", "random", "--detector", "gaussian"]
    asked = ["--data", survey, "--view", "image", "--view", "spectrum", "--top", "2"]
    result = fmb("run", *words, *asked, "--out", "pixels", "--plot", "score-histogram")
    assert result.exit_code == 0, result.stderr
    return open_run("pixels")


def texts(figure):
    """All that is written on a figure."""
    return figure.findobj(lambda artist: hasattr(artist, "get_text"))


@pytest.mark.parametrize("words", ["wide image", "image wide", "own image wide as-is"])
def test_words_in_any_order_pick_one_list(mine, words):
    (wanted,) = [name for name in mine.lists if (name.detector, name.view) == ("wide", "image")]
    assert mine.list_called(words) == wanted
    assert set(mine.top(3, list=words)["detector"]) == {"wide"}
    assert mine.scores(words).equals(mine.scores(wanted))
    assert mine.ranked(words).equals(mine.ranked(wanted.stem))


def test_words_that_fit_several_lists_are_refused_with_words_that_fit_one(mine):
    with pytest.raises(UnknownNameError) as error:
        mine.top(list="wide")
    told = str(error.value)
    assert "'wide' names 2 lists of run 'mine'" in told
    for name in mine.lists:
        assert (name.stem in told) is (name.detector == "wide")
    assert told.endswith("add a word, for instance 'wide image'")


def test_a_misspelt_word_gets_the_words_that_were_meant(mine):
    with pytest.raises(UnknownNameError, match="did you mean 'wide image'") as error:
        mine.ranked("wide imag")
    assert all(name.stem in str(error.value) for name in mine.lists)
    with pytest.raises(UnknownNameError, match=r"has no list 'zebra'; it has own\."):
        mine.scores("zebra")


def test_the_lists_of_a_run_are_shown_with_words_that_pick_them(mine):
    lines = repr(mine.lists).splitlines()
    assert len(lines) == 4
    for line, name in zip(lines, mine.lists, strict=True):
        words, _, stem = line.rpartition("  ")
        assert stem == name.stem
        assert mine.list_called(words.strip()) == name


def test_top_label_and_export_take_a_list_by_words(mine, fmb, tmp_path):
    top = fmb("top", "mine", "--list", "spectrum wide", "--ids", "-k", "3")
    ids = mine.top(3, list="wide spectrum")["object_id"].astype(str).tolist()
    assert top.stdout.split() == ids
    assert fmb("label", "mine", "odd", ids[1], "--list", "spectrum wide").exit_code == 0
    (event,) = mine.label_book.events()[0]
    assert (event.rank, event.list) == (2, mine.list_called("wide spectrum").stem)
    out = tmp_path / "l.csv"
    assert fmb("export", "mine", "--list", "spectrum wide", "-o", str(out)).exit_code == 0
    assert len(out.read_text().splitlines()) == 1 + N
    wrong = fmb("top", "mine", "--list", "wide")
    assert wrong.exit_code == 2
    assert "names 2 lists" in wrong.stderr


def test_a_run_says_what_it_is_of_in_lines_of_eighty_characters(mine):
    lines = repr(mine).splitlines()
    assert lines[0] == "run mine: 40 objects of v.npz"
    assert len(lines) == 1 + len(mine.lists)
    for line, name in zip(lines[1:], mine.lists, strict=True):
        words, _, count = line.strip().rpartition("  ")
        assert mine.list_called(words.strip()) == name
        assert count == "40 ranked"
    assert max(map(len, lines)) <= 80


def test_a_run_of_which_everything_else_is_gone_still_says_what_it_was(mine, home):
    told = repr(mine)
    shutil.rmtree(home)
    again = copy(mine)
    vars(again).pop("lists", None)
    assert repr(again) == told


def test_a_part_of_a_run_says_that_it_is_one(mine):
    mine.label([100, 101], "artefact")
    assert repr(mine.showing(without="artefact")).splitlines()[1] == "shown: without artefact"


def test_names_and_vectors_are_shown_as_people_read_them(mine):
    view = mine.vectors("image")
    assert repr(view) == "<own image (as-is): 40 of 40 objects, 4 numbers each>"
    assert repr(mine.vector_names) == "[own.as-is.image, own.as-is.spectrum]"
    assert repr(mine.list_called("wide image")) == "own.as-is.image.wide"


def test_an_object_is_told_as_the_command_tells_it(mine, fmb):
    mine.label(103, "lens")
    card = mine.object(103)
    printed = fmb("object", "103", "--run", "mine").stdout.split()
    assert repr(card).split() == printed
    assert max(map(len, repr(card).splitlines())) <= 80
    assert card.label.name == "lens"
    ranks = [mine.scores(name)["rank"].iloc[3] for name in mine.lists]
    assert [place.rank for place in card.places] == ranks
    assert repr(mine.object("103")) == repr(card)


def test_an_object_is_a_table_in_a_notebook_whatever_its_values_hold(mine):
    mine.objects["name"] = "<b>&"
    shown = mine.object(100)._repr_html_()
    assert "<b>object 100 of run mine</b>" in shown
    assert "<li>name = &lt;b&gt;&amp;</li>" in shown
    assert shown.count("<tr") == 1 + len(mine.lists)


def test_an_id_that_no_object_has_is_told_with_the_nearest(mine):
    with pytest.raises(UnknownNameError, match=r"run 'mine' has no object '1033'.*mean '103'"):
        mine.object(1033)
    with pytest.raises(DataError, match="expected one id an object"):
        mine.object([100, 101])


def test_cutouts_of_ids_are_what_the_survey_holds_in_the_order_of_the_ids(pixels, survey):
    second, first = pixels.top(2, list="gaussian image")["object_id"][::-1]
    with h5py.File(survey.with_name("tiny.h5")) as file:
        flux = file["image/flux"][:]
    for ids in ([second, first], [first, second]):
        batch = pixels.cutouts(ids)
        assert batch.ids.tolist() == ids
        rows = [(i + 50_000) // 7919 for i in ids]
        assert np.array_equal(batch.inputs["euclid"].flux, flux[rows])
    assert pixels.cutouts(str(first)).ids.tolist() == [first]
    assert pixels.cutouts([first, first]).ids.tolist() == [first]
    assert pixels.cutouts("image", 2).ids.tolist() == [first, second]


def test_objects_of_which_no_cutouts_are_kept_are_named(pixels, mine):
    kept = {i for name in pixels.lists for i in pixels.cutouts(name, 2).ids.tolist()}
    others = [i for i in pixels.objects["object_id"].tolist() if i not in kept]
    with pytest.raises(StoreError) as error:
        pixels.cutouts([*others, *kept])
    told = str(error.value)
    assert f"keeps cutouts of {len(kept)} objects" in told
    assert f"not of {', '.join(map(str, others[:5]))} and {len(others) - 5} more" in told
    with pytest.raises(UnknownNameError, match="has no object '5'"):
        pixels.cutouts([5])
    with pytest.raises(StoreError, match="vectors only"):
        mine.cutouts([100])


def files(home):
    return {path: path.stat().st_mtime_ns for path in home.rglob("*")}


def test_a_figure_is_drawn_for_the_notebook_and_nothing_is_written(pixels, home):
    before = files(home)
    figure = pixels.plot("score-histogram", list="spectrum")
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert any("astropt spectrum" in text.get_text() for text in texts(figure))
    assert pixels.plot()._repr_png_().startswith(b"\x89PNG")  # the gallery
    assert files(home) == before


def test_a_figure_changes_neither_pyplot_nor_settings_of_the_user(mine):
    code = """
import sys, fmb, matplotlib
settings = lambda: {k: v for k, v in dict.items(matplotlib.rcParams) if k != "backend"}
before = settings()
fmb.open_run("mine").plot("score-histogram")._repr_png_()
assert "matplotlib.pyplot" not in sys.modules
assert settings() == before
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_options_of_a_figure_are_those_of_the_command(mine):
    five = texts(mine.plot("score-histogram", top_k=5))
    seven = texts(mine.plot("many=score-histogram", top_k=7))
    assert any("5 strangest" in text.get_text() for text in five)
    assert any("7 strangest" in text.get_text() for text in seven)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"name": "score-histogran"}, "did you mean 'score-histogram'"),
        ({"name": "score-histogram", "top_j": 3}, "did you mean 'top_k'"),
        ({"name": "score-histogram", "top_k": "x"}, "top_k = 'x'"),
        ({"name": "score-histogram", "list": "wide imag"}, "did you mean 'wide image'"),
        ({"name": "score-histogram", "view": "image"}, "drawn of a list, not of a view"),
        ({"name": "outlier-grid"}, "vectors only, no cutouts"),
    ],
)
def test_a_figure_that_cannot_be_drawn_is_one_line(mine, asked, told):
    with pytest.raises(FmbError, match=told):
        mine.plot(**asked)


def test_unasked_a_run_without_cutouts_shows_a_figure_that_needs_none(mine):
    assert any("strangest" in text.get_text() for text in texts(mine.plot()))


def test_fmb_plot_draws_of_one_list_by_words(mine, fmb, home):
    drawn = fmb("plot", "mine", "--list", "image wide")
    assert [Path(line).name for line in drawn.stdout.split()] == [
        "own.as-is.image.wide.score-histogram.png"
    ]
    wrong = fmb("plot", "mine", "mine", "--list", "image wide")
    assert (wrong.exit_code, "name one RUN" in wrong.stderr) == (2, True)


def test_all_runs_are_a_table_whatever_state_they_are_in(mine, home):
    shutil.copytree(home / "runs" / "mine", home / "runs" / "begun")
    (home / "runs" / "begun" / "manifest.json").unlink()
    shutil.copytree(home / "runs" / "mine", home / "runs" / "torn")
    (home / "runs" / "torn" / "run.toml").write_text("[")
    for second, name in enumerate(("mine", "begun", "torn")):
        os.utime(home / "runs" / name / "run.toml", (10**9 + second, 10**9 + second))
    table = api.runs()
    assert table["run"].tolist() == ["mine", "begun", "torn"]
    assert table["state"].tolist() == ["finished", "unfinished", "damaged"]
    assert table["data"].tolist() == ["own vectors", "own vectors", ""]
    assert table["detectors"].tolist() == ["gaussian wide", "gaussian wide", ""]
    local = datetime.fromtimestamp(10**9).replace(second=0)
    assert table["made"].tolist() == [local] * 3
    assert table["seconds"].isna().tolist() == [False, True, True]


@pytest.mark.parametrize("first", ["fmb.runs()", "fmb.Run", "import fmb.runs.run"])
def test_runs_can_be_asked_for_whatever_was_imported_before(home, first):
    code = f"import fmb; {first}; print(len(fmb.runs()), len(fmb.runs()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "0"]


def test_a_misspelt_run_gets_the_name_that_was_meant(mine):
    with pytest.raises(UnknownNameError, match="did you mean 'mine'"):
        open_run("mien")
