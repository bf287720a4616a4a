"""The packages work as wheels, without the source tree, and so does a stranger's package."""

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
    assert len(found) == len(wheels)
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


def test_the_stranger_needs_only_the_core_and_few_lines():
    plugin = (STRANGER / "src" / "fmb_norm_demo" / "plugin.py").read_text()
    assert len([line for line in plugin.splitlines() if line.strip()]) <= 12
    project = (STRANGER / "pyproject.toml").read_text()
    assert 'dependencies = ["fmb-core>=' in project


def test_the_stranger_passes_the_contract_where_it_is_installed(fresh, tmp_path):
    shutil.copytree(STRANGER / "tests", tmp_path / "tests")
    done = succeed(fresh / "python", "-m", "pytest", "-q", "tests", cwd=tmp_path)
    assert " passed" in done.stdout


def test_a_strangers_detector_runs_while_it_is_installed(fresh, tmp_path):
    assert "norm-demo:norm" in succeed(fresh / "fmb", "plugins", cwd=tmp_path).stdout

    asked = (fresh / "fmb", "run", "--model", "astropt", "--detector", "norm")
    small = ("--set", "data.n_objects=40", "--view", "image", "--top", "2")
    done = succeed(*asked, *small, cwd=tmp_path)
    assert "astropt image (tails), norm: the strangest of" in done.stdout
    (scores,) = (tmp_path / "fmb-runs" / "runs").glob("*/scores/*norm*.parquet")
    table = pd.read_parquet(scores)
    assert len(table) == 40
    assert table["score"].gt(0).sum() >= 30  # few simulated objects have no image

    succeed(fresh / "pip", "uninstall", "-q", "-y", "fmb-norm-demo", cwd=tmp_path)
    done = run(*asked, *small, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "no detector is called 'norm'" in line
    assert "flow, gaussian" in line
    assert "pip install" in line
