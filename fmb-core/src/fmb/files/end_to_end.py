"""Tables of several files laid end to end, without a digit lost."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.api import types

from fmb.files.columns import whole_numbers
from fmb.messages.errors import DataError

__all__ = ["end_to_end"]

_GAPPED = {"int64": "Int64", "uint64": "UInt64", "bool": "boolean"}
"""Type -> the same, with gaps."""
_EXACT = 2**53
"""Whole numbers up to here are float64 too."""


def end_to_end(frames: Sequence[pd.DataFrame], paths: Sequence[Path]) -> pd.DataFrame:
    """The rows of all, in order, each column of one type; where a file has no value, a gap.

    Args:
        frames: of the same columns.
        paths: the file of each.

    Raises:
        DataError: a column is of types that no type holds, text and numbers for instance.
    """
    made = {name: _column(str(name), [f[name] for f in frames], paths) for name in frames[0]}
    return pd.DataFrame(made, index=range(sum(map(len, frames))))


def _column(name: str, parts: Sequence[Any], paths: Sequence[Path]) -> Any:
    known = [(path, part) for path, part in zip(paths, parts, strict=True) if part.notna().any()]
    if not known:
        return pd.concat(parts, ignore_index=True)
    kinds = {_kind(part): path for path, part in reversed(known)}
    if len(kinds) == 2 and set(kinds) == {"whole numbers", "fractions"}:
        whole = [part for _, part in known if _kind(part) == "whole numbers"]
        if any(int(part.max()) > _EXACT or int(part.min()) < -_EXACT for part in whole):
            raise _unlike(name, kinds, "numbers beyond 2^53 are no fractions")
        parts = [part.astype("float64") for part in parts]
    elif len(kinds) > 1:
        raise _unlike(name, kinds, "store one type")
    elif "whole numbers" in kinds and len({str(part.dtype).lower() for _, part in known}) > 1:
        numbers = [None if pd.isna(one) else int(one) for part in parts for one in part]
        found = whole_numbers(numbers)  # numpy and pandas take int64 and uint64 to float64
        if found.dtype == object:
            raise DataError(
                f"{known[0][0]}: column {name!r} holds negative numbers and, in other files,"
                " numbers beyond 2^63, for which there is no one type; store text"
            )
        return found
    gapped = _GAPPED.get(str(known[0][1].dtype), known[0][1].dtype)
    # What is empty has no type, whatever its file says.
    same = [p if p.notna().any() else pd.Series([None] * len(p), dtype=gapped) for p in parts]
    return pd.concat(same, ignore_index=True)


def _kind(part: Any) -> str:
    if types.is_bool_dtype(part.dtype):
        return "yes or no"
    if types.is_integer_dtype(part.dtype):
        return "whole numbers"
    if types.is_float_dtype(part.dtype):
        return "fractions"
    return "times" if types.is_datetime64_any_dtype(part.dtype) else "text"


def _unlike(name: str, kinds: dict[str, Path], advice: str) -> DataError:
    (first, path), (second, other) = list(kinds.items())[:2]
    return DataError(f"{path}: column {name!r} holds {first}, and {second} in {other}; {advice}")
