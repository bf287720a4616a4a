"""Conformance kit for authors of plugins: subclass a contract and pytest runs its checks."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fmb.testing.detector_contract import DetectorContract

__all__ = ["DetectorContract"]


def __getattr__(name: str) -> Any:
    # On first use: pytest loads this package in every project that has fmb-core installed.
    if name == "DetectorContract":
        return import_module("fmb.testing.detector_contract").DetectorContract
    raise AttributeError(f"module 'fmb.testing' has no attribute {name!r}")
