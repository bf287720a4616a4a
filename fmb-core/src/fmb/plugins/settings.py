"""Settings: read, merged in layers, checked; errors name the key and the nearest right one."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from fmb.messages.errors import ConfigError, did_you_mean

__all__ = ["Layer", "build", "leaves", "merge", "parse_setting", "read_toml", "value_sources"]

C = TypeVar("C", bound=BaseModel)
_LONGEST = 200
_FORMS = {
    "tuple_type": "expected a list, [VALUE, VALUE]",
    "list_type": "expected a list, [VALUE, VALUE]",
    "dict_type": "expected a table, KEY = VALUE",
    "model_type": "expected a table of options",
}
"""What is wrong with a value, by the type of the error, where pydantic speaks of Python."""
Layer = tuple[str, Mapping[str, Any]]
"""Where values come from, and the values, nested."""


def build(cls: type[C], values: Mapping[str, Any], where: str) -> C:
    """A configuration of class `cls`, or one readable line.

    Args:
        cls: the configuration class.
        values: what the user set; missing keys take their defaults.
        where: names the place in messages, for instance "detector.wide".

    Raises:
        ConfigError: an unknown key (with a suggestion) or a value of the wrong kind.
    """
    if not isinstance(values, Mapping):
        raise ConfigError(f"{where} = {values!r}: expected a table of options")
    try:
        made = cls.model_validate(dict(values))
    except ValidationError as error:
        raise ConfigError("; ".join(_explain(cls, where, error))) from None
    _refuse_switches(values, made, where)
    return made


def _refuse_switches(given: Any, made: Any, where: str) -> None:
    """Refuse true and false where a number came of them: pydantic takes them for 1 and 0."""
    if isinstance(given, bool) and isinstance(made, (int, float)) and not isinstance(made, bool):
        raise ConfigError(f"{where} = {str(given).lower()}: expected a number")
    if isinstance(given, Mapping):
        for key, value in given.items():
            own = made.get(key) if isinstance(made, Mapping) else getattr(made, key, value)
            _refuse_switches(value, own, f"{where}.{key}")
    elif isinstance(given, (list, tuple)) and isinstance(made, (list, tuple)):
        for at, (value, own) in enumerate(zip(given, made, strict=False)):
            _refuse_switches(value, own, f"{where}.{at}")


def _explain(cls: type[BaseModel], where: str, error: ValidationError) -> Iterable[str]:
    for item in error.errors(include_url=False):
        location = [str(part) for part in item["loc"]]
        name = ".".join([where, *location])
        if item["type"] == "extra_forbidden":
            owner = _model_at(cls, location[:-1])
            none = "" if owner is None or owner.model_fields else "; it takes no options"
            hint = did_you_mean(location[-1], owner.model_fields) if owner else ""
            yield f"unknown key {name}{hint or none}"
        elif item["type"] == "missing":
            yield f"{name} must be given; it has no default{_choices(cls, location)}"
        else:
            told = _FORMS.get(item["type"], item["msg"].removeprefix("Value error, "))
            message = " ".join(told.split())
            yield f"{name} = {_shown(item.get('input'))}: {message[:1].lower()}{message[1:]}"


def _shown(value: Any) -> str:
    """The value as Python writes it; what is longer than a line is cut."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _choices(cls: type[BaseModel], location: Sequence[str]) -> str:
    """What a value may be, where these are a few words."""
    owner = _model_at(cls, list(location[:-1]))
    option = None if owner is None else owner.model_fields.get(location[-1])
    words = [] if option is None else [c for c in get_args(option.annotation) if isinstance(c, str)]
    return f": {' or '.join(map(repr, words))}" if words else ""


def _model_at(cls: type[BaseModel], location: list[str]) -> type[BaseModel] | None:
    """The configuration nested in `cls` at `location`; None where it is not plainly one."""
    for part in location:
        known = cls.model_fields.get(part)
        inner = known.annotation if known is not None else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return None
        cls = inner
    return cls


def merge(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """One nested mapping; later layers win, tables are merged key by key."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            old = merged.get(key)
            if isinstance(old, Mapping) and isinstance(value, Mapping):
                merged[key] = merge(old, value)
            else:
                merged[key] = dict(value) if isinstance(value, Mapping) else value
    return merged


def leaves(
    tables: Mapping[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each value of a nested mapping that is no table, with the path to it."""
    for key, value in tables.items():
        if isinstance(value, Mapping):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


def value_sources(layers: Sequence[Layer]) -> dict[tuple[str, ...], str]:
    """The path of each value that somebody gave -> who gave it last."""
    sources: dict[tuple[str, ...], str] = {}
    for name, layer in layers:
        sources.update((path, name) for path, _ in leaves(layer))
    return sources


def parse_setting(text: str) -> dict[str, Any]:
    """{"detector": {"wide": {"epochs": 50}}} for "detector.wide.epochs=50".

    The value is read as TOML; what is not TOML is a string, so `name=word` needs no quotes.

    Raises:
        ConfigError: there is no "=" or the key is empty.
    """
    key, equals, value = text.partition("=")
    parts = [part.strip() for part in key.split(".")]
    if not equals or not all(parts):
        raise ConfigError(f"--set {text!r}: write KEY=VALUE, for instance run.folds=10")
    parsed: Any = value
    try:
        table = tomllib.loads(f"value = {value}")
    except tomllib.TOMLDecodeError:
        table = {}
    if list(table) == ["value"]:  # a line break in the value could open another key
        parsed = table["value"]
    for part in reversed(parts):
        parsed = {part: parsed}
    return dict(parsed)


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file.

    Raises:
        ConfigError: it is missing, no regular file, unreadable or not TOML.
    """
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise ConfigError(f"{path}: not a regular file; write it to one")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
