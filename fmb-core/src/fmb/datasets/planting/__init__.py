"""Planted anomalies: kinds declared beforehand, and a dataset that wraps any dataset."""

from typing import TYPE_CHECKING, Any

from fmb.datasets.planting.config import PlantingConfig
from fmb.datasets.planting.kinds import KINDS, ORDINARY, Kind, find_kind

if TYPE_CHECKING:
    from fmb.datasets.planting.wrapper import Planted

__all__ = ["KINDS", "ORDINARY", "Kind", "Planted", "PlantingConfig", "find_kind"]


def __getattr__(name: str) -> Any:
    # Imported on first use: the table of kinds needs neither numpy nor pandas.
    if name == "Planted":
        from fmb.datasets.planting.wrapper import Planted

        return Planted
    raise AttributeError(name)
