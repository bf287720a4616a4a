"""What a shrunk normal distribution says of the rows it was fitted to, each as if left out."""

import numpy as np

from fmb import Array
from fmb_detectors.normal import ShrunkNormal

__all__ = ["leave_out"]

SMALLEST_REST = 1e-12
"""Of a variance, after a row was taken out: less is rounding."""


def leave_out(normal: ShrunkNormal, values: Array, groups: Array) -> tuple[Array, Array]:
    """Minus log densities of rows under the distribution without them and their repeats.

    Without g of n rows mean and scatter follow exactly, and so does the covariance when the
    shrinkage a and the sum n a mu that it adds to the scatter, mu = tr(S) / d, are held; a itself
    falls as 1 / n, so that this sum is what other rows would change least. Of a single row with
    squared distance q

        squared = q n / (n - 1) / (1 - (1 - a) q / (n - 1)),

    which grows with q, and so does the density's part: ranks of single rows are those in-sample.

    Args:
        normal: fitted to `values`.
        values: (n, d), finite, in any order.
        groups: (n,), int64: rows of one group are left out together.

    Returns:
        -log N of each row, (n,) float64, in nats, and squared distances, (n,) float64.

    Source: Sherman and Morrison 1950, Ann. Math. Stat. 21, 124; for groups Woodbury's identity and
    the matrix determinant lemma.
    """
    n, kept = normal.n, 1 - normal.shrinkage
    q = normal.squared_distance(values)
    rest = np.maximum(1 - kept * q / (n - 1), SMALLEST_REST)
    squared = q * n / (n - 1) / rest
    log_det = normal.d * np.log(n / (n - 1)) + np.log(rest)
    order = np.argsort(groups, kind="stable")
    _, starts, sizes = np.unique(groups[order], return_index=True, return_counts=True)
    for start, size in zip(starts[sizes > 1], sizes[sizes > 1], strict=True):
        rows = order[start : start + size]
        squared[rows], log_det[rows] = _without_group(normal, values[rows])
    return 0.5 * (squared + log_det) + normal.log_normaliser, squared


def _without_group(normal: ShrunkNormal, values: Array) -> tuple[Array, float]:
    """Squared distances of the rows of a group without it, and what log det C gains."""
    n, g = normal.n, len(values)
    z = normal.whitened(values)
    total = z.sum(axis=0)
    away = z + total / (n - g)
    # The scatter loses y y' of each row and s s' / (n - g), s their sum.
    taken = np.vstack([z, total / np.sqrt(n - g)])
    share = (1 - normal.shrinkage) / n
    sizes, turn = np.linalg.eigh(taken @ taken.T)
    rest = np.maximum(1 - share * sizes, SMALLEST_REST)
    along = away @ taken.T @ turn
    squared = np.einsum("ij,ij->i", away, away) + share * (along**2 / rest).sum(axis=1)
    return squared * (n - g) / n, normal.d * float(np.log(n / (n - g))) + float(np.log(rest).sum())
