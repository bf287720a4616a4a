"""Which plugins there are, and what those that are broken fail to provide."""

from dataclasses import dataclass

__all__ = ["Failure", "Source"]


@dataclass(frozen=True)
class Failure:
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


@dataclass(frozen=True)
class Source:
    """Where a plugin comes from."""

    plugin: str
    distribution: str
    version: str
