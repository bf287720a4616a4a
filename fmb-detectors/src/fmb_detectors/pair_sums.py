"""What is kept of pairs that went by: sums of both views side by side, and a bounded sample."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from fmb import Array, Pairs
from fmb.order import key_bits, scrambled
from fmb_detectors.joint_sums import JointSums
from fmb_detectors.strangers import catalogue

__all__ = ["Fold", "Sample", "SummedPairs", "drawn_bits"]

SAMPLED = 512
"""Pairs that are kept of half a part: 4,096 of a fit to four parts."""
INNER = 4
"""Inner folds at most: more cost time and measure the same correlations."""
OTHER_DRAW = np.uint64(0x5851F42D4C957F2D)


def drawn_bits(ids: Array) -> Array:
    """(n,), uint64, that depend on nothing but each id; not those that folds are dealt by."""
    return scrambled(key_bits(ids) ^ OTHER_DRAW)


@dataclass(frozen=True, eq=False)
class Sample:
    """Some pairs, in the order of the bits of their ids."""

    bits: Array
    """(m,), uint64, ascending."""
    a: Array
    b: Array
    """(m, d_a) and (m, d_b), float32."""
    columns: dict[str, Array]
    """Role -> (m,)."""

    @classmethod
    def joined(cls, samples: Sequence["Sample"], most: int) -> "Sample":
        """Those with the lowest bits of several samples, at most so many."""
        bits = np.concatenate([one.bits for one in samples])
        chosen = np.argsort(bits)[:most]
        a, b = (np.concatenate([getattr(one, side) for one in samples]) for side in ("a", "b"))
        columns = {
            role: np.concatenate([one.columns[role] for one in samples])[chosen]
            for role in samples[0].columns
        }
        return cls(bits[chosen], a[chosen], b[chosen], columns)


class PairSums:
    """Sums over pairs, and of the pairs those with the lowest bits, whatever order they came in."""

    def __init__(self) -> None:
        self.joint = JointSums()
        self._kept: list[Sample] = []
        self._bound: np.uint64 | None = None

    def add(self, x: Pairs, bits: Array, rows: Array) -> None:
        """Take the pairs at some rows in; `bits` are those of all ids."""
        self.joint.add(np.concatenate([x.a[rows], x.b[rows]], axis=1))
        below = rows if self._bound is None else rows[bits[rows] < self._bound]
        if not len(below):
            return
        columns = catalogue({role: values[below] for role, values in x.columns.items()}, len(below))
        new = Sample(bits[below], x.a[below], x.b[below], columns)
        self._kept.append(Sample.joined([new], SAMPLED))
        if sum(len(one.bits) for one in self._kept) >= 2 * SAMPLED:
            self._kept = [self.sample]
            self._bound = self._kept[0].bits[-1]

    @property
    def sample(self) -> Sample:
        """The kept pairs."""
        return Sample.joined(self._kept, SAMPLED)


@dataclass(frozen=True, eq=False)
class Fold:
    """An inner fold of a fit."""

    joint: list[JointSums]
    """Over the pairs of each part of it."""
    sample: Sample

    @classmethod
    def of(cls, sums: Sequence[PairSums]) -> "Fold":
        """Of all pairs in several sums."""
        samples = [one.sample for one in sums]
        return cls(
            [one.joint for one in sums],
            Sample.joined(samples, sum(len(one.bits) for one in samples)),
        )


@dataclass(eq=False)
class SummedPairs:
    """Sums over pairs from which a fit follows, part by part.

    Parts that are merged stay apart: the correlations of a fit are measured on each of them with
    the directions of the others. A part that is alone is halved by bits of its ids, so its two
    halves are kept apart from the start.
    """

    width: int = 0
    """Of the vectors of the first view."""
    aligned: bool = False
    views: tuple[str, str] = ("", "")
    parts: list[tuple[PairSums, PairSums]] = field(default_factory=list)
    """Each as its halves; that which `add` goes on with is the first."""

    def add(self, x: Pairs) -> None:
        """Take pairs in."""
        self._describe(x.a.shape[1], x.aligned, (x.names[0].view, x.names[1].view))
        if not self.parts:
            self.parts.append((PairSums(), PairSums()))
        bits = drawn_bits(x.ids)
        for half, sums in enumerate(self.parts[0]):
            rows = np.flatnonzero(bits % np.uint64(2) == half)
            if len(rows):
                sums.add(x, bits, rows)

    def merge(self, other: "SummedPairs") -> None:
        """Take the parts of another in, which is not added to from then on."""
        self._describe(other.width, other.aligned, other.views)
        self.parts += other.parts

    def folds(self) -> list[Fold]:
        """At most four inner folds: parts, or of a single part its halves."""
        if len(self.parts) == 1:
            return [Fold.of([half]) for half in self.parts[0] if half.joint.n]
        whole = [[half for half in part if half.joint.n] for part in self.parts]
        dealt = (whole[start::INNER] for start in range(min(INNER, len(whole))))
        return [Fold.of([half for part in some for half in part]) for some in dealt]

    def _describe(self, width: int, aligned: bool, views: tuple[str, str]) -> None:
        self.width, self.aligned, self.views = width, aligned, views
