"""Values as JSON that every reader takes, without a number changed."""

import json
from typing import Any

from fmb.terminal.values import plain_value

__all__ = ["json_rows", "json_text"]


def json_text(value: Any) -> str:
    """Values as JSON, each as `plain_value` has it; what is no value is text."""
    return json.dumps(plain_value(value), indent=1, default=str, allow_nan=False)


def json_rows(table: Any) -> list[dict[str, Any]]:
    """The rows of a pandas table by column, taken column by column: each keeps its type."""
    columns = [[plain_value(value) for value in table[name].array] for name in table]
    return [dict(zip(map(str, table), row, strict=True)) for row in zip(*columns, strict=True)]
