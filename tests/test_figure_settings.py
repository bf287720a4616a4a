"""Figures are the same for all: whatever matplotlib is set up to be, and however it is cached."""

import io
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from fmb_train.history import draw_losses

RCFILE = """
text.usetex: True
font.family: serif
font.size: 30
axes.grid: True
axes.unicode_minus: False
figure.dpi: 300
figure.figsize: 20, 2
lines.antialiased: False
patch.antialiased: False
path.sketch: 5, 10, 3
path.snap: False
savefig.dpi: 40
savefig.facecolor: red
savefig.bbox: tight
savefig.transparent: True
svg.fonttype: none
"""

PLAIN = {"MPLBACKEND": None, "MATPLOTLIBRC": None}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory, make_survey, process):
    """A workspace with a run of 40 objects and its figures, drawn without settings of a user."""
    place = tmp_path_factory.mktemp("plain")
    survey = make_survey(place / "tiny")
    words = f"run --model astropt --weights tiny --detector gaussian --data '{survey}' --out mine"
    done = process(words, place, FMB_HOME=str(place / "home"), **PLAIN)
    assert done.returncode == 0, done.stderr.decode()
    return place / "home"


@pytest.fixture
def redraw(drawn, tmp_path, process):
    """Draw the figures of one list anew in some environment: file -> bytes; it must say nothing."""

    def redraw(**environment):
        home = tmp_path / "home"
        shutil.copytree(drawn, home, ignore=shutil.ignore_patterns("figures", "plots"))
        words = "plot mine --list 'gaussian image'"
        done = process(words, tmp_path, FMB_HOME=str(home), **{**PLAIN, **environment})
        assert (done.returncode, done.stderr.decode()) == (0, "")
        return {path.name: path.read_bytes() for path in (home / "runs/mine/plots").glob("*.png")}

    return redraw


@pytest.fixture
def before(drawn):
    files = {path.name: path.read_bytes() for path in (drawn / "runs/mine/plots").glob("*.png")}
    return {name: body for name, body in files.items() if ".image." in name}


def test_settings_of_the_user_change_no_pixel_of_a_figure(redraw, before, tmp_path):
    (tmp_path / "rc").write_text(RCFILE)
    assert len(before) == 2
    assert redraw(MATPLOTLIBRC=str(tmp_path / "rc")) == before


@pytest.mark.parametrize("backend", ["module://matplotlib_inline.backend_inline", "nonsense"])
def test_a_figure_needs_no_backend_of_a_notebook_or_a_window(redraw, before, backend):
    assert redraw(MPLBACKEND=backend) == before


def test_what_matplotlib_finds_wrong_with_its_folders_and_settings_is_not_told(
    redraw, before, tmp_path
):
    (tmp_path / "rc").write_text("text.usetex: perhaps\nno colon\nfoo.bar: 3\n")
    assert redraw(MATPLOTLIBRC=str(tmp_path / "rc"), MPLCONFIGDIR="/dev/null/x") == before


def test_figures_of_ones_own_keep_the_backend_that_was_chosen(drawn):
    code = """
import os, fmb
figure = fmb.open_run("mine").plot("score-histogram")
assert os.environ["MPLBACKEND"] == "svg"
import matplotlib.pyplot as plt
assert plt.get_backend() == "svg"
plt.switch_backend("pdf")
fmb.open_run("mine").plot("score-histogram")
assert plt.get_backend() == "pdf"
"""
    environment = {"FMB_HOME": str(drawn), "MPLBACKEND": "svg"}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()


def test_a_notebook_shows_a_figure_as_it_is_kept_whatever_style_is_in_use(drawn, before):
    code = """
import sys, fmb, matplotlib
matplotlib.rcParams.update({"savefig.dpi": 20, "font.family": "serif", "lines.antialiased": False})
figure = fmb.open_run("mine").plot("score-histogram", list="gaussian image")
sys.stdout.buffer.write(figure._repr_png_())
"""
    shown = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "FMB_HOME": str(drawn)},
        capture_output=True,
        check=True,
    ).stdout
    (kept,) = [body for name, body in before.items() if "score-histogram" in name]
    assert np.array_equal(pixels(shown), pixels(kept))


def pixels(png):
    import matplotlib.image  # not above: MPLBACKEND may name what is not installed here

    return matplotlib.image.imread(io.BytesIO(png))


def test_the_figure_of_a_training_has_no_settings_of_the_user_either(tmp_path):
    history = [{"epoch": i, "train_loss": 3.0 - i, "validation_loss": 3.5 - i} for i in range(3)]
    draw_losses(tmp_path, history)
    plain = (tmp_path / "loss.png").read_bytes()
    import matplotlib  # not above: MPLBACKEND may name what is not installed here

    with matplotlib.rc_context({"font.family": "serif", "savefig.dpi": 20, "axes.grid": True}):
        draw_losses(tmp_path, history)
    assert (tmp_path / "loss.png").read_bytes() == plain
