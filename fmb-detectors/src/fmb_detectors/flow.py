"""Normalizing-flow detector: strange objects are those the flow finds unlikely."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from fmb.contract.arrays import Array
from fmb.contract.config import build
from fmb.contract.errors import NotFittedError
from fmb.contract.vectors import Vectors
from fmb_detectors.config import FlowConfig
from fmb_detectors.correction import FlowCorrection, fit_correction
from fmb_detectors.covariance import ledoit_wolf
from fmb_detectors.network import build_flow
from fmb_detectors.normal import ShrunkNormal
from fmb_detectors.saved import normal_arrays, normal_from, read_fit, write_fit
from fmb_detectors.vectors import checked_values, require_spread

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FlowDetector"]

NAME = "flow"


class FlowDetector:
    """Negative log-likelihood under a flow on the leading whitened components, Gaussian elsewhere.

    score(x) = gaussian(x) - [log p_flow(z) - log N(z; 0, I)], in nats, with z the first k
    components of x, whitened by the covariance of the Gaussian detector. Whitening is linear, so
    this is the full negative log-likelihood of x, on one scale with the Gaussian's.

    The flow starts as the identity, where the score is the Gaussian's. When it does not beat the
    Gaussian by two standard errors on the validation objects, or there are too few objects, the
    scores are exactly the Gaussian's; `report()["fallback"]` and a warning say so.

    Source: masked autoregressive flow, arXiv:1705.07057.

    Example:
        detector = FlowDetector(FlowConfig(epochs=20), seed=0)
        detector.fit(vectors)
        scores = detector.score(vectors)
    """

    def __init__(self, config: FlowConfig, *, seed: int, device: str = "cpu") -> None:
        self.config = config
        self.seed = seed
        self.device = device
        self._normal: ShrunkNormal | None = None
        self._correction: FlowCorrection | None = None
        self._report: dict[str, Any] = {}

    def fit(self, x: Vectors) -> None:
        """Fit the Gaussian, then the flow.

        Raises:
            DataError: too few vectors, all alike, or values that are not finite.
        """
        values = checked_values(x, NAME)
        require_spread(values, NAME)
        covariance = ledoit_wolf(values)
        self._normal = ShrunkNormal.of(covariance, NAME)
        self._correction, self._report = fit_correction(
            values, covariance, self.config, seed=self.seed, device=self.device
        )

    def score(self, x: Vectors) -> Array:
        """Negative log-likelihood of each object.

        Args:
            x: n vectors of the dimension given to `fit`; values (n, d), float32.

        Returns:
            Shape (n,), float64, in nats; higher is stranger; row order of `x`.

        Raises:
            NotFittedError: before `fit`.
            ShapeError: d differs from the fitted one.
            DataError: a value is not finite.
        """
        normal = self._fitted()
        values = checked_values(x, NAME, normal.d)
        gaussian = normal.negative_log_likelihood(values)
        return gaussian if self._correction is None else gaussian - self._correction.gain(values)

    def details(self, x: Vectors) -> "pd.DataFrame":
        """The two parts of each score, in nats: score = gaussian - flow_gain; row order of `x`."""
        import pandas as pd  # imported here: a fit in a worker does not need it

        normal = self._fitted()
        values = checked_values(x, NAME, normal.d)
        gain = 0.0 if self._correction is None else self._correction.gain(values)
        gaussian = normal.negative_log_likelihood(values)
        return pd.DataFrame({"object_id": x.ids, "gaussian": gaussian, "flow_gain": gain})

    def report(self) -> dict[str, Any]:
        """What the fit came to; see `fmb_detectors.correction.fit_correction` for the keys."""
        normal = self._fitted()
        return {"shrinkage": normal.shrinkage, "n": normal.n, "d": normal.d, **self._report}

    def save(self, folder: Path) -> None:
        """Write the fit into `folder`."""
        arrays = normal_arrays(self._fitted())
        if self._correction is not None:
            arrays["axes"] = self._correction.axes
            for name, weights in self._correction.flow.named_parameters():
                # They were trained in float32, so nothing is lost.
                arrays[f"flow.{name}"] = weights.detach().float().cpu().numpy()
        values = {
            "config": self.config.model_dump(),
            "seed": self.seed,
            "report": self._report,
        }
        write_fit(folder, NAME, values, arrays)

    @classmethod
    def load(cls, folder: Path) -> "FlowDetector":
        """The detector saved in `folder`, on the CPU; with the same scores to the last bit.

        Raises:
            StoreError: the folder holds no such fit, or it is damaged.
        """
        values, arrays = read_fit(folder, NAME)
        config = build(FlowConfig, values["config"], str(folder))
        detector = cls(config, seed=values["seed"])
        detector._normal = normal_from(arrays)
        detector._report = values["report"]
        if "axes" in arrays:
            detector._correction = _correction_from(arrays, detector._normal, config)
        return detector

    def _fitted(self) -> ShrunkNormal:
        if self._normal is None:
            raise NotFittedError(f"{NAME} has no fit yet; call fit() or load()")
        return self._normal


def _correction_from(
    arrays: Mapping[str, Array], normal: ShrunkNormal, config: FlowConfig
) -> FlowCorrection:
    axes = arrays["axes"]
    flow = build_flow(axes.shape[1], config.hidden, config.transforms, torch.Generator())
    for name, parameter in flow.named_parameters():
        parameter.data = torch.from_numpy(arrays[f"flow.{name}"])
    return FlowCorrection(normal.mean, normal.scale, axes, flow.double(), "cpu")
