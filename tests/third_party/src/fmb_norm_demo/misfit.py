"""Two views that do not fit together: one is predicted from the other, and the redshift."""

import numpy as np

__all__ = ["Misfit"]


class Misfit:
    """Length of what a linear prediction of view b from view a leaves, in its own spread."""

    def __init__(self, config, *, seed, device):
        pass

    def fit(self, x):
        """Least squares with a little ridge, so that any number of objects will do."""
        a = self._known(x)
        square = a.T @ a + 1e-3 * len(a) * np.eye(a.shape[1])
        self.slopes = np.linalg.solve(square, a.T @ x.b)
        self.spread = (x.b - a @ self.slopes).std(axis=0) + 1e-12

    def score(self, x):
        """(n,): higher fits worse."""
        return np.linalg.norm((x.b - self._known(x) @ self.slopes) / self.spread, axis=1)

    def _known(self, x):
        """View a, the redshift where it is known, and a constant."""
        redshift = np.nan_to_num(x.columns["redshift"])
        return np.column_stack([x.a.astype(np.float64), redshift, np.ones(len(x))])
