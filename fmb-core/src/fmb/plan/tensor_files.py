"""Readers of own vectors that need torch, which whoever has none does without."""

from importlib import import_module
from pathlib import Path

from fmb.messages.errors import ConfigError
from fmb.vectors.columns import Asked
from fmb.vectors.formats import Reader
from fmb.vectors.table import VectorTable

__all__ = ["TENSOR_FILES"]


def _read(path: Path, asked: Asked) -> VectorTable:
    try:
        # By name: what needs torch stands beside the planner, not below it.
        reader: Reader = import_module("fmb.torch.records").read_records
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ConfigError(
            f"{path}: reading it needs torch: pip install 'fmb-core[torch]'"
        ) from None
    return reader(path, asked)


TENSOR_FILES: dict[str, Reader] = {".pt": _read, ".pth": _read}
"""Ending -> reader."""
