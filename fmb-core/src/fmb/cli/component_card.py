"""What `fmb plugins info` prints: a component as its user wants to know it."""

import ast
import inspect
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, fields, is_dataclass
from itertools import pairwise
from typing import Any, get_args

from fmb.contract.dataset import DatasetSpec
from fmb.contract.detector import DetectorSpec
from fmb.contract.model import Accepts, ModelSpec, WeightsSpec
from fmb.contract.plot import PlotSpec
from fmb.plugins.registry import Component
from fmb.store.workspace import workspace

__all__ = ["accepts_line", "bibtex_lines", "card_lines", "card_values"]

_WIDTH = 96


def card_values(component: Component) -> dict[str, Any]:
    """Everything a component declares, and its options, as plain values."""
    spec = component.spec
    declared = {field.name: _plain(getattr(spec, field.name)) for field in fields(spec)}
    options = {option["name"]: option for option in _options(component)}
    return {
        "kind": spec.kind,
        "plugin": component.plugin,
        "distribution": component.distribution,
        "version": component.version,
        **declared,
        "options": options,
    }


def card_lines(component: Component) -> Iterator[str]:
    """The lines of a readable card."""
    spec = component.spec
    yield f"{spec.kind} {spec.name} - {spec.summary}"
    facts = {
        "also called": ", ".join(spec.aliases),
        "package": f"{component.distribution} {component.version}, as {component.qualified}",
        "licence": spec.licence,
        "paper": _paper(spec.source),
        "needs": ", ".join(spec.requires),
        **_particulars(spec),
    }
    yield from _table((key, value) for key, value in facts.items() if value)
    if isinstance(spec, ModelSpec):
        yield from _model_lines(component, spec)
    options = [
        (one["name"], f"{_shown(one['default'])}{_choices(one)}  {one['about']}".rstrip())
        for one in _options(component)
    ]
    table = "data" if isinstance(spec, DatasetSpec) else f"{spec.kind}.{spec.name}"
    yield from _section(f"Options, --set {table}.NAME=VALUE", options)
    if spec.citation:
        yield "\nCite"
        yield from (f"  {line}" for line in bibtex_lines(spec.citation))


def _particulars(spec: Any) -> dict[str, str]:
    """What only one kind of component has to say."""
    if isinstance(spec, DetectorSpec):
        told = {"single": "one view", "pair": "two views", "fusion": "the lists of others"}
        fitted = "" if spec.fitted else "; a rule, never fitted"
        return {"judges": f"{told[spec.scope]}{fitted}"}
    if isinstance(spec, PlotSpec):
        drawn = "; drawn unless others are named" if spec.default else ""
        return {"shows": f"{', '.join(spec.needs)}{drawn}"}
    if isinstance(spec, DatasetSpec):
        return {"answers to": ", ".join([*spec.suffixes, *spec.markers])}
    return {}


def _model_lines(component: Component, spec: ModelSpec) -> Iterator[str]:
    yield from _section("Takes", [(a.slot, accepts_line(a)) for a in spec.accepts])
    joint = {"native": ", read together", "unit-mean": ", the mean of their unit vectors"}
    views = [
        (view, f"from {' and '.join(slots)}{joint.get(spec.joint or '', '') if slots[1:] else ''}")
        for view, slots in spec.views.items()
    ]
    if spec.aligned:
        views.append(("", "the views share one space: their cosine has a meaning"))
    first, *others = [*spec.embedders, ""]
    views.append(("embedders", ", ".join([f"{first} (default)", *filter(None, others)])))
    yield from _section("Gives", views)
    weights = [(one.name, _weights_line(component, one)) for one in spec.weights]
    if spec.importer:
        weights.append(("PATH", "a checkpoint or folder of the upstream is imported"))
    if spec.converter:
        weights.append(("", "pickled modules go through `fmb weights convert` first"))
    yield from _section("Weights, --weights NAME", weights)


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


def _weights_line(component: Component, weights: WeightsSpec) -> str:
    # Here: they load numpy, which the card of no other kind needs.
    from fmb.weights.hub import HubReference
    from fmb.weights.listing import declared_state
    from fmb.weights.lock import Lock

    place = ""
    if weights.location.startswith("hf:"):
        published = HubReference.parse(weights.location)
        commit = Lock(workspace()).commit(published.repo, published.revision)
        known = commit or (published.revision if published.is_commit else "")
        place = published.at(known) if known else f"{weights.location}, revision unverified"
    millions = f"{weights.parameters / 1e6:.4g} M parameters" if weights.parameters else ""
    state = f"state: {declared_state(component, weights, workspace())}"
    return "; ".join(filter(None, [weights.summary, millions, weights.measured, place, state]))


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


def _options(component: Component) -> Iterator[dict[str, Any]]:
    """Name, default, choices and description of each option."""
    config = component.load_config()
    about = _attribute_docstrings(config)
    for name, option in config.model_fields.items():
        yield {
            "name": name,
            "default": _plain(option.get_default(call_default_factory=True)),
            "choices": [c for c in get_args(option.annotation) if isinstance(c, str)],
            "about": option.description or about.get(name, ""),
        }


def _attribute_docstrings(config: type) -> dict[str, str]:
    """Attribute -> the string below it in the source of a class and its bases."""
    found: dict[str, str] = {}
    for cls in reversed(config.__mro__):
        if cls.__module__.partition(".")[0] in ("pydantic", "builtins"):
            continue
        try:
            body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
        except (OSError, TypeError, SyntaxError):
            continue  # made without a source file
        statements = getattr(body, "body", [])
        for above, below in pairwise(statements):
            match above, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=t)):
                    found[name] = " ".join(str(t).split())
    return found


def _plain(value: Any) -> Any:
    """`value` as JSON has it."""
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


def _section(title: str, rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    rows = list(rows)
    if rows:
        yield f"\n{title}"
        yield from _table(rows)


def _table(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Rows of name and text, aligned, long texts wrapped below themselves."""
    rows = list(rows)
    width = max([12, *(len(name) + 2 for name, _ in rows)])
    for name, text in rows:
        yield from textwrap.wrap(
            text or "-",
            _WIDTH,
            initial_indent=f"  {name:<{width}}",
            subsequent_indent=" " * (width + 2),
            break_long_words=False,
            break_on_hyphens=False,
        )
