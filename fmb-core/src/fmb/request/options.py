"""What the command line and `fmb.run` take, as layers of the request."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fmb.messages.errors import ConfigError, did_you_mean
from fmb.plugins.registry import split_label
from fmb.plugins.settings import Layer, merge, parse_setting
from fmb.request.option_table import COMPONENTS, OPTIONS
from fmb.request.record import Request, build_request, read_layers

__all__ = ["option_layers", "options_request"]

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
    return build_request(recorded, *(layer for _, layer in option_layers(options)))


def option_layers(options: Mapping[str, Any]) -> list[Layer]:
    """Where the values of a request come from, and which; later ones win.

    Args:
        options: as for `options_request`.

    Returns:
        ("fmb.toml", "--config FILE", the flag of an option, or "--set"; nested plain values).

    Raises:
        ConfigError: an option nobody takes, or a file that cannot be read.
    """
    for name in options:
        if name not in _PLACES:
            raise ConfigError(f"unknown option {name!r}{did_you_mean(name, _PLACES)}")
    given = {k: v for k, v in options.items() if v is not None and v is not False and v != ()}
    layers = read_layers(Path(given["config"]) if "config" in given else None)
    layers += [*_placed(given), *_components(given)]
    # Labels may be named in a file: the options that go with a model need all of them.
    labels = list(_table(merge(*(layer for _, layer in layers)), "model"))
    layers += [(flag, {"model": layer}) for flag, layer in _model_layers(given, labels)]
    layers += _figures(given)
    layers += _own_vectors(given)
    return layers + [("--set", parse_setting(text)) for text in _listed(given.get("set", ()))]


def _table(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = values.get(name, {})
    return dict(table) if isinstance(table, Mapping) else {}


def _placed(given: Mapping[str, Any]) -> Iterator[Layer]:
    """The options that have a place of their own in the request."""
    for name, value in given.items():
        table, _, key = _PLACES[name].partition(".")
        if table == "embeddings" and "embeddings" not in given:
            raise ConfigError(f"{_flag(name)} goes with --embeddings FILE")
        if key:
            # A switch that turns something off stands for the value False.
            yield _flag(name), {table: {key: False if name.startswith("no_") else value}}


def _flag(name: str) -> str:
    return next(option.flag for option in OPTIONS if option.name == name)


def _listed(value: str | Iterable[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _components(given: Mapping[str, Any]) -> Iterator[Layer]:
    """The components that are named, by kind and label."""
    seen: dict[tuple[str, str], tuple[str, str]] = {}  # (kind, label) -> (flag, what it names)
    for option in (*COMPONENTS, "fusion"):
        kind, more = ("detector", {"scope": option}) if option == "fusion" else (option, {})
        for text in _listed(given.get(option, ())):
            label, name = split_label(text)
            flag, (before, same) = _flag(option), seen.get((kind, label), ("", ""))
            if before != flag and same == name:
                raise ConfigError(
                    f"{name!r} is named by {before} and by {flag}: name it once, with --fusion if"
                    " it fuses lists, else with --detector"
                )
            if before:
                raise ConfigError(
                    f"two {kind}s are labelled {label!r}: tell them apart, for instance"
                    f" other={name}"
                )
            seen[kind, label] = (flag, name)
            yield flag, {kind: {label: {"use": name, **more}}}


def _own_vectors(given: Mapping[str, Any]) -> Iterator[Layer]:
    """The files of a user's own vectors, and which of their columns these are."""
    for name, key in (("embeddings", "file"), ("vector_columns", "vector_columns")):
        if name in given and "embeddings" not in given:
            raise ConfigError(f"{_flag(name)} goes with --embeddings FILE")
        if name in given:
            yield _flag(name), {"embeddings": {key: _listed(given[name])}}


def _figures(given: Mapping[str, Any]) -> Iterator[Layer]:
    """Which figures and no others, and as which files."""
    if "plot" in given:
        labels = [split_label(text)[0] for text in _listed(given["plot"])]
        yield "--plot", {"run": {"figures": list(dict.fromkeys(labels))}}
    if "format" in given:
        formats = list(dict.fromkeys(_listed(given["format"])))
        yield "--format", {"run": {"figure_formats": formats}}


def _model_layers(given: Mapping[str, Any], labels: list[str]) -> Iterator[Layer]:
    for text in _listed(given.get("weights", ())):
        for label, value in _for_labels(text, labels):
            yield "--weights", {label: {"weights": value}}
    for key in ("view", "embedder"):
        chosen: dict[str, list[str]] = {}
        for text in _listed(given.get(key, ())):
            for label, value in _for_labels(text, labels):
                chosen.setdefault(label, []).append(value)
        for label, several in chosen.items():
            yield _flag(key), {label: {key: several}}
    for text in _listed(given.get("input", ())):
        place, equals, instrument = text.partition("=")
        label, dot, slot = place.rpartition(".")
        if not equals or not slot:
            raise ConfigError(f"--input {text!r}: write SLOT=INSTRUMENT, for instance image=euclid")
        if not (dot or labels):
            raise ConfigError(f"{text!r} goes with a model: name one with --model")
        for one in [label] if dot else labels:
            yield "--input", {_known(one, labels): {"input": {slot: instrument}}}


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
