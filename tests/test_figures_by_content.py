"""A figure is drawn once: a second look at a survey draws what is new in it and nothing else."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.text import Text

from fmb import open_run

N = 90
FEW = "fell back to the Gaussian"
"""What a flow says of its fit to so few objects."""


@pytest.fixture
def run(fmb, tmp_path):
    """`fmb run` on vectors of one's own, which has no cutouts: run("--out", "mine", ...)."""
    values = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    np.savez(tmp_path / "v.npz", object_id=np.arange(60), v=values)

    def run(*more):
        return fmb("run", "--embeddings", "v.npz", "--detector", "gaussian", *more)

    return run


def done(result):
    assert result.exit_code == 0, result.stderr
    return result


def test_the_same_request_again_draws_nothing(run, home, tmp_path):
    done(run("--out", "mine"))
    command = ["run", "--embeddings", "v.npz", "--detector", "gaussian", "--out", "again"]
    code = (
        "import sys; from fmb.cli import main;"
        f"main({command}, prog_name='fmb', standalone_mode=False);"
        "assert 'matplotlib' not in sys.modules, 'imported'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
    first, second = (
        next((home / "runs" / name / "plots").glob("*.png")) for name in ("mine", "again")
    )
    assert first.samefile(second)


def test_what_a_figure_is_made_from_decides_whether_it_is_drawn_again(run, fmb, home, tmp_path):
    done(run("--out", "mine"))
    kept = home / "figures"
    assert len(list(kept.iterdir())) == 1
    done(run("--out", "same"))
    assert len(list(kept.iterdir())) == 1
    done(fmb("plot", "mine", "--set", "plot.score-histogram.top_k=3"))
    assert len(list(kept.iterdir())) == 2
    done(run("--fit", "in-sample", "--out", "other"))
    assert len(list(kept.iterdir())) == 3
    values = np.load(tmp_path / "v.npz")["v"]
    np.savez(tmp_path / "v.npz", object_id=np.arange(60), v=values + np.arange(4))
    done(run("--out", "moved"))
    assert len(list(kept.iterdir())) == 4


def test_a_figure_lives_on_when_what_is_kept_is_removed_and_is_drawn_with_the_same_bytes(
    run, fmb, home
):
    done(run("--format", "png", "--format", "pdf", "--format", "svg", "--out", "mine"))
    shutil.rmtree(home / "figures")
    plots = home / "runs" / "mine" / "plots"
    before = {path.name: path.read_bytes() for path in plots.iterdir()}
    assert len(before) == 3
    done(fmb("plot", "mine"))
    (kept,) = (home / "figures").iterdir()
    for name, body in before.items():
        assert (plots / name).read_bytes() == body
        assert (plots / name).samefile(kept / f"figure.{name.rpartition('.')[2]}")


@pytest.fixture
def look(fmb, tmp_path):
    """`fmb run` on two views of the same objects: look("one", "gaussian") gives the run."""
    random = np.random.default_rng(0)
    hidden = random.normal(size=(N, 3))
    views = {view: (hidden + 0.3 * random.normal(size=(N, 3))).astype(np.float32) for view in "ab"}
    np.savez(tmp_path / "v.npz", object_id=np.arange(N), **views)

    def run(name, detector):
        result = fmb("run", "--embeddings", "v.npz", "--detector", detector, "--out", name)
        assert result.exit_code == 0, result.stderr
        return open_run(name)

    return run


def figures(home, run):
    """Figures of a run by the list they are of, without the name of the model."""
    plots = (home / "runs" / run / "plots").glob("*.score-histogram.png")
    return {path.name.removeprefix("own.as-is.").split(".score")[0]: path for path in plots}


def written(run, words):
    """All that is written on the histogram of a list."""
    figure = run.plot("score-histogram", list=words)
    return " ".join(text.get_text() for text in figure.findobj(Text))


def test_another_detector_draws_no_figure_of_a_list_that_is_as_it_was(look, home):
    look("one", "gaussian")
    second = look("two", "flow")
    assert any(FEW in note.text for note in second.notes)
    (again,) = figures(home, "one").keys() & figures(home, "two").keys() - {"a+b.any-view"}
    assert again == "a+b.mismatch"
    assert figures(home, "one")[again].samefile(figures(home, "two")[again])
    # Of each run: its detector on two views, their fusion; of both: the mismatch.
    assert len(list((home / "figures").iterdir())) == 2 * 3 + 1


def test_a_figure_tells_what_concerns_its_list_and_the_lists_it_is_made_from(look):
    run = look("one", "flow")
    (of_a,) = [n.text for n in run.notes if FEW in n.text and n.text.startswith("own a ")]
    told = {words: of_a in written(run, words) for words in ("flow a", "flow b", "any-view")}
    assert told == {"flow a": True, "flow b": False, "any-view": True}
    assert of_a not in written(run, "mismatch")
