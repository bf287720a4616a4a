"""What one file of vectors holds: ids, catalogue, and matrices where they lie or to be decoded."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fmb.contract.arrays import Array
from fmb.messages.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BLOCK_BYTES", "VectorTable", "block_rows", "refuse_lengths"]

BLOCK_BYTES = 4 * 2**20
"""Of vectors that are decoded at a time."""

Blocks = Iterator[tuple[str, Array]]


def nothing() -> Blocks:
    """No vectors to decode."""
    return iter(())


@dataclass(frozen=True, eq=False)
class VectorTable:
    """One file, opened: no vector is in memory yet."""

    ids: Array | None
    """(n,), int64, uint64 or str; None where the file has none."""
    catalog: "pd.DataFrame"
    """The other columns, n rows; `attrs["units"]` as the file tells them."""
    stored: Mapping[str, Array]
    """View -> (n, d) where it lies in the file, of any numeric type and byte order."""
    packed: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """View -> (n, d) of what has to be decoded."""
    decode: Callable[[], Blocks] = nothing
    """Gives (view, (k, d)) of all that is packed, the blocks of a view in order."""
    left_out: tuple[str, ...] = ()
    """Names and types of what is neither vectors nor catalogue."""
    notes: tuple[str, ...] = ()
    """What a user should know of how it was read, one line each."""

    @property
    def shapes(self) -> dict[str, tuple[int, int]]:
        """View -> (n, d)."""
        stored = {view: (len(matrix), matrix.shape[1]) for view, matrix in self.stored.items()}
        return {**stored, **self.packed}

    def blocks(self) -> Blocks:
        """(view, (k, d)) of all vectors, decoded or from where they lie."""
        for view, matrix in self.stored.items():
            rows = block_rows(matrix.shape[1] * matrix.itemsize)
            yield from ((view, matrix[at : at + rows]) for at in range(0, len(matrix), rows))
        yield from self.decode()


def block_rows(row_bytes: int) -> int:
    """Rows of so many bytes that make a block."""
    return max(1, BLOCK_BYTES // max(1, int(row_bytes)))


def refuse_lengths(where: str, lengths: Mapping[str, int]) -> None:
    """Check that the numbers that make a vector, side by side, are of as many objects.

    Args:
        where: names the file.
        lengths: name -> how many numbers it has.

    Raises:
        DataError: names the first that has another number of them than most.
    """
    most = Counter(lengths.values()).most_common(1)[0][0]
    for name, length in lengths.items():
        if length != most:
            like = next(other for other, n in lengths.items() if n == most)
            raise DataError(
                f"{where}: {name!r} has {length} numbers and {like!r} {most}, and both are parts of"
                " a vector; store one an object, or say --vector-columns"
            )
