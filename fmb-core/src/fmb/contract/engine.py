"""Engines: where the shards of a survey are computed."""

from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol

from fmb.contract.spec import ComponentSpec

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from contextlib import AbstractContextManager

__all__ = ["Engine", "EngineSpec", "Resources"]


class EngineSpec(ComponentSpec):
    """Processes, here or elsewhere, that compute shards and write them to the store."""

    kind: ClassVar[str] = "engine"
    plural: ClassVar[str] = "engines"
    example: ClassVar[str] = """\
yield EngineSpec(name="threads", summary="Threads of this process",
                 target="mypkg.threads:Threads", config="mypkg.threads:ThreadsConfig")"""


class Resources(NamedTuple):
    """What one job takes."""

    gpus: int = 0
    cpus: int = 1


class Engine(Protocol):
    """Where shards are computed. Constructed `(config)`."""

    def executor(self, resources: Resources) -> "AbstractContextManager[Executor]":
        """An executor of `concurrent.futures`, closed at the end of the block.

        What is submitted to it is `fmb.run_shards` with a request of plain values and numbers of
        shards, never arrays: each job plans for itself and writes to the store, which alone says
        what is done.
        """
