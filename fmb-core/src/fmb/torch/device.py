"""Where networks run and with which numbers."""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch

from fmb.messages.errors import ConfigError

__all__ = ["DTYPES", "autocast", "one_thread", "resolve_device"]

DTYPES = {"float32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def resolve_device(name: str) -> str:
    """The device that was asked for; "auto" takes a GPU when there is one.

    Raises:
        ConfigError: the device is unknown or not there.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ConfigError(f"device {name!r} is unknown; choose from auto, cpu, cuda") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ConfigError(f"device {name!r} asked for, but torch sees no GPU; use --device cpu")
    return str(device)


def autocast(device: str, precision: str) -> contextlib.AbstractContextManager[Any]:
    """A context in which matrix products run in `precision`; nothing for float32."""
    if precision == "float32":
        return contextlib.nullcontext()
    return torch.autocast(torch.device(device).type, dtype=DTYPES[precision])


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """A context in which torch computes in one thread, for work in many small steps.

    Threads that share a small product wait for each other longer than they compute; on a busy
    machine they may wait twenty times as long. The number before is set again afterwards.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
