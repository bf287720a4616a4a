"""Checks the records a plugin yields, so that a wrong one is reported and not stumbled over."""

import re
from dataclasses import fields
from typing import Any, get_origin

from fmb.contract.dataset import DatasetSpec
from fmb.contract.detector import DetectorSpec
from fmb.contract.embedder import EmbedderSpec
from fmb.contract.errors import PluginError
from fmb.contract.model import ModelSpec
from fmb.contract.plot import PlotSpec
from fmb.contract.spec import Spec

__all__ = ["check_record"]

_RECORDS: dict[str, type[Spec]] = {
    "dataset": DatasetSpec,
    "model": ModelSpec,
    "embedder": EmbedderSpec,
    "detector": DetectorSpec,
    "plot": PlotSpec,
}
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
_SUMMARY_MAX = 60


def check_record(record: Any, kind: str) -> None:
    """Refuse a record that the hook for `kind` must not yield.

    Raises:
        PluginError: it is of another class, or one of its fields cannot be what it should be.
    """
    wanted = _RECORDS[kind]
    if type(record) is not wanted:
        raise PluginError(f"it yields {type(record).__name__}, expected {wanted.__name__}")
    _check_types(record)
    for name in (record.name, *record.aliases):
        if not _NAME.fullmatch(name):
            raise PluginError(f"{name!r} is not a name: lower case, digits and hyphens")
    if not 0 < len(record.summary) <= _SUMMARY_MAX or "\n" in record.summary:
        raise PluginError(
            f"summary of {record.name!r} is not one line of 1 to {_SUMMARY_MAX} characters"
        )
    for attribute in ("target", "config"):
        value = getattr(record, attribute)
        if not _TARGET.fullmatch(value):
            raise PluginError(
                f'{attribute} of {record.name!r} is {value!r}, expected "module:Class"'
            )
    for name in record.requires:
        if not name.isidentifier():  # find_spec imports the parent of a dotted name
            raise PluginError(f"{record.name!r} requires {name!r}, expected a top-level module")


def _check_types(record: Spec) -> None:
    """A string where a tuple belongs is the likeliest slip: `requires=("torch")`."""
    for field in fields(record):
        value = getattr(record, field.name)
        if field.type is str and not isinstance(value, str):
            raise PluginError(f"{field.name} of {record.name!r} is {value!r}, expected text")
        if get_origin(field.type) is not tuple:
            continue
        if not isinstance(value, tuple):
            raise PluginError(f"{field.name} of {record.name!r} is {value!r}, expected a tuple")
        if field.type == tuple[str, ...] and not all(isinstance(item, str) for item in value):
            raise PluginError(f"{field.name} of {record.name!r} is {value!r}, expected texts")
