"""The generated parts of the documentation: commands, hooks, records and plugins."""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, ClassVar, Literal, Union, get_args, get_origin

import click

from fmb.cli import main
from fmb.contract.hooks import HOOK_SPECS, KINDS
from fmb.contract.model import Accepts, WeightsSpec
from fmb.contract.needs import NEEDS
from fmb.contract.run_data import RunData
from fmb.contract.spec import ComponentSpec, Spec
from fmb.measured.roles import MEASURED, measured_on_kind
from fmb.plugins.loading import load_plugins
from fmb.plugins.sheet import attribute_docs

RECORDS = (Spec, ComponentSpec, *KINDS, Accepts, WeightsSpec)


def commands() -> str:
    """`fmb` and every command with its options, as its own help text says them."""
    wide = {"max_content_width": 88, "terminal_width": 88}
    context = click.Context(main, info_name="fmb", **{**main.context_settings, **wide})
    return "\n\n".join(_help(context))


def _help(context: click.Context) -> Iterator[str]:
    """A section on a command, then those on the commands it has."""
    heading = "#" * max(2, len(context.command_path.split()))
    yield f"{heading} {context.command_path}\n\n```text\n{context.get_help()}\n```"
    group = context.command
    if isinstance(group, click.Group):
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            yield from _help(click.Context(command, parent=context, info_name=name))


def hooks() -> str:
    """Every hook: when it fires, what it returns and an example."""
    parts = []
    for kind in KINDS:
        about = str(getattr(HOOK_SPECS, kind.hook()).__doc__).partition("\n")[0]
        head = f"## {kind.hook()}() -> Iterable[{kind.__name__}]\n\n{about}"
        parts.append(f"{head}\n\n```python\n{kind.example}\n```")
    return "\n\n".join(parts)


def run_data() -> str:
    """What `fmb.RunData` has, and the needs that a figure names."""
    parts = [(name, getattr(RunData, name)) for name in vars(RunData) if name[0] != "_"]
    rows = []
    for name, part in parts:
        function = part.fget if isinstance(part, property) else part
        arguments = [one for one in inspect.signature(function).parameters if one != "self"]
        call = name if isinstance(part, property) else f"{name}({', '.join(arguments)})"
        rows.append(
            (f"`{call}`", str(inspect.getdoc(part)).partition("\n\n")[0].replace("\n", " "))
        )
    needs = [(f"`{name}`", about) for name, about in NEEDS.items()]
    needs.append(
        ("`table:ANALYSIS.NAME`", "a table of an analysis, made before the figure is drawn")
    )
    return (
        f"{_table(('of a run', 'what it is'), rows)}\n\n{_table(('in `needs`', 'what for'), needs)}"
    )


def records() -> str:
    """Every record and the fields it adds to those of the record it is made from."""
    return "\n\n".join(_record(record) for record in RECORDS)


def _record(record: type) -> str:
    about = attribute_docs(record)
    rows = [
        (f"`{name}`", f"`{_type(kind)}`", _default(record, name), about.get(name, ""))
        for name, kind in inspect.get_annotations(record).items()
        if get_origin(kind) is not ClassVar
    ]
    base = record.__base__
    more = f" It has the fields of `{base.__name__}` too." if base in RECORDS else ""
    said = inspect.cleandoc(str(record.__doc__))
    table = f"\n\n{_table(('field', 'type', 'default', 'meaning'), rows)}" if rows else ""
    return f"### {record.__name__}\n\n{said}{more}{table}"


def _type(annotation: Any) -> str:
    """A type as one reads it: `tuple[str, ...]`, `"list" or "view"`."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f'"{part}"' for part in parts)
    if origin in (Union, UnionType):
        return " or ".join(map(_type, parts))
    if annotation in (None, NoneType, Ellipsis):
        return "..." if annotation is Ellipsis else "None"
    inner = f"[{', '.join(map(_type, parts))}]" if parts else ""
    return f"{(origin or annotation).__name__}{inner}"


def _default(record: type, name: str) -> str:
    if not hasattr(record, name):
        return "required"
    value = getattr(record, name)
    return f"`{dict(value) if isinstance(value, Mapping) else value!r}`"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown."""
    cells = [[*head], *([cell.replace("|", r"\|") for cell in row] for row in rows)]
    head_line, *lines = (f"| {' | '.join(row)} |" for row in cells)
    return "\n".join([head_line, "|" + "---|" * len(cells[0]), *lines])


def training(reference: str) -> str:
    """The settings a class of options adds to those of its base: default, and what each does."""
    module, _, name = reference.partition(":")
    cls = getattr(import_module(module), name)
    about = attribute_docs(cls)
    own = [key for key in inspect.get_annotations(cls) if key in cls.model_fields]
    rows = [(f"`{k}`", f"`{cls.model_fields[k].default!r}`", about.get(k, "")) for k in own]
    return _table(("key", "default", "meaning"), rows)


def measured() -> str:
    """The roles that are measured on inputs, and on which."""
    rows = []
    for role, about in MEASURED.items():
        kinds = [kind for kind in ("images", "spectra") if role in measured_on_kind(kind)]
        rows.append((f"`{role}`", ", ".join(kinds), about))
    return _table(("role", "measured on", "what it is"), rows)


def plugins() -> str:
    """The components of the packages in this repository, of extras that are not installed too."""
    ours = {path.parent.name for path in Path(__file__).parents[1].glob("fmb-*/pyproject.toml")}
    registry = load_plugins().registry
    there = [(c.spec, c.distribution) for kind in KINDS for c in registry.all(kind)]
    there += [(one.spec, one.origin.distribution) for one in registry.missing]
    rows = [
        (spec.kind, f"`{spec.name}`", distribution, spec.summary)
        for kind in KINDS
        if issubclass(kind, ComponentSpec)  # the commands have a page of their own
        for spec, distribution in sorted(there, key=lambda one: one[0].name)
        if isinstance(spec, kind) and distribution in ours
    ]
    return _table(("kind", "name", "package", "what it is"), rows)
