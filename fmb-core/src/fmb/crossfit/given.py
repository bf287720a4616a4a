"""Vectors given roles: what detectors see of them, by the fit that has not seen their objects."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fmb.blocks.sound import require_enough, require_sound, require_spread, widths
from fmb.blocks.stored import Stored, blocks_of
from fmb.conditioning.conditioned import Conditioning
from fmb.conditioning.fit import Blocks, fit_conditionings
from fmb.contract.arrays import Array, Rows
from fmb.contract.vectors import Pairs, Vectors
from fmb.crossfit.checked import Checked
from fmb.crossfit.fold_by_fold import fold_by_fold
from fmb.crossfit.one_pass import Seen, fits_done, has_sums, score_blocks

__all__ = [
    "Given",
    "Transforms",
    "add_others",
    "cross_fit_given",
    "fit_given",
    "in_pieces",
    "in_sample_given",
    "residuals",
    "scored_given",
    "strata",
]

Transforms = tuple[Conditioning, ...]
"""Of one fit: that of the vectors; of a pair those of both views."""


@dataclass(frozen=True, eq=False)
class Given(Rows):
    """Vectors of n objects, or pairs of them, and the roles that a list of them is given."""

    of: Vectors | Stored | Pairs
    names: tuple[str, ...]
    roles: Array
    """(n, R), float64, NaN where unknown: the roles called `names`, in that order."""

    def take(self, rows: npt.ArrayLike) -> "Given":
        """The objects at `rows`, in that order."""
        return Given(self.of.take(rows), self.names, self.roles[np.asarray(rows)])

    @cached_property
    def ids(self) -> Array:
        """(n,), in the order of the vectors."""
        return self.of.ids

    def is_summed_by(self, detector: Checked) -> bool:
        """True when a fit to the residuals is a sum over blocks of them."""
        return not isinstance(self.of, Pairs) and has_sums(self.of, detector)


def fit_given(
    x: Given, fold: Array, k: int, label: str, told: Callable[[int], None] = lambda objects: None
) -> list[Transforms]:
    """The transforms fitted to all objects but those of each of k folds.

    Args:
        x: n objects.
        fold: (n,), int; objects of none of 0 .. k-1 are seen by every fit.
        k: number of fits.
        label: names the detector in messages.
        told: called with how many more objects are done, twice for each.

    Raises:
        DataError: a value is not finite.
    """
    require_sound(x.of, label)
    of_views = [fit_conditionings(view, x.roles, fold, k) for view in _views(x.of, told)]
    return list(zip(*of_views, strict=True))


def residuals(x: Given, by: Transforms) -> Vectors | Pairs:
    """What a detector sees of objects: residuals in place of the vectors.

    Raises:
        ShapeError: the vectors have another width than the fitted ones.
    """
    if isinstance(x.of, Pairs):
        a, b = (
            one.residuals(view, x.roles) for one, view in zip(by, (x.of.a, x.of.b), strict=True)
        )
        return replace(x.of, a=a, b=b)
    values = np.empty((len(x), by[0].width), dtype=np.float32)
    for rows, block in blocks_of(x.of):
        values[rows] = by[0].residuals(block.values, x.roles[rows])
    return Vectors(x.of.ids, values, x.of.columns)


def in_pieces(x: Given, fits: Sequence[Transforms]) -> Seen:
    """What fit i sees of the objects at some rows, whose vectors are read already."""

    def seen(i: int, rows: Array, block: Vectors) -> Vectors:
        return replace(block, values=fits[i][0].residuals(block.values, x.roles[rows]))

    return seen


def add_others(
    new: Sequence[Checked],
    x: Given,
    fits: Sequence[Transforms],
    fold: Array,
    told: Callable[[int], None] = lambda objects: None,
) -> None:
    """Take each object into the sums of all fits but that of its fold.

    Sums of parts do not do here: every fit has residuals of its own.

    Args:
        new: new detectors whose fits are sums, one a fold.
        x: n objects whose vectors were seen to be finite.
        fits: their transforms.
        fold: (n,), int, positions in `new`; objects of another fold are seen by every fit.
        told: called with how many more objects are done.
    """
    seen = in_pieces(x, fits)
    for rows, block in blocks_of(_vectors(x)):
        for i, detector in enumerate(new):
            others = np.flatnonzero(fold[rows] != i)
            some = block if len(others) == len(block) else block.take(others)
            if len(some):
                detector.add(seen(i, rows[others], some))
        told(len(rows))


def cross_fit_given(
    new: Sequence[Checked],
    x: Given,
    fold: Array,
    fitted: Array,
    label: str,
    details: Sequence[str],
    told: Callable[[int], None],
) -> tuple[Array, dict[str, Array], list[Transforms]]:
    """Scores and details of objects with roles, and the transforms of the fits.

    Args:
        new: new detectors, one a fold.
        x: n objects.
        fold: (n,), int, positions in `new`.
        fitted: (n,), bool: which objects fits may see.
        label: names the detector in messages about all objects.
        details: columns that the detector tells of each object.
        told: called with how many of the fits are done.

    Raises:
        FmbError: as `fmb.crossfit.scored.cross_fit`.
    """
    if x.is_summed_by(new[0]):
        return _summed(new, x, fold, fitted, label, details, told)
    fits = fit_given(_those(x, fitted, label), fold[fitted], len(new), label)

    def seen(i: int, rows: Array) -> Vectors | Pairs:
        return residuals(x.take(rows), fits[i])

    return *fold_by_fold(new, seen, fold, fitted, label, details, told), fits


def in_sample_given(
    detector: Checked, x: Given, fitted: Array, label: str, details: Sequence[str]
) -> tuple[Array, dict[str, Array], list[Transforms]]:
    """Scores and details of objects with roles by one fit, and its transform.

    Args:
        detector: a new one.
        x: n objects.
        fitted: (n,), bool: which objects the fit may see.
        label: names the detector in messages.
        details: columns that the detector tells of each object.

    Raises:
        FmbError: as `fmb.crossfit.scored.in_sample`.
    """
    shown = _those(x, fitted, label)
    every = np.full(len(shown), -1)
    fits = fit_given(shown, every, 1, label)
    if shown.is_summed_by(detector):
        add_others([detector], shown, fits, every)
    else:
        detector.fit(residuals(shown, fits[0]))
    return *scored_given(detector, fits[0], x, details), fits


def _those(x: Given, fitted: Array, label: str) -> Given:
    """The objects that fits may see; the others are seen to be sound."""
    if fitted.all():
        return x
    require_sound(x.of, label)
    return x.take(fitted)


def _summed(
    new: Sequence[Checked],
    x: Given,
    fold: Array,
    fitted: Array,
    label: str,
    details: Sequence[str],
    told: Callable[[int], None],
) -> tuple[Array, dict[str, Array], list[Transforms]]:
    """Scores, details and transforms of a cross-fit by detectors whose fits are sums."""
    of, shown = _vectors(x), _those(x, fitted, label)
    for i, detector in enumerate(new):
        require_enough(int(np.count_nonzero((fold != i) & fitted)), widths(of), detector.label)
    require_spread(_vectors(shown), label)
    tell = fits_done(3 * len(shown) + len(x), len(new), told)
    fits = fit_given(shown, fold[fitted], len(new), label, tell)
    add_others(new, shown, fits, fold[fitted], tell)
    scores, tables = score_blocks(new, of, fold, details, tell, in_pieces(x, fits))
    return scores, tables, fits


def scored_given(
    detector: Checked, by: Transforms, x: Given, details: Sequence[str] = ()
) -> tuple[Array, dict[str, Array]]:
    """Scores and details of objects, seen to be finite, by a fit that sees them through `by`."""
    if x.is_summed_by(detector):
        one = np.zeros(len(x), dtype=np.int64)
        seen = in_pieces(x, [by])
        scores, tables = score_blocks([detector], _vectors(x), one, details, seen=seen)
    else:
        scores, tables = detector.judge(residuals(x, by), details, sound=True)
    return by[0].levelled(scores, x.roles), tables


def strata(x: Given, fits: Sequence[Transforms], fold: Array) -> Array:
    """Which roles each object is conditioned on, by the fit that scores it."""
    stratum = np.empty(len(x), dtype=np.int64)
    for i, (transform, *_) in enumerate(fits):
        inside = fold == i
        stratum[inside] = transform.stratum(x.roles[inside])
    return stratum


def _vectors(x: Given) -> Vectors | Stored:
    """What fits that are sums are made from."""
    if isinstance(x.of, Pairs):
        raise TypeError("a fit to pairs is no sum")
    return x.of


def _views(x: Vectors | Stored | Pairs, told: Callable[[int], None]) -> list[Blocks]:
    """A way to go through each matrix."""
    if isinstance(x, Pairs):
        parts = [Vectors(x.ids, x.a), Vectors(x.ids, x.b)]
        return [_blocks(part, lambda rows: told(rows // 2)) for part in parts]
    return [_blocks(x, told)]


def _blocks(x: Vectors | Stored, told: Callable[[int], None]) -> Blocks:
    def go_through() -> Iterator[tuple[Array, Array]]:
        for rows, block in blocks_of(x):
            yield rows, block.values
            told(len(rows))

    return go_through
