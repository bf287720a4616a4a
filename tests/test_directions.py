"""The house stays in order: imports go down, nothing goes in a circle, rooms keep their size."""

import ast
import builtins
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from fmb.contract.hooks import KINDS
from fmb.plugins.loading import load_plugins

REPOSITORY = Path(__file__).parent.parent
CORE = REPOSITORY / "fmb-core" / "src" / "fmb"
OTHERS = sorted(p for p in REPOSITORY.glob("fmb-*/src/*") if p.is_dir() and p != CORE)

FLOORS = {
    "commands": 12,
    "data_commands": 12,
    "cli": 11,
    "steps": 10,
    "fitted": 9,
    "cache": 8,
    "lists": 8,
    "embedding": 7,
    "runs": 7,
    "listing": 6,
    "plan": 6,
    "torch": 6,
    "labels": 5,
    "matching": 5,
    "own": 5,
    "request": 5,
    "testing": 5,
    "crossfit": 4,
    "datasets": 4,
    "measured": 4,
    "vectors": 4,
    "weights": 4,
    "conditioning": 3,
    "blocks": 3,
    "conditions": 3,
    "files": 3,
    "foreign": 3,
    "plugins": 3,
    "scoring": 3,
    "store": 3,
    "terminal": 3,
    "order": 2,
    "contract": 1,
    "messages": 0,
}
"""Package -> floor; each imports only those on lower floors, and itself."""
BUDGET_PACKAGE, BUDGET_FILE = 1600, 300
FACES = {
    "fmb",
    "fmb.torch",
    "fmb.weights",
    "fmb.scoring",
    "fmb.conditions",
    "fmb.crossfit",
    "fmb.datasets",
    "fmb.files",
    "fmb.order",
    "fmb.testing",
}
"""What every distribution imports of the core."""
FOR_COMMANDS = {
    "fmb.cli",
    "fmb.matching",
    "fmb.plan",
    "fmb.request",
    "fmb.store",
    "fmb.terminal",
}
"""What a distribution that adds commands imports besides; models write weights, so they may not."""


