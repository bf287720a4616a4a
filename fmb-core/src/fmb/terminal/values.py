"""Values of tables as text and as what JSON has, each by its own type."""

import math
from collections.abc import Mapping
from typing import Any

from fmb.terminal.width import printable

__all__ = ["counted", "one_line", "plain_value", "value_text"]

LISTED = 8
"""Values of a list that are shown."""


def one_line(text: str) -> str:
    """The text with every sign that a terminal would obey, also a line break, written out."""
    return printable(text).replace("\n", "\\n")


def counted(n: int, what: str = "object") -> str:
    """A number of things as people read it: "1 object", "2,000 objects"."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def plain_value(value: Any) -> Any:
    """A value of Python, numpy or pandas as JSON has it.

    Integers keep every digit, yes and no are true and false, 16- and 32-bit floats are the shortest
    number that rounds to them. What is missing, no number or infinite is None; times are ISO 8601,
    bytes the text that they are.
    """
    if isinstance(value, Mapping):
        return {key: plain_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)) or getattr(value, "ndim", None):
        return [plain_value(item) for item in value]
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if _is_short_float(value):
        value = float(str(value))
    elif hasattr(value, "dtype") and value.dtype.kind not in "mM":
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    return value.isoformat() if hasattr(value, "isoformat") else value


def value_text(value: Any, digits: int = 9) -> str:
    """A value as people read it, "" where it is missing or empty.

    Args:
        value: as for `plain_value`.
        digits: of float64; all other types are told whole.
    """
    if isinstance(value, float) or _is_short_float(value):
        if math.isnan(value):
            return ""
        return f"{value:.{digits}g}" if isinstance(value, float) else str(value)
    plain = plain_value(value)
    if isinstance(plain, list) and len(plain) > LISTED:
        return one_line(f"{plain[:LISTED]} and {len(plain) - LISTED:,} more")
    return "" if plain is None else one_line(str(plain))


def _is_short_float(value: Any) -> bool:
    """True for one float of 16 or 32 bits, whose text is shorter than its value."""
    dtype = getattr(value, "dtype", None)
    return dtype is not None and dtype.kind == "f" and dtype.itemsize < 8 and not value.ndim
