"""The packages work as wheels, without the source tree, and so does a stranger's package."""

import ast
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pandas as pd
import pytest

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parent.parent
STRANGER = REPOSITORY / "tests" / "third_party"
PACKAGES = [path.parent for path in sorted(REPOSITORY.glob("fmb-*/pyproject.toml"))]


def run(*command, cwd=None, **environment):
    """A process that sees neither the source tree nor the settings of this one."""
    hidden = ("PYTHON", "FMB_", "PYTEST_", "VIRTUAL_ENV")
    known = {key: value for key, value in os.environ.items() if not key.startswith(hidden)}
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**known, "PYTHONNOUSERSITE": "1", **environment},
        capture_output=True,
        text=True,
    )


def project(package):
    return (package / "pyproject.toml").read_text(encoding="utf-8")


def succeed(*command, **more):
    done = run(*command, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheels")
    for package in (*PACKAGES, STRANGER):
        succeed(
            sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=package
        )
    return sorted(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def fresh(tmp_path_factory, wheels):
    """An environment with all wheels."""
    return environment(tmp_path_factory.mktemp("fresh") / "venv", wheels)


def environment(folder, wheels):
    """A virtual environment with `wheels`; what others publish is shared with this one.

    Shared by links to all but what FMB installed here: neither an editable install nor its
    declared plugins can leak in.
    """
    succeed(sys.executable, "-m", "venv", folder)
    # Older versions of Python bring a setuptools that would hide the one torch asks for.
    succeed(folder / "bin" / "pip", "uninstall", "-q", "-y", "setuptools")
    published = folder / "published"
    published.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if not entry.name.startswith(("fmb", "_fmb", "__editable__")) and entry.suffix != ".pth":
            (published / entry.name).symlink_to(entry)
    (own,) = folder.glob("lib/python*/site-packages")
    (own / "published.pth").write_text(f"{published}\n")
    # Not --no-deps: pip then sees to it that all a wheel needs is there.
    succeed(folder / "bin" / "pip", "install", "-q", "--no-index", "--no-compile", *wheels)
    return folder / "bin"


def test_a_wheel_holds_its_package_and_nothing_else(wheels):
    assert len(wheels) == len(PACKAGES) + 1
    for wheel in wheels:
        names = zipfile.ZipFile(wheel).namelist()
        package = "fmb" if wheel.name.startswith("fmb_core") else wheel.name.partition("-")[0]
        assert {name.partition("/")[0].partition("-")[0] for name in names} == {
            package,
            wheel.name.partition("-")[0],
        }
        assert f"{package}/py.typed" in names
        assert not [name for name in names if "/test_" in name or "/tests/" in name]


def test_what_runs_comes_from_the_wheels(fresh, wheels, tmp_path):
    code = """
import json
from importlib import import_module
from importlib.metadata import entry_points

print(json.dumps({
    entry.dist.name: [import_module(entry.module).__file__, str(entry.dist.locate_file(""))]
    for entry in entry_points(group="fmb")
}))
"""
    found = json.loads(succeed(fresh / "python", "-c", code, cwd=tmp_path).stdout)
    declaring = [path for path in (*PACKAGES, STRANGER) if "entry-points.fmb" in project(path)]
    assert len(found) == len(declaring)
    for files in found.values():
        for file in files:
            assert Path(file).is_relative_to(fresh.parent)


def components(bin_folder, cwd):
    """(kind, qualified name) of all that is installed."""
    listed = json.loads(succeed(bin_folder / "fmb", "plugins", "--json", cwd=cwd).stdout)
    assert not listed["failures"]
    return {(c["kind"], f"{c['plugin']}:{c['name']}") for c in listed["components"]}


def test_bundled_weights_are_in_the_wheels(fresh, tmp_path):
    listed = json.loads(succeed(fresh / "fmb", "weights", "list", "--json", cwd=tmp_path).stdout)
    bundled = {
        (row["model"], row["weights"]): row["state"]
        for row in listed
        if row["from"].startswith("package:")
    }
    assert ("astroclip", "tiny") in bundled
    assert set(bundled.values()) == {"bundled"}
    for model, name in bundled:
        told = succeed(fresh / "fmb", "weights", "verify", model, name, cwd=tmp_path).stdout
        assert str(fresh.parent) in told


@pytest.mark.parametrize("model", ["aion", "astroclip"])
def test_a_models_wheel_beside_the_core_adds_exactly_that_model(wheels, tmp_path, model):
    core, added = (
        [w for w in wheels if w.name.startswith(f"{name}-")]
        for name in ("fmb_core", f"fmb_{model}")
    )
    installed = environment(tmp_path / "venv", core)
    before = components(installed, tmp_path)
    assert not [name for kind, name in before if kind == "model"]
    succeed(installed / "pip", "install", "-q", "--no-index", "--no-compile", *core, *added)
    assert components(installed, tmp_path) - before == {("model", f"{model}:{model}")}
    assert before < components(installed, tmp_path)


def test_a_model_embeds_without_the_training_and_says_how_to_get_it(wheels, tmp_path, make_survey):
    names = ("fmb_core", "fmb_surveys", "fmb_aion")
    installed = environment(tmp_path / "venv", [w for w in wheels if w.name.startswith(names)])
    make_survey(tmp_path / "tiny", n=4)
    asked = ("--model", "aion", "--weights", "random", "--data", "tiny/survey.toml")
    done = succeed(
        installed / "fmb", "embed", *asked, "--allow-out-of-domain", "--json", cwd=tmp_path
    )
    assert {row["vectors"] for row in json.loads(done.stdout)} == {4}
    refused = run(installed / "fmb", "retrain", "aion", *asked[2:], "--out", "x", cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    (line,) = refused.stderr.splitlines()
    assert line.endswith("the command 'retrain' is not installed: pip install 'fmb-aion[train]'")


def told_in(module):
    """Lines of docstrings in a module."""
    texts = [node for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.Expr)]
    told = [node for node in texts if isinstance(node.value, ast.Constant)]
    return sum(node.end_lineno - node.lineno + 1 for node in told)


def test_the_stranger_needs_only_the_core_and_few_lines():
    modules = sorted((STRANGER / "src" / "fmb_norm_demo").glob("*.py"))
    assert len(modules) >= 11
    for module in modules:
        lines = [line for line in module.read_text().splitlines() if line.strip()]
        if module.stem in ("vision", "spectral"):  # a whole model each: lines of code alone
            assert len(lines) - told_in(module) <= 80
            continue
        assert module.name == "plugin.py" or len(lines) <= 40  # plugin.py declares them all
    assert 'dependencies = ["fmb-core>=' in project(STRANGER)


def test_the_stranger_passes_the_contract_where_it_is_installed(fresh, tmp_path):
    shutil.copytree(STRANGER / "tests", tmp_path / "tests")
    done = succeed(fresh / "python", "-m", "pytest", "-q", "tests", cwd=tmp_path)
    assert " passed" in done.stdout


SMALL = ("--set", "data.n_objects=40", "--top", "2")


@pytest.fixture(scope="module")
def done(fresh, tmp_path_factory):
    """A folder in which everything of the stranger's has run once."""
    folder = tmp_path_factory.mktemp("stranger")
    asked = (
        *("--detector", "norm", "--detector", "misfit", "--detector", "fused=mean-rank"),
        *("--analysis", "top=shared", "--set", "analysis.top.k=5"),
        *("--plot", "lengths", "--plot", "shared-tops", "--out", "all"),
        *("--no-companions", "--set", "detector.fused.missing=common"),
    )
    succeed(fresh / "fmb", "run", "--model", "astropt", *asked, *SMALL, cwd=folder)
    return folder


def test_a_pair_of_views_and_a_fusion_of_lists_reach_the_list(fresh, done):
    listed = json.loads(succeed(fresh / "fmb", "top", "all", "-k", "3", "--json", cwd=done).stdout)
    views = ("image", "spectrum", "joint")
    pair = fused = "astropt.tails.image+spectrum"
    assert list(listed) == [
        *(f"astropt.tails.{view}.norm" for view in views), f"{pair}.misfit", f"{fused}.fused"
    ]  # fmt: skip
    assert all(len(rows) == 3 for rows in listed.values())
    scores = done / "fmb-runs" / "runs" / "all" / "scores"
    tables = {path.stem: pd.read_parquet(path) for path in scores.glob("*.parquet")}
    members = [tables[n] for n in listed if not n.endswith("fused") and ".joint." not in n]
    common = pd.concat([table["score"].notna() for table in members], axis=1).all(axis=1)
    ranked = pd.concat([t["score"].where(common).rank() / common.sum() for t in members], axis=1)
    mean = tables[f"{fused}.fused"]["score"]
    assert (mean[common] - ranked.mean(axis=1)[common]).abs().max() < 1e-12
    assert mean[~common].isna().all()


def test_details_are_kept_with_their_units_and_shown(fresh, done):
    scores = done / "fmb-runs" / "runs" / "all" / "scores"
    details = pd.read_parquet(scores.parent / "details" / "astropt.tails.image.norm.parquet")
    table = pd.read_parquet(scores / "astropt.tails.image.norm.parquet")
    have = table["score"].notna()
    assert (details["widest"].notna() == have).all()
    assert (details["widest"][have] <= table["score"][have]).all()  # the longest of many legs
    objects = pd.read_parquet(scores.parent / "objects.parquet")
    first = str(objects["object_id"][table["score"].idxmax()])
    told = succeed(fresh / "fmb", "object", first, "--run", "all", cwd=done).stdout
    line = next(
        line
        for line in " ".join(told.split()).split(" astropt ")
        if "norm" in line and "widest" in line
    )
    assert " sigma" in line


def test_analyses_figures_and_a_command_of_a_stranger_work(fresh, done):
    run_folder = done / "fmb-runs" / "runs" / "all"
    pairs = pd.read_parquet(run_folder / "analyses" / "top.pairs.parquet")
    assert len(pairs) == 10  # of five lists
    assert pairs["shared"].between(0, 5).all()
    figures = {path.name for path in (run_folder / "plots").glob("*.png")}
    views = ("image", "spectrum", "joint")
    assert figures == {"shared-tops.png", *(f"astropt.tails.{v}.lengths.png" for v in views)}
    named = succeed(fresh / "fmb", "first", "all", cwd=done).stdout.splitlines()
    assert len(named) == 5
    assert "first" in succeed(fresh / "fmb", "--help", cwd=done).stdout


def test_a_strangers_dataset_embedder_and_engine_work(fresh, done):
    asked = (
        *("--model", "astropt", "--detector", "norm"),
        *("--data", "dots", "--where", "object_id < 30"),
        *("--embedder", "largest", "--set", "embedder.largest.k=2"),
    )
    by_threads = succeed(
        fresh / "fmb", "detect", *asked, "--engine", "threads", "--out", "dots", cwd=done
    )
    assert "astropt image (largest), norm: the strangest of 30" in by_threads.stdout
    here = succeed(fresh / "fmb", "detect", *asked, "--out", "here", cwd=done)
    assert here.stdout.splitlines()[:8] == by_threads.stdout.splitlines()[:8]
    both = succeed(fresh / "fmb", "analyze", "common", "dots", "here", cwd=done).stdout.split()[-1]
    assert pd.read_parquet(done / both)["common"].tolist() == [30]
    apart = run(fresh / "fmb", "analyze", "common", "all", "dots", cwd=done)
    assert (apart.returncode, apart.stderr.count("\n")) == (2, 1)
    assert "no object in common" in apart.stderr


def test_a_strangers_models_take_any_survey_to_a_list(fresh, tmp_path):
    code = """
import json, sys
from pathlib import Path
import numpy as np
from fmb_norm_demo.vision import shapes
from safetensors.numpy import save_file

sizes = {"model_type": "dinov2", "hidden_size": 12, "image_size": 28, "patch_size": 14,
         "mlp_ratio": 4, "num_attention_heads": 3, "num_hidden_layers": 2, "layer_norm_eps": 1e-6}
rng = np.random.default_rng(0)
Path("dino").mkdir()
Path("dino/config.json").write_text(json.dumps(sizes))
made = {name: rng.normal(0, 0.2, shape).astype("f4") for name, shape in shapes(sizes).items()}
save_file(made, "dino/model.safetensors")
"""
    succeed(fresh / "python", "-c", code, cwd=tmp_path)
    common = ("--data", "demo", "--detector", "gaussian", *SMALL)
    seen = succeed(
        *(fresh / "fmb", "run", "--model", "vision", "--weights", "dino", *common),
        *("--input", "image=euclid", "--set", "model.vision.bands=['NISP-H', 'NISP-Y', 'VIS']"),
        cwd=tmp_path,
    )
    assert "vision image (mean), gaussian: the strangest of" in seen.stdout
    read = succeed(
        fresh / "fmb", "run", "--model", "spectral", "--weights", "random", *common, cwd=tmp_path
    )
    assert "spectral spectrum (mean), gaussian: the strangest of" in read.stdout


def test_what_an_extra_would_bring_is_said_and_is_no_failure(fresh, done):
    listed = succeed(fresh / "fmb", "--strict", "plugins", cwd=done).stdout
    rows = " ".join(listed.split())  # folded to the screen
    assert "norm-demo:cube" in rows
    assert "not available: pip install 'fmb-norm-demo[cube]'" in rows
    asked = run(fresh / "fmb", "plot", "all", "--plot", "cube", cwd=done)
    assert (asked.returncode, asked.stdout) == (2, "")
    assert asked.stderr == "fmb: plot 'cube' is not available: pip install 'fmb-norm-demo[cube]'\n"


def test_a_strangers_detector_runs_while_it_is_installed(fresh, done, tmp_path):
    succeed(fresh / "pip", "uninstall", "-q", "-y", "fmb-norm-demo", cwd=tmp_path)
    refused = run(
        fresh / "fmb", "run", "--model", "astropt", "--detector", "norm", *SMALL, cwd=tmp_path
    )
    assert (refused.returncode, refused.stdout) == (2, "")
    (line,) = refused.stderr.splitlines()
    assert "no detector is called 'norm'" in line
    assert "flow, from-table, gaussian" in line
    assert "pip install" in line
