"""Figures of a run: which are drawn, as which files, and what happens when one fails."""

import json
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from fmb import open_run

PLUGIN = """
from fmb import PlotSpec, hookimpl

FMB_API = 1


@hookimpl
def fmb_register_plots():
    yield PlotSpec(name="curve", summary="C", target="curve_parts:Curve",
                   config="curve_parts:CurveConfig", per="list")
    yield PlotSpec(name="unasked", summary="U", target="curve_parts:Unasked", default=True,
                   config="curve_parts:UnaskedConfig", per="run")
    yield PlotSpec(name="compared", summary="S", target="curve_parts:Compared", per="runs")
"""
PARTS = """
from matplotlib.figure import Figure
from fmb import Config


class CurveConfig(Config):
    width: float = 1.0


class UnaskedConfig(Config):
    pass


class Curve:
    def __init__(self, config):
        self.config = config

    def draw(self, data):
        figure = Figure()
        table = data.runs[0].ranked(data.list or data.runs[0].lists[0])
        figure.add_subplot(title=data.title).plot(
            table["rank"], table["score"], linewidth=getattr(self.config, "width", 1.0)
        )
        return figure


Unasked = Compared = Curve
"""


class Plugin:
    """A package with three figures, installed; its parts can be rewritten."""

    def __init__(self, folder, monkeypatch):
        self.parts = folder / "curve_parts.py"
        info = folder / "curve_dist-1.2.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: curve-dist\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text("[fmb]\ncurve = curve_plugin\n")
        (folder / "curve_plugin.py").write_text(PLUGIN)
        self.write(PARTS)
        monkeypatch.syspath_prepend(str(folder))

    def write(self, text):
        self.parts.write_text(text)
        sys.modules.pop("curve_parts", None)

    def breaks(self, old, new):
        self.write(PARTS.replace(old, new))


@pytest.fixture
def curve(tmp_path, monkeypatch):
    yield Plugin(tmp_path / "site", monkeypatch)
    sys.modules.pop("curve_parts", None)


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


def drawn(home, name="mine"):
    """Names of figures in a run's folder, without that of the list."""
    files = (home / "runs" / name / "plots").glob("*.[ps][ndv][gf]")
    return {path.name.removeprefix("own.as-is.v.gaussian.") for path in files}


def said(result):
    """The one line that tells what went wrong."""
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("fmb: ")]
    return line


def test_figures_are_png_unless_other_files_are_asked_for(run, fmb, home):
    done(run("--out", "mine"))
    assert drawn(home) == {"score-histogram.png"}
    done(fmb("plot", "--format", "pdf", "--format", "svg"))
    assert drawn(home) == {f"score-histogram.{ending}" for ending in ("png", "pdf", "svg")}
    heads = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}
    for ending, head in heads.items():
        (path,) = (home / "runs" / "mine" / "plots").glob(f"*.{ending}")
        assert path.read_bytes().startswith(head)


def test_run_toml_keeps_the_formats_and_the_manifest_names_the_files(run, fmb, home):
    done(run("--format", "pdf", "--format", "png", "--out", "mine"))
    toml = tomllib.loads((home / "runs" / "mine" / "run.toml").read_text())
    assert toml["run"]["figure_formats"] == ["pdf", "png"]
    named = open_run("mine").manifest["figures"]
    assert [name.rpartition(".")[2] for name in named] == ["pdf", "png"]
    assert all((home / "runs" / "mine" / name).is_file() for name in named)
    printed = done(fmb("plot", "mine")).stdout.split()
    assert [name.rpartition(".")[2] for name in printed] == ["pdf", "png"]


def test_an_unknown_format_is_one_line_before_anything_is_made(run, home):
    result = run("--format", "gif", "--out", "mine")
    assert result.exit_code == 2
    assert "run.figure_formats.0 = 'gif': input should be 'png', 'pdf' or 'svg'" in result.stderr
    assert not (home / "runs").exists()


def test_a_run_names_the_folder_of_its_figures_in_one_line(run, home):
    printed = done(run("--format", "pdf", "--format", "png", "--out", "mine")).stdout
    (line,) = [line for line in printed.splitlines() if "plots" in line]
    assert line == f"look at 2 figures in {home / 'runs' / 'mine' / 'plots'}"


