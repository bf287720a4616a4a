"""Principal components, exactly, and the rotation that brings two sets of them together."""

import numpy as np

from fmb import Array

__all__ = ["principal_components", "turned_to"]


def principal_components(x: Array, k: int) -> tuple[Array, Array]:
    """The centre (d,) and the k leading axes (d, k) of n vectors (n, d), exactly.

    From the n x n or the d x d products, whichever are fewer; the sign of an axis is that which
    makes its largest entry positive.

    Source: Jolliffe 2002, Principal Component Analysis, 3.5.
    """
    from scipy.linalg import eigh  # imported here: measuring lists does without

    centre = x.mean(axis=0)
    data = (x - centre).astype(np.float64)
    n, d = data.shape
    if n < d:
        first = max(0, n - k)
        values, vectors = eigh(data @ data.T, subset_by_index=(first, n - 1))
        axes = data.T @ vectors / np.sqrt(np.maximum(values, 1e-300))
    else:
        _, axes = eigh(data.T @ data, subset_by_index=(max(0, d - k), d - 1))
    axes = axes[:, ::-1]
    largest = np.abs(axes).argmax(axis=0)
    signs = np.sign(axes[largest, np.arange(axes.shape[1])])
    return centre, axes * np.where(signs == 0, 1, signs)


def turned_to(axes: Array, frame: Array) -> Array:
    """The rotation (k, k) of axes (d, k) that brings them nearest to those of a frame (d, k).

    Source: Schoenemann 1966, Psychometrika 31, 1 (orthogonal Procrustes problem).
    """
    left, _, right = np.linalg.svd(axes.T @ frame)
    turn: Array = left @ right
    return turn
