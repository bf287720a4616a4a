"""The documentation is complete, generated parts are fresh, and its code runs."""

import re
import subprocess
import sys
from pathlib import Path

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


def test_every_option_of_every_command_is_on_the_commands_page():
    from fmb.cli import COMMANDS, main

    page = (DOCS / "cli.md").read_text()
    context = click.Context(main, info_name="fmb")
    for name in COMMANDS:
        command = main.get_command(context, name)
        several = command.commands.items() if isinstance(command, click.Group) else []
        for path, one in [(name, command), *((f"{name} {sub}", c) for sub, c in several)]:
            assert f" fmb {path}\n" in page
            for parameter in one.params:
                assert all(option in page for option in parameter.opts if option[0] == "-")


def test_every_hook_and_every_field_of_every_record_is_on_the_hooks_page():
    from dataclasses import fields

    from fmb.contract import hooks as hookspecs
    from fmb.contract.model import Accepts, WeightsSpec
    from fmb.contract.spec import Spec

    page = (DOCS / "hooks.md").read_text()
    for hook in hookspecs.HOOKS.values():
        assert f"## {hook}(" in page
    for record in (Spec, *Spec.__subclasses__(), Accepts, WeightsSpec):
        assert f"### {record.__name__}\n" in page
        assert all(f"| `{field.name}` |" in page for field in fields(record))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_the_detector_of_the_guide_is_a_working_plugin(tmp_path):
    pyproject = blocks(DOCS / "writing-a-detector.md", "toml")[0]
    plugin, detector, contract = blocks(DOCS / "writing-a-detector.md", "python")
    assert '"fmb-core"' in pyproject
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
