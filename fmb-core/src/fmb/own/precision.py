"""Whether vectors still differ in float32, in which FMB computes."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from fmb.contract.arrays import Array
from fmb.messages.errors import DataError
from fmb.vectors.blocks import finite_rows
from fmb.vectors.parts import Gathered
from fmb.vectors.table import VectorTable, block_rows

__all__ = ["refuse_lost"]


def refuse_lost(found: Gathered, tables: Sequence[VectorTable], where: str) -> None:
    """Check that vectors that differ are not all the same in float32.

    Vectors that differ are known by the first block; only others are read to the end.

    Args:
        found: the vectors, as they lie or in float32.
        tables: what the files hold.
        where: names the files.

    Raises:
        DataError: they are all the same.
    """
    for view, parts in found.views.items():
        if not _same(_in_float32(parts)):
            continue
        if not _same(block for table in tables for name, block in table.blocks() if name == view):
            raise DataError(
                f"{where}: {view!r}: the vectors differ, but only beyond float32, in which FMB"
                " computes; subtract their mean or scale them"
            )


def _in_float32(parts: Sequence[Array]) -> Iterator[Array]:
    for part in parts:
        rows = block_rows(part.shape[1] * part.itemsize)
        for at in range(0, len(part), rows):
            yield np.asarray(part[at : at + rows], dtype=np.float32)


def _same(blocks: Iterable[Array]) -> bool:
    """True where all finite rows are the same."""
    first = None
    for block in blocks:
        finite = block[finite_rows(block)]
        first = finite[0] if first is None and len(finite) else first
        if first is not None and (finite != first).any():
            return False
    return True
