"""What the command line and `fmb.run` take, as layers of the request."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fmb.contract.errors import ConfigError, did_you_mean
from fmb.plan.option_table import COMPONENTS, OPTIONS
from fmb.plan.request import Request, build_request, read_layers
from fmb.plugins.registry import split_label

__all__ = ["options_request"]

_PLACES = {option.name: option.place for option in OPTIONS}


def options_request(
    options: Mapping[str, Any], recorded: Mapping[str, Any] = MappingProxyType({})
) -> Request:
    """The request that options make on top of `fmb.toml` and `--config`.

    Args:
        options: names as in `OPTIONS`; None, False and () mean not given.
        recorded: the lowest layer, below `fmb.toml`: what a run was asked for.

    Raises:
        ConfigError: an option nobody takes, or a value that does not fit.
    """
    for name in options:
        if name not in _PLACES:
            raise ConfigError(f"unknown option {name!r}{did_you_mean(name, _PLACES)}")
    given = {k: v for k, v in options.items() if v is not None and v is not False and v != ()}
    asked = _placed(given) | _components(given)
    files = read_layers(Path(given["config"]) if "config" in given else None)
    # Labels may be named in a file: the options that go with a model need all of them.
    labels = list(_table(files, "model") | _table(asked, "model"))
    models = ({"model": layer} for layer in _model_layers(given, labels))
    layers = (recorded, files, asked, _figures(given), *models)
    return build_request(*layers, settings=_listed(given.get("set", ())))


def _table(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = values.get(name, {})
    return dict(table) if isinstance(table, Mapping) else {}


def _placed(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options that have a place of their own in the request."""
    values: dict[str, Any] = {}
    for name, value in given.items():
        table, _, key = _PLACES[name].partition(".")
        if key:
            # A switch that turns something off stands for the value False.
            values.setdefault(table, {})[key] = False if name.startswith("no_") else value
    if "embeddings" in values and "embeddings" not in given:
        stray = next(name for name in given if _PLACES[name].startswith("embeddings."))
        raise ConfigError(f"--{stray.replace('_', '-')} goes with --embeddings FILE")
    return values


def _listed(value: str | Iterable[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _components(given: Mapping[str, Any]) -> dict[str, Any]:
    """Tables of the components that are named, by kind and label."""
    tables: dict[str, Any] = {}
    for kind in COMPONENTS:
        for text in _listed(given.get(kind, ())):
            label, name = split_label(text)
            if label in tables.setdefault(kind, {}):
                raise ConfigError(
                    f"two {kind}s are labelled {label!r}: tell them apart, for instance"
                    f" other={name}"
                )
            tables[kind][label] = {"use": name}
    return tables


def _figures(given: Mapping[str, Any]) -> dict[str, Any]:
    """Which figures and no others, and as which files."""
    places = {"plot": "figures", "format": "figure_formats"}
    asked = {places[name]: list(_listed(given[name])) for name in places if name in given}
    if "figures" in asked:
        asked["figures"] = [split_label(text)[0] for text in asked["figures"]]
    run = {key: list(dict.fromkeys(values)) for key, values in asked.items()}
    return {"run": run} if run else {}


def _model_layers(given: Mapping[str, Any], labels: list[str]) -> Iterable[dict[str, Any]]:
    for text in _listed(given.get("weights", ())):
        for label, value in _for_labels(text, labels):
            yield {label: {"weights": value}}
    for key in ("view", "embedder"):
        chosen: dict[str, list[str]] = {}
        for text in _listed(given.get(key, ())):
            for label, value in _for_labels(text, labels):
                chosen.setdefault(label, []).append(value)
        for label, several in chosen.items():
            yield {label: {key: several}}
    for text in _listed(given.get("input", ())):
        place, equals, instrument = text.partition("=")
        label, dot, slot = place.rpartition(".")
        if not equals or not slot:
            raise ConfigError(f"--input {text!r}: write SLOT=INSTRUMENT, for instance image=euclid")
        for one in [label] if dot else labels:
            yield {_known(one, labels): {"input": {slot: instrument}}}


def _for_labels(text: str, labels: list[str]) -> Iterable[tuple[str, str]]:
    """(label, value) for "label=value", or for every label when none is named."""
    label, equals, value = text.partition("=")
    if equals and label in labels:
        yield label, value
    elif not labels:
        raise ConfigError(f"{text!r} goes with a model: name one with --model")
    else:
        yield from ((one, text) for one in labels)


def _known(label: str, labels: list[str]) -> str:
    if label not in labels:
        raise ConfigError(f"no model is labelled {label!r}{did_you_mean(label, labels)}")
    return label
