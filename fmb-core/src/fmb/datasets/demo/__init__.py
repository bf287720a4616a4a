"""The demo survey: simulated galaxies with planted anomalies."""

from typing import TYPE_CHECKING, Any

from fmb.datasets.demo.config import DemoConfig, DemoEvalConfig

if TYPE_CHECKING:
    from fmb.datasets.demo.cached import open_demo

__all__ = ["DemoConfig", "DemoEvalConfig", "open_demo"]


def __getattr__(name: str) -> Any:
    # Imported on first use: a configuration can be checked without the simulation.
    if name == "open_demo":
        from fmb.datasets.demo.cached import open_demo

        return open_demo
    raise AttributeError(name)
