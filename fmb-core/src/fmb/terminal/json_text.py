"""Values as JSON that every reader takes, without a number changed."""

import json
import math
from collections.abc import Mapping
from typing import Any

__all__ = ["json_text"]


def json_text(value: Any) -> str:
    """Plain values, or those of numpy, as JSON; what is NaN is null, what is no value is text."""
    return json.dumps(_without_nan(value), indent=1, default=str, allow_nan=False)


def _without_nan(value: Any) -> Any:
    """Numbers of numpy as plain ones; JSON has no word for NaN and infinity."""
    if hasattr(value, "dtype") and hasattr(value, "item"):
        value = value.item()
    if isinstance(value, Mapping):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    unknown = isinstance(value, float) and not math.isfinite(value)
    return None if unknown or type(value).__name__ == "NAType" else value
