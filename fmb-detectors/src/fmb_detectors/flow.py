"""Normalizing-flow detector: strange objects are those that it or the Gaussian finds unlikely."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fmb import Array, Vectors, build
from fmb_detectors.config import FlowConfig
from fmb_detectors.correction import Components, Fitted, FlowCorrection, fit_corrections
from fmb_detectors.moments import Moments
from fmb_detectors.network import build_flow
from fmb_detectors.normal import ShrunkNormal
from fmb_detectors.saved import normal_arrays, normal_from, read_fit, write_fit
from fmb_detectors.seeds import MOST_ROWS, RankMean, seed_of

__all__ = ["FlowDetector"]

NAME = "flow"


class FlowDetector:
    """Negative log-likelihood under a flow or a Gaussian, whichever finds an object stranger.

    score(x) = gaussian(x) + max(0, -gain(x)), gain(x) = log p_flow(z) - log N(z; 0, I), in nats,
    with z the first k components of x, whitened by the covariance of the Gaussian detector.
    Whitening is linear, so gaussian(x) - gain(x) is the full negative log-likelihood of x under the
    flow in these components and the Gaussian in the others, on one scale with the Gaussian's. It is
    the score with `score="likelihood"`. The flow that gains most on the bulk may find a strange
    object likely; by default it can only raise what the Gaussian says, never take it back.

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
        self._corrections: list[FlowCorrection | None] = [None]
        """One a seed; None where it fell back to the Gaussian."""
        self._seeds: RankMean | None = None
        self._scale_rows = np.empty((0, 0), dtype=np.float32)
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
        config = detectors[0].config
        # A map, and no loop, keeps no sample after its components are taken.
        parts = list(map(FlowDetector._fit_gaussian, detectors, samples))
        seeded = [
            replace(part, seed=seed_of(part.seed, i)) for part in parts for i in range(config.seeds)
        ]
        fits = fit_corrections(seeded, config)
        for i, detector in enumerate(detectors):
            detector._take(fits[i * config.seeds : (i + 1) * config.seeds])

    def _fit_gaussian(self, x: Vectors) -> Components:
        """Fit the Gaussian; returns what is left to the flow."""
        covariance = Moments.of(x.values).covariance()
        self._normal = ShrunkNormal.of(covariance, NAME)
        if self.config.seeds > 1:
            step = -(-len(x) // MOST_ROWS)
            self._scale_rows = x.values[::step].copy()
        return Components.of(x.values, covariance, self.config, seed=self.seed, device=self.device)

    def _take(self, fits: Sequence[Fitted]) -> None:
        """Keep the flows of all seeds, and what they say together."""
        self._corrections = [correction for correction, _ in fits]
        self._report = dict(fits[0][1])
        if len(fits) > 1:
            self._seeds = RankMean.of(self._by_seed(self._scale_rows)[0])
            self._scale_rows = self._scale_rows[:0]
            fallen = self._corrections.count(None)
            self._report |= {
                "fallback": fallen == len(fits),
                "note": f"{fallen} of {len(fits)} seeds fell back to the Gaussian" * bool(fallen),
                "seeds_fallen_back": fallen,
                "top_kept": self._seeds.kept,
            }

    def score(self, x: Vectors) -> Array:
        """How strange each object is.

        Args:
            x: n vectors of the dimension given to `fit`; values (n, d), float32.

        Returns:
            Shape (n,), float64, in nats; higher is stranger; row order of `x`.
        """
        return self.score_with_details(x)[0]

    def details(self, x: Vectors) -> dict[str, Array]:
        """The two parts of each score, in nats, and how far seeds agree; row order of `x`.

        `gaussian`, `flow_gain` (of several seeds the mean) and `stability`: the standard deviation
        over seeds of the object's place in (0, 1), 0 for one seed.
        """
        return self.score_with_details(x)[1]

    def score_with_details(self, x: Vectors) -> tuple[Array, dict[str, Array]]:
        """Scores and their parts, for the price of one."""
        scores, gaussian, gains = self._by_seed(x.values)
        score, spread = scores[0], np.zeros(len(x))
        if self._seeds is not None:
            score, spread = self._seeds.of_objects(scores)
        told = {"gaussian": gaussian, "flow_gain": gains.mean(axis=0), "stability": spread}
        return score, told

    def _by_seed(self, values: Array) -> tuple[Array, Array, Array]:
        """Scores (seeds, n), their Gaussian part (n,) and the gain of each flow (seeds, n)."""
        gaussian = self._normal.negative_log_likelihood(values)
        gains = np.zeros((len(self._corrections), len(values)))
        for gain, correction in zip(gains, self._corrections, strict=True):
            if correction is not None:
                gain[:] = correction.gain(values)
        counted = np.minimum(gains, 0) if self.config.score == "stricter" else gains
        return gaussian - counted, gaussian, gains

    def report(self) -> dict[str, Any]:
        """What the fit came to; see `fmb_detectors.correction.fit_corrections` for the keys.

        Of several seeds it is that of the first; `fallback` says that all fell back,
        `seeds_fallen_back` how many did, and `top_kept` is `RankMean.kept`.
        """
        return {**self._normal.sizes, **self._report}

    def save(self, folder: Path) -> None:
        """Write the fit into `folder`."""
        arrays = normal_arrays(self._normal)
        for i, correction in enumerate(self._corrections):
            if correction is not None:
                arrays["axes"] = correction.axes  # of all seeds the same
                for name, weights in correction.flow.named_parameters():
                    # They were trained in float32, so nothing is lost.
                    arrays[f"flow.{i}.{name}"] = weights.detach().float().cpu().numpy()
        if self._seeds is not None:
            arrays["scales"] = self._seeds.scales
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
        detector._normal = normal = normal_from(arrays)
        detector._report = report = values["report"]
        detector._corrections = [
            _correction_from(arrays, f"flow.{i}.", normal, config) for i in range(config.seeds)
        ]
        if "scales" in arrays:
            detector._seeds = RankMean(arrays["scales"], report["top_kept"])
        return detector


def _correction_from(
    arrays: Mapping[str, Array], prefix: str, normal: ShrunkNormal, config: FlowConfig
) -> FlowCorrection | None:
    if not any(name.startswith(prefix) for name in arrays):
        return None
    axes = arrays["axes"]
    flow = build_flow(
        axes.shape[1], config.hidden, config.transforms, torch.Generator(), config.kind
    )
    for name, parameter in flow.named_parameters():
        parameter.data = torch.from_numpy(arrays[prefix + name])
    return FlowCorrection(normal.mean, axes, flow.double(), "cpu")
