"""What `--set` says of a survey to the commands that write one."""

from collections.abc import Sequence
from typing import Any

from fmb import merge, parse_setting

__all__ = ["data_settings"]


def data_settings(texts: Sequence[str]) -> dict[str, Any]:
    """Keys and values, each with or without the `data.` that `fmb run` has before them.

    Args:
        texts: "inputs.image.unit=nmgy", or "data.inputs.image.unit=nmgy" as messages advise.

    Raises:
        ConfigError: one is not KEY=VALUE.
    """
    return merge(*(parse_setting(text.removeprefix("data.")) for text in texts))
