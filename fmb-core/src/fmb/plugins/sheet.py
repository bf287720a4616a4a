"""What `fmb plugins info` prints: a sheet on a component, as its user wants to know it."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from itertools import pairwise
from typing import Any, Literal, get_args, get_origin

from fmb.contract.dataset import DatasetSpec
from fmb.contract.model import Accepts, ModelSpec, WeightsSpec
from fmb.contract.spec import ComponentSpec, Record, Spec
from fmb.plugins.registry import Component

__all__ = ["accepts_line", "attribute_docs", "bibtex_lines", "sheet_lines", "sheet_values"]


def sheet_values(component: Component[Spec]) -> dict[str, Any]:
    """Everything a component declares, and its options, as plain values."""
    spec = component.spec
    declared = {name: _plain(getattr(spec, name)) for name in spec.fields}
    options = {option["name"]: option for option in _options(component)}
    return {
        "kind": spec.kind,
        "plugin": component.plugin,
        "distribution": component.distribution,
        "version": component.version,
        **declared,
        "options": options,
    }


def sheet_lines(
    component: Component[Spec], weights_line: Callable[[WeightsSpec], str], width: int = 80
) -> Iterator[str]:
    """The lines of a readable sheet.

    Args:
        component: any.
        weights_line: what to say of weights that a model declares.
        width: columns that a line may take; a longer word stays whole.
    """
    spec = component.spec
    yield from _folded(f"{spec.kind} {spec.name} - {spec.summary}", width, "", "  ")
    facts = {
        "also called": ", ".join(spec.aliases),
        "package": f"{component.distribution} {component.version}, as {component.qualified}",
        "needs": ", ".join(spec.requires),
    }
    if isinstance(spec, ComponentSpec):
        facts |= {"licence": spec.licence, "paper": _paper(spec.source)}
    yield from _table([(key, value) for key, value in facts.items() if value], width)
    if isinstance(spec, ModelSpec):
        yield from _model_lines(spec, weights_line, width)
    else:
        yield from _section("What it declares", _particulars(spec), width)
    if not isinstance(spec, ComponentSpec):
        return
    options = [
        (one["name"], f"{_shown(one['default'])}{_choices(one)}  {one['about']}".rstrip())
        for one in _options(component)
    ]
    table = "data" if isinstance(spec, DatasetSpec) else f"{spec.kind}.{spec.name}"
    yield from _section(f"Options, --set {table}.NAME=VALUE", options, width)
    if spec.citation:
        yield "\nCite"
        for line in bibtex_lines(spec.citation):
            yield from _folded(line, width, "  ", "      ")


def _particulars(spec: Spec) -> Iterator[tuple[str, str]]:
    """What only records of this kind declare: name, and value with its meaning."""
    about = attribute_docs(type(spec))
    for name, kind in spec.fields.items():
        value, default = getattr(spec, name), getattr(type(spec), name, None)
        chosen = get_origin(kind) is Literal  # of a few words, of which it is one
        if name in ComponentSpec.fields or (not chosen and value in (default, (), {})):
            continue
        if isinstance(value, Mapping):
            value = tuple(f"{key} ({text})" if text else key for key, text in value.items())
        shown = ", ".join(map(str, value)) if isinstance(value, tuple) else _shown(value)
        yield name, f"{shown}  {about.get(name, '')}".rstrip()


def _model_lines(
    spec: ModelSpec, weights_line: Callable[[WeightsSpec], str], width: int = 80
) -> Iterator[str]:
    yield from _section("Takes", [(a.slot, accepts_line(a)) for a in spec.accepts], width)
    joint = {"native": ", read together", "unit-mean": ", the mean of their unit vectors"}
    views = [
        (view, f"from {' and '.join(slots)}{joint.get(spec.joint or '', '') if slots[1:] else ''}")
        for view, slots in spec.views.items()
    ]
    if spec.aligned:
        views.append(("", "the views share one space: their cosine has a meaning"))
    first, *others = [*spec.embedders, ""]
    views.append(("embedders", ", ".join([f"{first} (default)", *filter(None, others)])))
    yield from _section("Gives", views, width)
    weights = [(one.name, weights_line(one)) for one in spec.weights]
    if spec.importer:
        weights.append(("PATH", "a checkpoint or folder of the upstream is imported"))
    if spec.converter:
        weights.append(("", "pickled modules go through `fmb weights convert` first"))
    yield from _section("Weights, --weights NAME", weights, width)


def accepts_line(accepts: Accepts) -> str:
    """One readable line: kind, bands, unit, size, scale, wavelengths, instruments."""
    some = "any of " if accepts.subset else ""
    size, low_high = accepts.min_size_px, accepts.wavelength_aa
    scale = accepts.pixel_scale_arcsec
    told = [
        f"{accepts.kind}" + (f" in {some}{', '.join(accepts.bands)}" if accepts.bands else ""),
        f"unit {' or '.join(accepts.units)}, or convertible" if accepts.units else "",
        "calibrated" if accepts.calibrated else "",
        f"at least {size} x {size} px" if size else "",
        f"{scale[0]:g}-{scale[1]:g} arcsec a pixel" if scale else "",
        f"{low_high[0]:g}-{low_high[1]:g} Angstrom" if low_high else "",
        f"at most {accepts.max_pixels} px" if accepts.max_pixels else "",
        f"trained on {', '.join(accepts.instruments)}" if accepts.instruments else "",
    ]
    return "; ".join(filter(None, told))


def bibtex_lines(citation: str) -> list[str]:
    """A BibTeX entry with one field a line; text that is none stays as it is."""
    text, depth, start, parts = " ".join(citation.split()), 0, 0, []
    for at, letter in enumerate(text):
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if letter == "," and depth == 1:
            parts.append(text[start : at + 1].strip())
            start = at + 1
    rest = text[start:].strip()
    if not parts or depth or not rest.endswith("}"):
        return [text]
    head, *inner = [*parts, rest.removesuffix("}").rstrip()]
    return [head, *(f"  {field}" for field in inner if field), "}"]


def _options(component: Component[Any]) -> Iterator[dict[str, Any]]:
    """Name, default, choices and description of each option."""
    config = component.load_config()
    about = attribute_docs(config)
    for name, option in config.model_fields.items():
        yield {
            "name": name,
            "default": "must be given"
            if option.is_required()
            else _plain(option.get_default(call_default_factory=True)),
            "choices": [c for c in get_args(option.annotation) if isinstance(c, str)],
            "about": option.description or about.get(name, ""),
        }


def attribute_docs(cls: type) -> dict[str, str]:
    """Attribute -> the string below it in the source of a class and its bases.

    For records and configurations alike. Pydantic's `use_attribute_docstrings` would read the
    source of every configuration in every run, 3 ms a class; this reads it when somebody asks.
    """
    docs: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if base.__module__.partition(".")[0] in ("pydantic", "builtins"):
            continue
        try:
            body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        except (OSError, TypeError, SyntaxError):
            continue  # made without a source file
        statements = getattr(body, "body", [])
        for above, below in pairwise(statements):
            match above, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=t)):
                    docs[name] = " ".join(str(t).split())
    return docs


def _plain(value: Any) -> Any:
    """`value` as JSON has it."""
    if isinstance(value, Record):
        return {name: _plain(getattr(value, name)) for name in value.fields}
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _shown(value: Any) -> str:
    """A default as one types it."""
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return str(value).lower()
    return (", ".join(map(str, value)) or "none") if isinstance(value, list) else str(value)


def _choices(option: Mapping[str, Any]) -> str:
    return f" ({' | '.join(option['choices'])})" if option["choices"] else ""


def _paper(source: str) -> str:
    arxiv = source.removeprefix("arXiv:")
    return f"{source}, https://arxiv.org/abs/{arxiv}" if arxiv != source else source


def _section(title: str, rows: Iterable[tuple[str, str]], width: int) -> Iterator[str]:
    rows = list(rows)
    if rows:
        yield f"\n{title}"
        yield from _table(rows, width)


def _table(rows: Sequence[tuple[str, str]], width: int) -> Iterator[str]:
    """Rows of name and text, aligned, long texts wrapped below themselves."""
    margin = max([12, *(len(name) + 2 for name, _ in rows)])
    for name, text in rows:
        yield from _folded(text or "-", width, f"  {name:<{margin}}", " " * (margin + 2))


def _folded(text: str, width: int, start: str, indent: str) -> list[str]:
    """Lines of a text; nothing breaks within a word."""
    return textwrap.wrap(
        text,
        width,
        initial_indent=start,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
