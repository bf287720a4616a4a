"""What the command line and `fmb.run` take, as layers of the request."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fmb.contract.config import merge, parse_setting
from fmb.contract.errors import ConfigError, did_you_mean
from fmb.plan.request import Request, build_request
from fmb.plugins.registry import split_label

__all__ = ["OPTIONS", "options_request"]

_DATA = {
    "data": "source",
    "reader": "reader",
    "where": "where",
    "limit": "limit",
    "exclude": "exclude",
}
_RUN = {
    "out": "name",
    "seed": "seed",
    "fit": "fit",
    "folds": "folds",
    "fold_by": "fold_by",
    "reference": "reference",
    "batch_size": "batch_size",
    "workers": "workers",
    "device": "device",
    "precision": "precision",
    "allow_out_of_domain": "allow_out_of_domain",
    "top": "top",
}
_OWN = {"embeddings": "file", "ids": "ids", "catalog": "catalog", "catalog_id": "catalog_id"}
_COMPONENTS = ("model", "detector", "plot")
_PER_MODEL = ("weights", "view", "embedder", "input")
OPTIONS = (*_COMPONENTS, *_PER_MODEL, *_DATA, *_RUN, *_OWN, "set", "config")
"""Everything `fmb.run` takes, as on the command line with underscores."""


def options_request(options: Mapping[str, Any]) -> Request:
    """The request that options make on top of `fmb.toml` and `--config`.

    Args:
        options: names as in `OPTIONS`; None, False and () mean not given.

    Raises:
        ConfigError: an option nobody takes, or a value that does not fit.
    """
    for name in options:
        if name not in OPTIONS:
            raise ConfigError(f"unknown option {name!r}{did_you_mean(name, OPTIONS)}")
    given = {k: v for k, v in options.items() if v is not None and v is not False and v != ()}
    values: dict[str, Any] = {
        "data": {key: given[name] for name, key in _DATA.items() if name in given},
        "run": {key: given[name] for name, key in _RUN.items() if name in given},
    }
    if "embeddings" in given:
        values["embeddings"] = {key: given[name] for name, key in _OWN.items() if name in given}
    elif stray := [name for name in _OWN if name in given]:
        raise ConfigError(f"--{stray[0].replace('_', '-')} goes with --embeddings FILE")
    for kind in _COMPONENTS:
        values[kind] = _components(kind, _listed(given.get(kind, ())))
    settings = merge(*(parse_setting(text) for text in _listed(given.get("set", ()))))
    config = Path(given["config"]) if "config" in given else None
    # Labels may be named in a file: the options that go with a model need all of them.
    labels = [*build_request(values, config=config).model] if _any(given) else [*values["model"]]
    models = merge(values["model"], *_model_layers(given, labels))
    return build_request(merge(values, {"model": models}, settings), config=config)


def _any(given: Mapping[str, Any]) -> bool:
    return any(name in given for name in _PER_MODEL)


def _listed(value: str | Iterable[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _components(kind: str, names: Iterable[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for text in names:
        label, name = split_label(text)
        if label in found:
            raise ConfigError(
                f"two {kind}s are labelled {label!r}: tell them apart, for instance other={name}"
            )
        found[label] = {"use": name}
    return found


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
