"""Checks the records a plugin yields, so that a wrong one is reported and not stumbled over."""

import re
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

from fmb.contract.errors import PluginError
from fmb.contract.spec import ComponentSpec, Spec

__all__ = ["check_record"]

_NAME = r"[a-z0-9]+(-[a-z0-9]+)*"
_TARGET = r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*"
_SUMMARY_MAX = 60


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
        value, origin = getattr(record, name), get_origin(kind)
        where = f"{name} of {record.name!r} is {value!r}, expected"
        if kind is str and not isinstance(value, str):
            raise PluginError(f"{where} text")
        if origin is Literal and value not in get_args(kind):
            raise PluginError(f"{where} one of {', '.join(map(repr, get_args(kind)))}")
        if origin is Mapping and not isinstance(value, Mapping):
            raise PluginError(f"{where} a mapping")
        if origin is tuple and not isinstance(value, tuple):
            raise PluginError(f"{where} a tuple")
        if kind == tuple[str, ...] and not all(isinstance(item, str) for item in value):
            raise PluginError(f"{where} texts")
