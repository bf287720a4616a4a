"""Any method of PyOD as a detector: strange is what its `decision_function` finds so."""

from typing import Any

import numpy as np

from fmb import Array, DataError, Vectors
from fmb_detectors.contained import contained
from fmb_detectors.fitted_rows import FittedRows
from fmb_detectors.pyod_config import PyodConfig
from fmb_detectors.pyod_methods import method, method_options

__all__ = ["PyodDetector"]


class PyodDetector:
    """Scores of a method of PyOD, as it gives them; it sees what that method sees.

    Objects that were fitted have the method's `decision_scores_`: its `decision_function` would
    make each its own neighbour. All others have that of `decision_function`. Which were fitted is
    told by id and vector. Thresholds, and so `contamination`, play no part.

    What it cannot see: whether scores of several fits mean the same, which pooling those of a
    cross-fit takes: the run tells a shift of the folds. Some methods (ECOD, COPOD) hold the objects
    they score also against each other. A fit is never saved: PyOD pickles.

    Methods that draw from the global random generators are given the seed there; the generators
    are left as they were.

    Source: Zhao, Nasrullah and Li 2019, JMLR 20, 96.

    Example:
        detector = PyodDetector(PyodConfig(method="ECOD"), seed=0)
        detector.fit(vectors)
        scores = detector.score(vectors)
    """

    def __init__(self, config: PyodConfig, *, seed: int, device: str = "cpu") -> None:
        self.config = config
        self.seed = seed % 2**32  # all that NumPy's global generator takes
        self._rows: FittedRows
        self._model: Any = None

    def fit(self, x: Vectors) -> None:
        """Fit the method.

        Raises:
            DataError: the method takes no such vectors.
        """
        found = method(self.config.method)
        options = dict(self.config.options)
        if "random_state" in method_options(found):
            options.setdefault("random_state", self.seed)
        with contained(self.seed):
            try:
                self._model = found(**options).fit(x.values.copy())
            except ValueError as error:
                said = " ".join(str(error).split())
                raise DataError(
                    f"PyOD's {self.config.method} does not take these: {said}"
                ) from error
        self._rows = FittedRows.of(x)

    def score(self, x: Vectors) -> Array:
        """Outlier score of each object.

        Args:
            x: n vectors of the dimension given to `fit`; values (n, d), float32.

        Returns:
            Shape (n,), float64, in units of the method; higher is stranger; row order of `x`.
        """
        own = self._rows.positions(x)
        seen, scores = own >= 0, np.empty(len(x))
        scores[seen] = np.asarray(self._model.decision_scores_).ravel()[own[seen]]
        if not seen.all():
            with contained(self.seed):
                told = self._model.decision_function(x.values[~seen])
            scores[~seen] = np.asarray(told).ravel()
        return scores

    def report(self) -> dict[str, Any]:
        """The method and the version of PyOD."""
        return {"method": self.config.method, "pyod": self.config.pyod}
