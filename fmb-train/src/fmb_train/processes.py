"""Several processes that train one network: each takes a share of every batch."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

__all__ = ["Processes", "processes"]


@dataclass(frozen=True)
class Processes:
    """This process among those that train together; alone when nobody started several."""

    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        """True for the one process that writes files."""
        return self.rank == 0

    def sum_gradients(self, parameters: Iterable[torch.nn.Parameter], extra: Tensor) -> Tensor:
        """Gradients summed over the processes, in place, and `extra` (k,) likewise.

        One message for all: its latency counts more than its bytes. A parameter that no object of
        this process reached has a gradient of zero.
        """
        if self.world == 1:
            return extra
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([*(g.reshape(-1).float() for g in gradients), extra.float()])
        dist.all_reduce(flat)
        at = 0
        for gradient in gradients:
            gradient.copy_(flat[at : at + gradient.numel()].view_as(gradient))
            at += gradient.numel()
        return flat[at:]

    def gather(self, value: Any) -> list[Any]:
        """The plain `value` of every process, in the order of ranks."""
        if self.world == 1:
            return [value]
        found: list[Any] = [None] * self.world
        dist.all_gather_object(found, value)
        return found

    def total(self, counts: Mapping[str, float]) -> dict[str, float]:
        """Key -> sum over all processes; a key may be missing in some of them."""
        summed: dict[str, float] = {}
        for part in self.gather(dict(counts)):
            for key, value in part.items():
                summed[key] = summed.get(key, 0.0) + value
        return summed


@contextmanager
def processes(device: str) -> Iterator[tuple[Processes, str]]:
    """The processes that `torchrun` started, and the device of this one.

    Args:
        device: "cpu" or "cuda"; of several GPUs each process takes its own.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Processes(), device
        return
    on_gpu = device.startswith("cuda")
    if on_gpu:
        device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if on_gpu else "gloo")
    try:
        yield Processes(dist.get_rank(), world), device
    finally:
        dist.destroy_process_group()
