"""Checks the records a plugin yields, so that a wrong one is reported and not stumbled over."""

import re
from collections.abc import Mapping
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from fmb.contract.spec import ComponentSpec, Spec
from fmb.messages.errors import PluginError

__all__ = ["check_record"]

_NAME = r"[a-z0-9]+(-[a-z0-9]+)*"
_TARGET = r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*"
_SUMMARY_MAX = 60
_UNIONS = (Union, UnionType)


def check_record(record: Any, wanted: type[Spec]) -> None:
    """Refuse a record that the hook for records of class `wanted` must not yield.

    Raises:
        PluginError: it is of another class, or one of its fields cannot be what it should be.
    """
    if type(record) is not wanted:
        raise PluginError(f"it yields {type(record).__name__}, expected {wanted.__name__}")
    _check_types(record)
    for name in (record.name, *record.aliases):
        if not re.fullmatch(_NAME, name):
            raise PluginError(f"{name!r} is not a name: lower case, digits and hyphens")
    if not 0 < len(record.summary) <= _SUMMARY_MAX or "\n" in record.summary:
        raise PluginError(
            f"summary of {record.name!r} is not one line of 1 to {_SUMMARY_MAX} characters"
        )
    targets = {"target": record.target}
    if isinstance(record, ComponentSpec):
        targets["config"] = record.config
    for attribute, value in targets.items():
        if not re.fullmatch(_TARGET, value):
            raise PluginError(
                f'{attribute} of {record.name!r} is {value!r}, expected "module:Class"'
            )
    for name in record.requires:
        if not name.isidentifier():  # find_spec imports the parent of a dotted name
            raise PluginError(f"{record.name!r} requires {name!r}, expected a top-level module")
    if problem := record.problem():
        raise PluginError(f"{record.name!r}: {problem}")


def _check_types(record: Spec) -> None:
    """A string where a tuple belongs is the likeliest slip: `requires=("torch")`."""
    for name, kind in record.fields.items():
        value = getattr(record, name)
        if not _fits(value, kind):
            raise PluginError(
                f"{name} of {record.name!r} is {_plain(value)!r}, expected {_words(kind)}"
            )


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value


def _fits(value: Any, kind: Any) -> bool:
    origin, parts = get_origin(kind), get_args(kind)
    if origin is None:
        return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    if origin is Literal:
        return value in parts
    if origin in _UNIONS:
        return any(_fits(value, part) for part in parts)
    if not isinstance(value, origin):
        return False
    if origin is Mapping:
        return all(_fits(key, parts[0]) and _fits(item, parts[1]) for key, item in value.items())
    return all(_fits(item, parts[0]) for item in value)


def _words(kind: Any) -> str:
    """What a field of this type holds, for its author."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Literal:
        return f"one of {', '.join(map(repr, parts))}"
    if origin in _UNIONS:
        return " or ".join(_words(part) for part in parts)
    if origin is Mapping:
        return f"a mapping to {_words(parts[1])}"
    if origin is tuple:
        return f"a tuple of {_words(parts[0])}"
    plain: dict[Any, str] = {
        str: "text",
        bool: "True or False",
        int: "a whole number",
        type(None): "None",
    }
    return plain.get(kind) or str(kind.__name__)
