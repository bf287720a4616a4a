"""What a detector of this package asks of its vectors before it computes."""

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.errors import DataError, ShapeError
from fmb.contract.vectors import Vectors

__all__ = ["BLOCK_ROWS", "checked_values", "require_spread"]

BLOCK_ROWS = 1024
"""Rows handled at a time: float64 copies of a block stay small whatever the survey."""
_NAMED = 5


def checked_values(x: Vectors, name: str, d: int | None = None) -> Array:
    """The values of `x`, all finite; the array itself, not a copy.

    Args:
        x: n vectors.
        name: what messages call the detector.
        d: dimension the detector was fitted on; None = any.

    Returns:
        Shape (n, d), the dtype of `x.values`.

    Raises:
        ShapeError: another dimension than the fitted one.
        DataError: a value is not finite.
    """
    values = x.values
    if d is not None and values.shape[1] != d:
        raise ShapeError(
            f"{name} was fitted on d={d}, got d={values.shape[1]};"
            " embed both sets with the same model"
        )
    blocks = (values[i : i + BLOCK_ROWS] for i in range(0, len(values), BLOCK_ROWS))
    good = [np.isfinite(block).all(axis=1) for block in blocks]
    bad = np.flatnonzero(~np.concatenate(good)) if good else np.empty(0, dtype=np.int64)
    if len(bad):
        ids = ", ".join(str(i) for i in x.ids[bad[:_NAMED]])
        more = ", ..." if len(bad) > _NAMED else ""
        raise DataError(
            f"{name}: {len(bad)} of {len(values)} vectors hold values that are not finite"
            f" ({ids}{more}); mark these objects as not valid in this view"
        )
    return values


def require_spread(values: Array, name: str) -> None:
    """Refuse vectors no distribution can be fitted to.

    Args:
        values: (n, d), finite.
        name: what messages call the detector.

    Raises:
        DataError: fewer than two vectors, no dimension, or all vectors alike.
    """
    n, d = values.shape
    if n < 2 or d < 1:
        raise DataError(f"{name}: got {n} vectors of dimension {d}; a fit needs at least 2")
    if np.array_equal(values.max(axis=0), values.min(axis=0)):
        raise DataError(
            f"{name}: all {n} vectors are the same, so none is strange; check the weights and the"
            " input of the model"
        )