def test_a_figure_that_fails_is_named_in_one_line_and_drawn_later(curve, run, fmb, home):
    curve.breaks("figure = Figure()", "figure = 1 / 0")
    result = run("--plot", "curve", "--plot", "score-histogram", "--out", "mine")
    assert result.exit_code == 1
    assert said(result) == (
        "fmb: 1 figure was not drawn: own.as-is.v.gaussian.curve (plot 'curve' of plugin 'curve'"
        " (curve-dist 1.2) failed at 'v: own v (as-is), gaussian': ZeroDivisionError: division by"
        " zero); all else is kept, and `fmb plot mine` draws what is missing"
    )
    assert "the strangest of 60" in result.stdout
    manifest = home / "runs" / "mine" / "manifest.json"
    before = manifest.read_bytes()
    record = json.loads(before)
    assert record["figures"] == ["plots/own.as-is.v.gaussian.score-histogram.png"]
    (failed,) = record["not_drawn"]
    assert failed["figure"] == "own.as-is.v.gaussian.curve"
    assert "ZeroDivisionError" in failed["why"]
    assert "Traceback" in (home / "runs" / "mine" / "run.log").read_text()
    curve.write(PARTS)
    done(fmb("plot", "mine"))
    assert "curve.png" in drawn(home)
    assert manifest.read_bytes() == before
    later = json.loads((home / "runs" / "mine" / "plots" / "drawn.json").read_text())
    assert later["files"]["plots/own.as-is.v.gaussian.curve.png"]["figure"] == "curve:curve"


def test_many_figures_that_fail_are_one_line(curve, run):
    curve.breaks("figure = Figure()", "figure = 1 / 0")
    labels = [word for label in "abcde" for word in ("--plot", f"{label}=curve")]
    line = said(run(*labels, "--out", "mine"))
    assert line.startswith("fmb: 5 figures were not drawn: own.as-is.v.gaussian.a, ")
    assert "own.as-is.v.gaussian.c and 2 more (" in line


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("from matplotlib", "from no_such_module"),
        ("class UnaskedConfig(Config):\n    pass", "class UnaskedConfig(Config):\n    must: int"),
        ("class UnaskedConfig(Config):", "class UnaskedConfig:"),
    ],
    ids=["import", "configuration", "no configuration"],
)
def test_a_figure_drawn_unasked_that_is_broken_stops_no_run(curve, run, home, old, new):
    curve.breaks(old, new)
    result = run("--out", "mine")
    assert result.exit_code == 1
    assert said(result).startswith("fmb: 1 figure was not drawn: unasked (")
    assert "the strangest of 60" in result.stdout
    assert drawn(home) == {"score-histogram.png"}
    assert [one["figure"] for one in open_run("mine").manifest["not_drawn"]] == ["unasked"]


def test_settings_of_a_figure_leave_no_other_out(curve, run, fmb, home):
    done(run("--set", "plot.score-histogram.top_k=3", "--out", "mine"))
    assert drawn(home) == {"score-histogram.png", "unasked.png"}
    done(fmb("plot", "mine", "--set", "plot.curve.width=2"))
    assert drawn(home) == {"score-histogram.png", "unasked.png", "curve.png"}


def test_named_figures_are_drawn_and_no_others(curve, run, fmb, home):
    done(run("--plot", "curve", "--set", "plot.curve.width=2", "--out", "mine"))
    assert drawn(home) == {"curve.png"}
    toml = home / "runs" / "mine" / "run.toml"
    done(fmb("run", "--config", toml, "--out", "again"))
    assert drawn(home, "again") == {"curve.png"}
    done(fmb("plot", "mine", "--plot", "unasked"))
    assert drawn(home) == {"curve.png", "unasked.png"}
    curve.breaks("figure = Figure()", 'raise ValueError("two\\nlines")')
    line = said(fmb("plot", "mine", "--plot", "other=curve"))
    assert "ValueError: two lines" in line
    assert line.endswith("`fmb plot mine --plot other=curve` draws what is missing")


def test_figures_of_other_runs_share_no_folder(curve, run, fmb, home):
    for name in ("a-b", "c", "a", "b-c"):
        done(run("--plot", "curve", "--out", name))
    places = [
        Path(done(fmb("plot", *names, "--plot", "compared")).stdout.strip())
        for names in (("a-b", "c"), ("a", "b-c"))
    ]
    assert len({place.parent for place in places}) == 2
    assert len({place.read_bytes() for place in places}) == 2  # their titles differ


def test_figures_of_many_runs_have_a_folder_of_their_own(curve, run, fmb, home):
    names = [f"{letter}{'x' * 60}" for letter in "abcde"]
    for name in names:
        done(run("--plot", "curve", "--out", name))
    places = [done(fmb("plot", *some, "--plot", "compared")).stdout for some in (names, names[1:])]
    assert places[0] != places[1]


def test_a_run_tells_what_the_models_of_a_list_read(fmb, survey, home):
    command = ["run", "--model", "astropt", "--weights", "random", "--data", survey]
    bands = ["--set", "model.astropt.bands=['VIS', 'NISP-H']", "--plot", "score-histogram"]
    done(fmb(*command, *bands, "--detector", "gaussian", "--out", "mine"))
    reads = {name.view: open_run("mine").reads(name) for name in open_run("mine").lists}
    image, spectrum = {"euclid": ("VIS", "NISP-H")}, {"desi": ()}
    both = image | spectrum
    assert reads == {"image": image, "spectrum": spectrum, "joint": both, "image+spectrum": both}


def test_of_own_vectors_nobody_knows_what_was_read(run, home):
    done(run("--out", "mine"))
    assert open_run("mine").reads("own.as-is.v.gaussian") is None
