"""The documentation is complete, generated parts are fresh, and its code runs."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from inspect import get_annotations
from pathlib import Path
from typing import ClassVar, get_origin
from zipfile import ZipFile

import click
import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.M | re.S)


def test_generated_parts_are_what_the_code_says_now():
    generated = [str(p) for p in PAGES if "[[[cog" in p.read_text()]
    command = [sys.executable, "-m", "cogapp", "-I", str(DOCS), "--check", *generated]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, "run `nox -s docs -- --update`\n" + result.stdout


def every_command(context: click.Context) -> Iterator[click.Context]:
    """A command and those it has, of the core and of plugins."""
    yield context
    group = context.command
    if isinstance(group, click.Group):
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            yield from every_command(click.Context(command, parent=context, info_name=name))


def test_every_option_of_every_command_is_on_the_commands_page():
    from fmb.cli import main

    page = (DOCS / "cli.md").read_text()
    listed = {c.command_path: c for c in every_command(click.Context(main, info_name="fmb"))}
    assert {"fmb run", "fmb weights verify", "fmb data index", "fmb retrain"} <= set(listed)
    for path, context in listed.items():
        _, heading, rest = page.partition(f"# {path}\n")
        assert heading, path
        section = rest.partition("\n#")[0]
        for parameter in context.command.params:
            for option in parameter.opts:
                if option.startswith("-"):
                    assert re.search(rf"(?<![\w-]){option}(?![\w-])", section), (path, option)


def test_every_hook_and_every_field_of_every_record_is_on_the_hooks_page():
    from fmb.contract.hooks import KINDS
    from fmb.contract.model import Accepts, WeightsSpec
    from fmb.contract.spec import ComponentSpec, Spec

    page = (DOCS / "hooks.md").read_text()
    for kind in KINDS:
        assert f"## fmb_register_{kind.plural}() -> Iterable[{kind.__name__}]\n" in page
    for record in (Spec, ComponentSpec, *KINDS, Accepts, WeightsSpec):
        section = page.partition(f"### {record.__name__}\n")[2].partition("\n#")[0]
        said = {
            cells[0]: cells[3]
            for line in section.splitlines()
            if len(cells := [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]) == 4
        }
        for name, kind in get_annotations(record).items():
            if get_origin(kind) is not ClassVar:
                assert said.get(f"`{name}`"), f"{record.__name__}.{name}: no meaning"
        if issubclass(record, Spec) and record is not Spec:
            assert f"the fields of `{record.__base__.__name__}` too" in section


def test_the_records_of_the_hooks_page_are_sound():
    import fmb
    from fmb.contract.hooks import KINDS
    from fmb.plugins.checks import check_record

    _, *examples = blocks(DOCS / "hooks.md", "python")
    for kind, example in zip(KINDS, examples, strict=True):
        plugin = {name: getattr(fmb, name) for name in fmb.__all__}
        exec(f"def register():\n    {example}", plugin)
        (record,) = plugin["register"]()
        check_record(record, kind)


def test_the_figure_of_the_hooks_page_draws():
    from types import SimpleNamespace

    import pandas as pd

    from fmb import Config, PlotData

    code: dict[str, object] = {}
    exec(blocks(DOCS / "hooks.md", "python")[0], code)
    ranked = pd.DataFrame({"rank": [1.0, 2.0], "score": [5.0, 4.0]})
    data = PlotData("mine", [], [SimpleNamespace(ranked=lambda name: ranked)])
    (axes,) = code["ScoreCurve"](Config()).draw(data).axes
    assert axes.lines[0].get_ydata().tolist() == [5.0, 4.0]


def test_every_object_that_a_record_names_is_there():
    from fmb import Config, DatasetSpec, ModelSpec
    from fmb.contract.hooks import KINDS
    from fmb.contract.spec import ComponentSpec
    from fmb.plugins.loading import load_plugins

    plugins = load_plugins()
    assert not plugins.failures
    for component in (c for kind in KINDS for c in plugins.registry.all(kind)):
        spec = component.spec
        component.load()
        if isinstance(spec, ComponentSpec):
            assert issubclass(component.load_config(), Config)
        named = []
        if isinstance(spec, DatasetSpec):
            named = [spec.sniff]
        if isinstance(spec, ModelSpec):
            named = [spec.importer, spec.converter, spec.retrain_config]
            named += [weights.card for weights in spec.weights]
        for target in filter(None, named):
            component.resolve(target)  # raises PluginError, which says what lacks what


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def lines_of_code(source: str, name: str) -> int:
    """Lines of a class from `class` on, without blank ones and docstrings."""
    (made,) = (
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef) and node.name == name
    )
    said = {
        line
        for node in ast.walk(made)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for line in range(node.lineno, node.end_lineno + 1)
    }
    lines = enumerate(source.splitlines(), 1)
    return sum(
        bool(line.strip()) and made.lineno <= number <= made.end_lineno and number not in said
        for number, line in lines
    )


def test_the_detector_of_the_guide_is_a_working_plugin(tmp_path):
    pyproject = blocks(DOCS / "writing-a-detector.md", "toml")[0]
    plugin, detector, contract = blocks(DOCS / "writing-a-detector.md", "python")
    assert '"fmb-core"' in pyproject
    assert lines_of_code(detector, "FarthestDetector") <= 10
    project = tmp_path / "project"
    package = project / "src" / "fmb_farthest"
    package.mkdir(parents=True)
    (project / "pyproject.toml").write_text(pyproject)
    (package / "plugin.py").write_text(plugin)
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=project, check=True, capture_output=True)
    with ZipFile(tmp_path / "fmb_farthest-1.0-py3-none-any.whl") as wheel:
        assert "fmb_farthest/plugin.py" in wheel.namelist()
    package = tmp_path / "fmb_farthest"
    info = tmp_path / "fmb_farthest-1.0.dist-info"
    for folder in (package, info):
        folder.mkdir()
    (package / "__init__.py").touch()
    (package / "plugin.py").write_text(plugin)
    (package / "detector.py").write_text(detector)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fmb-farthest\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[fmb]\nfarthest = fmb_farthest.plugin\n")
    (tmp_path / "test_farthest.py").write_text(contract)
    script = (
        "import numpy as np; np.savez('v.npz', object_id=np.arange(60),"
        " v=np.random.default_rng(0).normal(size=(60, 3)))\n"
        "from fmb.cli import main\n"
        "main(['detect', '--embeddings', 'v.npz', '--detector', 'farthest',"
        " '--set', 'detector.farthest.power=1'])"
    )
    for command in (["-c", script], ["-m", "pytest", "-q", "test_farthest.py"]):
        result = subprocess.run(
            [sys.executable, *command],
            cwd=tmp_path,
            env={"PYTHONPATH": str(tmp_path), "FMB_HOME": str(tmp_path / "home"), "PATH": ""},
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, result.stdout + result.stderr
