"""Which plugins there are, and what those that are broken fail to provide."""

from typing import NamedTuple

from fmb.contract.spec import Spec

__all__ = ["Failure", "Missing", "Origin"]


class Failure(NamedTuple):
    """What a plugin fails to provide, and why."""

    plugin: str
    distribution: str
    version: str
    stage: str
    """import, FMB_API, register, hooks, declare (the whole plugin is left out) or requires (one
    of its components is)."""
    error: str

    def __str__(self) -> str:
        where = f"{self.distribution} {self.version}"
        return f"plugin {self.plugin!r} ({where}) failed at {self.stage}: {self.error}"


class Origin(NamedTuple):
    """Where a plugin comes from."""

    plugin: str
    distribution: str
    version: str


class Missing(NamedTuple):
    """A component that is not available, because an extra of its distribution is not installed."""

    spec: Spec
    origin: Origin
    modules: tuple[str, ...]
    """What it needs and is not there."""

    def __str__(self) -> str:
        return (
            f"{self.spec.kind} {self.spec.names[0]!r} is not available: pip install"
            f" '{self.origin.distribution}[{self.spec.extra}]'"
        )
