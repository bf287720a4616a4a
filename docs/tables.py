"""The generated parts of the documentation: commands, hooks, records and plugins."""

import inspect
from dataclasses import MISSING, fields
from importlib import import_module
from pathlib import Path
from textwrap import dedent

import click

from fmb.cli import COMMANDS, main
from fmb.contract import hooks as hookspecs
from fmb.contract.dataset import DatasetSpec
from fmb.contract.detector import DetectorSpec
from fmb.contract.embedder import EmbedderSpec
from fmb.contract.model import Accepts, ModelSpec, WeightsSpec
from fmb.contract.plot import PlotSpec
from fmb.contract.spec import Spec
from fmb.plugins.loading import load_plugins

RECORDS = (Accepts, DatasetSpec, DetectorSpec, EmbedderSpec, ModelSpec, PlotSpec, Spec, WeightsSpec)


def commands() -> str:
    """Every command with its options, as its own help text says them."""
    context = click.Context(main, info_name="fmb")
    parts = []
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command is not None
        parts.append(f"## fmb {name}\n\n{_help(command, f'fmb {name}')}")
        if isinstance(command, click.Group):
            for sub, child in command.commands.items():
                parts.append(f"### fmb {name} {sub}\n\n{_help(child, f'fmb {name} {sub}')}")
    return "\n\n".join(parts)


def _help(command: click.Command, path: str) -> str:
    context = click.Context(command, info_name=path, max_content_width=88, terminal_width=88)
    return f"```text\n{command.get_help(context)}\n```"


def hooks() -> str:
    """Every hook: when it fires, what it returns and an example."""
    parts = []
    for name in hookspecs.HOOKS.values():
        function = getattr(hookspecs, name)
        about, _, example = inspect.cleandoc(function.__doc__).partition("Example:")
        record = inspect.signature(function).return_annotation.__args__[0].__name__
        parts.append(
            f"## {name}() -> Iterable[{record}]\n\n{about.strip()}\n\n"
            f"```python\n{dedent(example.strip(chr(10)))}\n```"
        )
    return "\n\n".join(parts)


def records() -> str:
    """Every record and its fields."""
    parts = []
    for record in RECORDS:
        name = record.__name__
        first = inspect.cleandoc(record.__doc__).splitlines()[0]
        rows = "\n".join(
            f"| `{field.name}` | `{_type(field.type)}` | {_default(field)} |"
            for field in fields(record)
        )
        parts.append(f"### {name}\n\n{first}\n\n| field | type | default |\n|---|---|---|\n{rows}")
    return "\n\n".join(parts)


def _type(annotation: object) -> str:
    text = (
        annotation.__name__
        if isinstance(annotation, type) and not hasattr(annotation, "__args__")
        else str(annotation)
    )
    return (
        text.replace("typing.", "")
        .replace("collections.abc.", "")
        .replace("fmb.contract.model.", "")
        .replace("|", "or")
    )


def _default(field: object) -> str:
    default = getattr(field, "default", MISSING)
    return "required" if default is MISSING else f"`{default!r}`"


def training(reference: str) -> str:
    """The settings a class of options adds to those of its base: default, and what each does."""
    module, _, name = reference.partition(":")
    cls = getattr(import_module(module), name)
    lines = iter(inspect.getsource(cls).splitlines())
    own = cls.__annotations__
    about: dict[str, str] = {}
    last = ""
    for line in lines:
        field = line.strip().partition(":")[0]
        if field in own:
            last = field
        elif last and line.strip().startswith('"""'):
            about[last] = line.strip().strip('"')
    rows = "\n".join(
        f"| `{key}` | `{cls.model_fields[key].default!r}` | {about.get(key, '')} |" for key in own
    )
    return f"| key | default | |\n|---|---|---|\n{rows}"


def plugins() -> str:
    """The components of the packages in this repository."""
    ours = {path.parent.name for path in Path(__file__).parents[1].glob("fmb-*/pyproject.toml")}
    registry = load_plugins().registry
    rows = [
        f"| {c.spec.kind} | `{c.spec.name}` | {c.distribution} | {c.spec.summary} |"
        for kind in hookspecs.HOOKS
        for c in registry.all(kind)
        if c.distribution in ours
    ]
    return "| kind | name | package | what it is |\n|---|---|---|---|\n" + "\n".join(rows)
