"""What all values of a column have in common, found in one pass over a table."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fmb import DataError
from fmb_surveys.export.exported import Exported, masked

__all__ = ["Facts", "facts_of"]

_LOWEST = 4096
"""Values above the lowest of 64 bits of which is kept whether they stand in a column."""


@dataclass
class Facts:
    """A column before its first value is written."""

    name: str
    kind: np.dtype[Any]
    """Of numpy; of text any width."""
    missing: bool = False
    low: int = 0
    """Lowest of whole numbers; 0 where none is lower."""
    high: int = 0
    width: int = 0
    """Units of UTF-16 in the longest text, which are its characters where all are ASCII."""
    not_ascii: str | None = None
    """A text that is not ASCII."""
    trailing: str | None = None
    """A text that ends in a blank."""
    outer: str | None = None
    """A text that begins or ends with a blank."""
    lowest: set[int] = field(default_factory=set)
    """Those of its values that are near the lowest of 64 bits."""

    def add(self, values: np.ma.MaskedArray[Any, Any]) -> None:
        """Take some of its values into account."""
        self.missing |= bool(np.ma.is_masked(values))
        if values.dtype.kind == "U":
            self._add_text(values.filled(""))
        elif values.dtype.kind in "iu" and values.count():
            low, high = int(values.min()), int(values.max())
            self.low, self.high = min(self.low, low), max(self.high, high)
            near = np.iinfo(np.int64).min + _LOWEST
            if low < near:
                known = values.compressed()
                self.lowest |= set(known[known < near].tolist())

    def unused(self) -> int:
        """A number of 64 bits that no value of the column is.

        Raises:
            DataError: thousands of the lowest are.
        """
        least = int(np.iinfo(np.int64).min)
        for value in range(least, least + _LOWEST):
            if value not in self.lowest:
                return value
        raise DataError(
            f"column {self.name!r}: no number is left to stand for a gap in FITS; choose"
            " --format votable or parquet"
        )

    def _add_text(self, texts: Any) -> None:
        if not len(texts) or not texts.dtype.itemsize:
            return
        codes = np.ascontiguousarray(texts).view(np.uint32).reshape(len(texts), -1)
        # Characters beyond 16 bits take two units.
        units = np.strings.str_len(texts) + (codes > 0xFFFF).sum(axis=1)
        self.width = max(self.width, int(units.max()))
        self.not_ascii = self.not_ascii or _first(texts, (codes > 127).any(axis=1))
        self.trailing = self.trailing or _first(texts, np.strings.rstrip(texts) != texts)
        self.outer = self.outer or _first(texts, np.strings.strip(texts) != texts)


def facts_of(exported: Exported) -> dict[str, Facts]:
    """What is to be known of each column before the first row is written."""
    facts: dict[str, Facts] = {}
    for block in exported.blocks():
        for name, values in block.items():
            column = masked(values)
            own = facts.setdefault(str(name), Facts(str(name), column.dtype))
            own.add(column)
    return facts


def _first(texts: Any, where: Any) -> str | None:
    return str(texts[np.argmax(where)]) if where.any() else None
