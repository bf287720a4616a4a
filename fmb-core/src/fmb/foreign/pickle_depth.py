"""How deep tuples are nested in a pickle, found without making them.

A tuple of a tuple twice, of a tuple twice ... takes a few bytes a level. As the key of a dict it is
hashed, which takes twice as long at each level and cannot be interrupted.
"""

import pickletools
import struct
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from fmb.foreign.file_kinds import ZIP
from fmb.messages.errors import WeightsError

__all__ = ["refuse_deep_tuples"]

DEEPEST = 8
"""Levels of tuples; what torch writes has three, and 2^8 steps are nothing."""
_PICKLES = 5
"""In the format before torch 1.6: number, version, machine, content, names of storages."""
_MARK = -1
_DAMAGE = (
    ValueError, RuntimeError, LookupError, EOFError, OSError, OverflowError, MemoryError,
    zipfile.BadZipFile, struct.error,
)  # fmt: skip


def refuse_deep_tuples(path: Path, kind: str) -> None:
    """Refuse a checkpoint whose pickles nest tuples deeper than 8 levels.

    Args:
        path: a file of `torch.save`; a zip file was looked through before.
        kind: of the file, as `kind_of` has it.

    Raises:
        WeightsError: they do, or what is there is no pickle.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of texts that only damage could have made
            for stream, pickles in _streams(path, kind):
                for _ in range(pickles):
                    if _tuple_depth(stream) > DEEPEST:
                        raise WeightsError(f"{path}: tuples nested deeper than {DEEPEST} levels")
    except _DAMAGE:
        raise WeightsError(f"{path}: cut short or damaged") from None


def _streams(path: Path, kind: str) -> Iterator[tuple[IO[bytes], int]]:
    if kind != ZIP:
        with path.open("rb") as stream:
            yield stream, _PICKLES
        return
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith("/data.pkl"):
                with archive.open(name) as member:
                    yield member, 1


def _tuple_depth(stream: IO[bytes]) -> int:
    """The deepest tuple of the next pickle; what is no tuple counts as none."""
    stack: list[int] = []
    memo: dict[Any, int] = {}
    deepest = 0
    for operation, argument, _ in pickletools.genops(stream):
        if operation.name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        elif operation.name in ("PUT", "BINPUT", "LONG_BINPUT"):
            memo[argument] = stack[-1]
        elif operation.name == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif operation.name == "MARK":
            stack.append(_MARK)
        elif operation.name == "DUP":
            stack.append(stack[-1])
        else:
            taken = _taken(stack, operation)
            made = len(operation.stack_after)
            depth = max([0, *taken]) + 1 if operation.name.startswith("TUPLE") else 0
            stack += [depth] * made
            deepest = max(deepest, depth)
            if deepest > DEEPEST:
                break
    return deepest


def _taken(stack: list[int], operation: pickletools.OpcodeInfo) -> list[int]:
    """What an operation takes off the stack: down to the mark, or as many as it says."""
    before = operation.stack_before
    if pickletools.markobject not in before:
        return [stack.pop() for _ in before]
    taken = []
    while (top := stack.pop()) != _MARK:
        taken.append(top)
    # Below the mark stands what the operation adds to, if anything.
    return taken + [stack.pop() for _ in before[: before.index(pickletools.markobject)]]
