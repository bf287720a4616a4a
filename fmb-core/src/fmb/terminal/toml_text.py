"""Nested values as TOML, with a comment at each."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import tomli_w

from fmb.terminal.width import screen_width

__all__ = ["toml_text"]

Path = tuple[str, ...]


def toml_text(tables: Mapping[str, Any], comment: Callable[[Path], str]) -> str:
    """TOML that reads back as `tables`, but for empty tables, which are left out.

    Args:
        tables: nested plain values.
        comment: what stands beside the value at a path; above it where it does not fit.
    """
    return "\n".join(_lines(tables, (), comment)).strip("\n") + "\n"


def _lines(table: Mapping[str, Any], path: Path, comment: Callable[[Path], str]) -> Iterator[str]:
    inner = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    plain = {key: value for key, value in table.items() if key not in inner}
    if path and plain:
        yield f"\n[{'.'.join(map(_key, path))}]"
    for key, value in plain.items():
        line, told = f"{_key(key)} = {_value(value)}", f"# {comment((*path, key))}"
        if len(line) + 2 + len(told) > screen_width():
            yield told
            yield line
        else:
            yield f"{line}  {told}"
    for key, value in inner.items():
        yield from _lines(value, (*path, key), comment)


def _key(key: str) -> str:
    """A key, in quotes where it needs them."""
    return tomli_w.dumps({key: 0}).rpartition(" = ")[0]


def _value(value: Any) -> str:
    """A value on one line; a table within a list stands in braces."""
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_value, value))}]"
    return tomli_w.dumps({"v": value}).removeprefix("v = ").rstrip("\n")
