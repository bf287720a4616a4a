"""Normalizing-flow detector: strange objects are those the flow finds unlikely."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fmb import Array, Vectors, build
from fmb_detectors.config import FlowConfig
from fmb_detectors.correction import Components, FlowCorrection, fit_corrections
from fmb_detectors.moments import Moments
from fmb_detectors.network import build_flow
from fmb_detectors.normal import ShrunkNormal
from fmb_detectors.saved import normal_arrays, normal_from, read_fit, write_fit

__all__ = ["FlowDetector"]

NAME = "flow"


class FlowDetector:
    """Negative log-likelihood under a flow on the leading whitened components, Gaussian elsewhere.

    score(x) = gaussian(x) - [log p_flow(z) - log N(z; 0, I)], in nats, with z the first k
    components of x, whitened by the covariance of the Gaussian detector. Whitening is linear, so
    this is the full negative log-likelihood of x, on one scale with the Gaussian's.

    The flow starts as the identity, where the score is the Gaussian's. When it does not beat the
    Gaussian by two standard errors on the validation objects, or there are too few objects, the
    scores are exactly the Gaussian's; `report()` says so.

    Source: masked autoregressive flow, arXiv:1705.07057; couplings, arXiv:1605.08803.

    Example:
        detector = FlowDetector(FlowConfig(epochs=20), seed=0)
        detector.fit(vectors)
        scores = detector.score(vectors)
    """

    def __init__(self, config: FlowConfig, *, seed: int, device: str = "cpu") -> None:
        self.config = config
        self.seed = seed
        self.device = device
        self._normal: ShrunkNormal
        self._correction: FlowCorrection | None = None
        self._report: dict[str, Any] = {}

    def fit(self, x: Vectors) -> None:
        """Fit the Gaussian, then the flow.

        Raises:
            DataError: the vectors take two values only, so that their covariance is singular.
        """
        self.fit_together([self], [x])

    @staticmethod
    def fit_together(detectors: Sequence["FlowDetector"], samples: Iterable[Vectors]) -> None:
        """Fit each to its sample, with the flows trained as one.

        Raises:
            DataError: as `fit`.
        """
        # A map, and no loop, keeps no sample after its components are taken.
        parts = list(map(FlowDetector._fit_gaussian, detectors, samples))
        fits = fit_corrections(parts, detectors[0].config)
        for detector, (correction, report) in zip(detectors, fits, strict=True):
            detector._correction, detector._report = correction, report

    def _fit_gaussian(self, x: Vectors) -> Components:
        """Fit the Gaussian; returns what is left to the flow."""
        covariance = Moments.of(x.values).covariance()
        self._normal = ShrunkNormal.of(covariance, NAME)
        return Components.of(x.values, covariance, self.config, seed=self.seed, device=self.device)

    def score(self, x: Vectors) -> Array:
        """Negative log-likelihood of each object.

        Args:
            x: n vectors of the dimension given to `fit`; values (n, d), float32.

        Returns:
            Shape (n,), float64, in nats; higher is stranger; row order of `x`.
        """
        return self.score_with_details(x)[0]

    def details(self, x: Vectors) -> dict[str, Array]:
        """The two parts of each score, in nats: score = gaussian - flow_gain; row order of `x`."""
        return self.score_with_details(x)[1]

    def score_with_details(self, x: Vectors) -> tuple[Array, dict[str, Array]]:
        """Scores and their two parts, for the price of one."""
        gaussian = self._normal.negative_log_likelihood(x.values)
        gain = np.zeros(len(x)) if self._correction is None else self._correction.gain(x.values)
        return gaussian - gain, {"gaussian": gaussian, "flow_gain": gain}

    def report(self) -> dict[str, Any]:
        """What the fit came to; see `fmb_detectors.correction.fit_corrections` for the keys."""
        normal = self._normal
        return {"shrinkage": normal.shrinkage, "n": normal.n, "d": normal.d, **self._report}

    def save(self, folder: Path) -> None:
        """Write the fit into `folder`."""
        arrays = normal_arrays(self._normal)
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


def _correction_from(
    arrays: Mapping[str, Array], normal: ShrunkNormal, config: FlowConfig
) -> FlowCorrection:
    axes = arrays["axes"]
    flow = build_flow(
        axes.shape[1], config.hidden, config.transforms, torch.Generator(), config.kind
    )
    for name, parameter in flow.named_parameters():
        parameter.data = torch.from_numpy(arrays[f"flow.{name}"])
    return FlowCorrection(normal.mean, axes, flow.double(), "cpu")