def module(path: Path) -> str:
    parts = path.relative_to(CORE.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imported(path: Path) -> Iterator[str]:
    """Full names of what a file imports, at its top or inside a function, for types or to run."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from names if any(name in MODULES for name in names) else [str(node.module)]


MODULES = {module(path): path for path in CORE.rglob("*.py")}
ARROWS = {
    name: sorted({m for m in imported(path) if m in MODULES and m != name})
    for name, path in MODULES.items()
}


def package(name: str) -> str:
    return name.split(".")[1] if "." in name else ""


def upward(arrows: dict[str, list[str]]) -> list[str]:
    """Imports that do not go down: to a higher floor, or to a neighbour."""
    return [
        f"{name} imports {target}"
        for name, targets in arrows.items()
        for target in targets
        if package(name) in FLOORS
        and package(target) in FLOORS
        and package(name) != package(target)
        and FLOORS[package(target)] >= FLOORS[package(name)]
    ]


def circles(arrows: dict[str, list[str]]) -> list[list[str]]:
    """Files that import each other in a loop, each loop once."""
    loops, done = [], set()

    def walk(name: str, trail: list[str]) -> None:
        if name in trail:
            loops.append([*trail[trail.index(name) :], name])
        elif name not in done:
            for target in arrows[name]:
                walk(target, [*trail, name])
            done.add(name)

    for name in arrows:
        walk(name, [])
    return loops


def test_every_package_of_the_core_has_a_floor():
    assert {p.name for p in CORE.iterdir() if p.is_dir() and p.name != "__pycache__"} == set(FLOORS)


def test_imports_of_the_core_only_go_down():
    assert upward(ARROWS) == []


def test_no_files_of_the_core_import_each_other_in_a_circle():
    assert circles(ARROWS) == []


def test_the_guards_see_an_arrow_up_and_a_circle():
    store, cli = "fmb.store.atomic", "fmb.commands.top"
    assert upward({store: [cli], cli: []}) == [f"{store} imports {cli}"]
    assert circles({"a": ["b"], "b": ["c"], "c": ["b"]}) == [["b", "c", "b"]]


def test_the_page_has_the_floor_and_the_sentence_of_every_package():
    page = (REPOSITORY / "docs" / "where-lines-live.md").read_text(encoding="utf-8")
    for name, floor in FLOORS.items():
        about = ast.get_docstring(ast.parse((CORE / name / "__init__.py").read_text()))
        sentence = str(about).partition("\n\n")[0].replace("\n", " ")
        assert f"| {floor} | `{name}` | {sentence} |" in page
    for root in (CORE, *OTHERS):
        assert f"`{root.parts[-3]}`" in page


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("name", sorted(FLOORS))
def test_a_package_of_the_core_keeps_its_budget(name):
    assert sum(map(lines, (CORE / name).rglob("*.py"))) <= BUDGET_PACKAGE


def test_no_file_is_longer_than_its_budget():
    files = [path for root in (CORE, *OTHERS) for path in root.rglob("*.py")]
    long = {str(path): lines(path) for path in files if lines(path) > BUDGET_FILE}
    assert long == {}


def faces_of(root: Path) -> set[str]:
    """What a distribution may import of the core."""
    adds_commands = "fmb_register_commands" in (
        (root / "plugin.py").read_text() if (root / "plugin.py").exists() else ""
    )
    return FACES | FOR_COMMANDS if adds_commands else FACES


@pytest.mark.parametrize("root", OTHERS, ids=lambda p: p.name)
def test_a_distribution_imports_public_names_of_the_core_only(root):
    allowed = faces_of(root)
    deep = [
        f"{path.relative_to(REPOSITORY)}: {node.module}"
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        and str(node.module).partition(".")[0] == "fmb"
        and node.module not in allowed
    ]
    assert deep == []


def test_a_distribution_imports_no_other_but_what_it_depends_on():
    for root in OTHERS:
        project = (root.parent.parent / "pyproject.toml").read_text()
        for path in root.rglob("*.py"):
            for name in re.findall(r"^ *(?:from|import) (fmb_\w+)", path.read_text(), re.MULTILINE):
                assert name == root.name or f'"{name.replace("_", "-")}==' in project, path


LIGHT = sorted(p for p in (CORE / "contract").glob("*.py") if p.stem in {k.kind for k in KINDS})


@pytest.mark.parametrize("path", [*LIGHT, CORE / "contract" / "hooks.py"], ids=lambda p: p.stem)
def test_the_file_of_a_kind_imports_nothing_heavy(path):
    code = f"import sys, {module(path)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"numpy", "pandas", "pydantic", "torch", "astropy", "matplotlib"}
    assert not heavy & set(done.stdout.split())


def test_every_kind_has_a_file_of_its_own():
    assert {kind.__module__ for kind in KINDS} == {module(path) for path in LIGHT}


CORES_OWN = {"roles"}
"""Words of the core for something else than the component that is called so."""


def plugin_names() -> list[str]:
    """What components of other distributions are called, but for commands, which users type.

    Nor those that are words of Python, as "min": they say nothing of a plugin.
    """
    registry = load_plugins().registry
    return sorted(
        {
            name
            for kind in KINDS
            if kind.kind != "command"
            for component in registry.all(kind)
            if component.distribution != "fmb-core"
            for name in component.spec.names
            if not hasattr(builtins, name)
        }
        | {entry.dist.name for entry in entry_points(group="fmb") if entry.dist.name != "fmb-core"}
    )


def test_no_name_of_a_plugin_stands_in_the_core():
    names = [name for name in plugin_names() if name not in CORES_OWN]
    assert {"astropt", "flow", "demo", "fmb-viz"} <= set(names)
    # A file ending (".hdf5") is no name, nor is a part of a longer word.
    pattern = re.compile(rf"(?<![\w.-])({'|'.join(map(re.escape, names))})(?![\w-])")
    named = [
        f"{path.relative_to(CORE)}:{number}: {line.strip()}"
        for path in CORE.rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert named == []
