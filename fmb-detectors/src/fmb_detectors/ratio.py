"""How well the two halves of a pair fit together, and how ordinary each is by itself."""

from dataclasses import dataclass

import numpy as np

from fmb import Array
from fmb_detectors.canonical import Canonical

__all__ = ["Halves", "Ratio"]

OWN_TOP = 0.02
"""Share of the fitted pairs that count as strange in one view."""


@dataclass(frozen=True, eq=False)
class Ratio:
    """Log likelihood ratio of "these two belong together" against "they do not", in nats.

    sum_k -1/2 log(1 - rho_k^2) - (rho_k^2 (u_k^2 + v_k^2) - 2 rho_k u_k v_k) / (2 (1 - rho_k^2)),
    the pointwise mutual information of jointly normal canonical variates.

    Source: the model of Bach and Jordan 2005, TR 688, Berkeley, sections 2 and 4.
    """

    rho: Array
    """(r,), float64, canonical correlations in (0, 1)."""

    def terms(self, u: Array, v: Array) -> Array:
        """What each correlation adds, (n, r), of variates u and v with at least r columns."""
        rho, r = self.rho, len(self.rho)
        u, v, rest = u[:, :r], v[:, :r], 1 - rho**2
        return np.asarray(
            -0.5 * np.log(rest) - (rho**2 * (u**2 + v**2) - 2 * rho * u * v) / (2 * rest)
        )

    def of(self, u: Array, v: Array) -> Array:
        """(n,), float64, nats."""
        return np.asarray(self.terms(u, v).sum(axis=1))

    def halves(self, u: Array, v: Array) -> tuple[Array, Array]:
        """Rows of two matrices whose product is the ratio of every u with every v."""
        rho, r = self.rho, len(self.rho)
        rest = 1 - rho**2
        alone = [-(x[:, :r] ** 2 @ (rho**2 / (2 * rest))) for x in (u, v)]
        alone[0] -= 0.5 * float(np.log(rest).sum())
        ones = np.ones((2, max(len(u), len(v))))
        left = np.column_stack([u[:, :r] * (rho / rest), alone[0], ones[0, : len(u)]])
        right = np.column_stack([v[:, :r], ones[1, : len(v)], alone[1]])
        return left, right

    @property
    def effective(self) -> float:
        """Number of equal correlations that would be spread as widely as these are."""
        squares = self.rho**2
        return float(squares.sum() ** 2 / (squares**2).sum())


@dataclass(frozen=True, eq=False)
class Halves:
    """Both halves of some pairs as a fit sees them."""

    u: Array
    v: Array
    """(n, k_a) and (n, k_b): canonical variates, all directions of either view."""
    away: Array
    """(n, 2), float64: squared distance of each half from the mean of its view, in kept components
    and in what is left of it."""

    @classmethod
    def of(cls, fit: Canonical, a: Array, b: Array) -> "Halves":
        """Of vectors that the fit has not seen."""
        (t, left_a), (s, left_b) = fit.a.project(a), fit.b.project(b)
        u, v = fit.directions.variates(t, s)
        return cls(u, v, _away(u, v, left_a, left_b))

    @classmethod
    def seen_and_not(
        cls, fit: Canonical, a: Array, b: Array, inner: Array
    ) -> tuple["Halves", "Halves"]:
        """Of fitted pairs, by the fit, and by directions of the inner folds that they are not in.

        Args:
            fit: the fit.
            a: (n, d_a), vectors.
            b: (n, d_b).
            inner: (n,), which inner fold each is in.
        """
        (t, left_a), (s, left_b) = fit.a.project(a), fit.b.project(b)
        u, v = np.empty_like(t), np.empty_like(s)
        for i, directions in enumerate(fit.inner):
            here = inner == i
            u[here], v[here] = directions.variates(t[here], s[here])
        seen = fit.directions.variates(t, s)
        return (
            cls(*seen, _away(*seen, left_a, left_b)),
            cls(u, v, _away(u, v, left_a, left_b)),
        )

    def own_bounds(self) -> Array:
        """(2,): above which a half of these is in the top 2 % of its own view."""
        return np.quantile(self.away, 1 - OWN_TOP, axis=0)

    def strange_views(self, bounds: Array) -> Array:
        """(n,), float64: views strange alone: 0 none, 1 the first, 2 the second, 3 both."""
        return np.asarray((self.away > bounds) @ np.array([1.0, 2.0]))


def _away(u: Array, v: Array, left_a: Array, left_b: Array) -> Array:
    return np.column_stack(
        [np.einsum("ij,ij->i", x, x) + left for x, left in ((u, left_a), (v, left_b))]
    )
