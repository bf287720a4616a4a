"""Names of nested Arrow columns, such as "spectrum/flux": their types and what is said of them."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from fmb import DataError, did_you_mean

__all__ = ["depth_of", "field_at", "is_list", "leaves", "number_kind", "said_of"]


def is_list(kind: pa.DataType) -> bool:
    """True for every kind of list that Arrow has."""
    types = pa.types
    views = types.is_list_view(kind) or types.is_large_list_view(kind)
    plain = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
    return bool(plain or views)


def field_at(schema: pa.Schema, name: str, where: str) -> pa.Field:
    """The field that a name such as "spectrum/flux" stands for, whatever lists are on the way.

    Args:
        schema: of the file.
        name: of a column, and of fields of the structs in it.
        where: names the file in messages.

    Raises:
        DataError: there is none.
    """
    return _way(schema, name, where)[-1]


def _way(schema: pa.Schema, name: str, where: str = "") -> list[pa.Field]:
    """The fields that a name leads through, the outermost first."""
    found: list[pa.Field] = []
    fields = {field.name: field for field in schema}
    for part in name.split("/"):
        if part not in fields:
            raise DataError(f"{where}: no column is called {name!r}{did_you_mean(part, fields)}")
        found.append(fields[part])
        kind = _inside(found[-1].type)[0]
        fields = {f.name: f for f in kind} if pa.types.is_struct(kind) else {}
    return found


def depth_of(schema: pa.Schema, name: str) -> int:
    """How many lists, one in the other, each row of a column that is there has."""
    return sum(_inside(field.type)[1] for field in _way(schema, name))


def number_kind(schema: pa.Schema, name: str, where: str) -> "np.dtype[Any]":
    """Type of the numbers of a column.

    Raises:
        DataError: it is not there, or has none.
    """
    kind = _inside(field_at(schema, name, where).type)[0]
    numbers = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
    if not numbers and not pa.types.is_null(kind):
        raise DataError(f"{where}: {name!r} holds {kind}, expected numbers")
    return np.dtype(np.float64 if pa.types.is_null(kind) else kind.to_pandas_dtype())


def said_of(schema: pa.Schema, name: str) -> dict[str, str]:
    """What is said of a column: by its own field, else by the lists and structs around it."""
    said: dict[str, str] = {}
    for field in _way(schema, name):
        kind = field.type
        said |= _texts(field.metadata)
        while is_list(kind):
            said |= _texts(kind.value_field.metadata)
            kind = kind.value_type
    return said


def _texts(metadata: Any) -> dict[str, str]:
    return {
        k.decode(errors="replace"): v.decode(errors="replace") for k, v in (metadata or {}).items()
    }


def _inside(kind: pa.DataType) -> tuple[pa.DataType, int]:
    """The type below all lists, and how many there are."""
    depth = 0
    while True:
        if isinstance(kind, pa.BaseExtensionType):
            kind = kind.storage_type
        elif pa.types.is_dictionary(kind):
            kind = kind.value_type
        elif is_list(kind):
            kind, depth = kind.value_type, depth + 1
        else:
            return kind, depth


def leaves(schema: pa.Schema) -> Iterator[tuple[str, pa.DataType]]:
    """Name and type of each innermost field, in the order in which Parquet counts its columns."""

    def below(name: str, kind: pa.DataType) -> Iterator[tuple[str, pa.DataType]]:
        kind = _inside(kind)[0]
        if pa.types.is_map(kind):
            yield from below(f"{name}/key", kind.key_type)
            yield from below(f"{name}/value", kind.item_type)
        elif pa.types.is_struct(kind):
            for field in kind:
                yield from below(f"{name}/{field.name}", field.type)
        else:
            yield name, kind

    for field in schema:
        yield from below(field.name, field.type)
