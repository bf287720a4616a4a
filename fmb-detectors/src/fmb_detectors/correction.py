"""What a flow adds to the Gaussian: the log-density ratio in the leading whitened components."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from nflows.flows import Flow

from fmb import Array
from fmb.torch import one_thread
from fmb_detectors.config import FlowConfig
from fmb_detectors.covariance import Covariance, shifted
from fmb_detectors.network import build_flow, standard_normal_log_density
from fmb_detectors.training import NOTHING_GAINED, Outcome, Sample, fit_flows

__all__ = ["Components", "Fitted", "FlowCorrection", "fit_corrections"]

logger = logging.getLogger(__name__)

MOST_COMPONENTS = 64
ROWS_PER_COMPONENT = 20
"""Held-out likelihood of simulated surveys peaked near this: 64 components of 450 rows gained
nothing over the Gaussian, 16 gained 4 nats; 64 of 1,440 rows gained as much as 32, or twice."""
FEWEST_ROWS = 100
"""Ten validation rows: below that no comparison with the Gaussian is worth its name."""
ERRORS_ABOVE_ZERO = 2.0
"""The best of many epochs is chosen on the rows it is judged by, so a bare gain is not enough."""


@dataclass(frozen=True, eq=False)
class FlowCorrection:
    """A fitted flow and the linear map that leads to its input."""

    mean: Array
    """(d,), float64."""
    axes: Array
    """(d, k), float64: (vectors - mean) @ axes has unit covariance."""
    flow: Flow
    """In float64: far from the mean two large log-densities are subtracted."""
    device: str

    def gain(self, values: Array) -> Array:
        """Log p_flow(z) - log N(z; 0, I) of each row, in nats, (n,), float64.

        z = (vectors - mean) @ axes; nothing is clipped.
        """
        gains = np.empty(len(values))
        for rows, block in shifted(values, self.mean):
            z = torch.from_numpy(block @ self.axes).to(self.device)
            with torch.no_grad(), one_thread():  # a block has 1,024 rows
                gain = self.flow.log_prob(z) - standard_normal_log_density(z)
            gains[rows] = gain.cpu().numpy()
        return gains


@dataclass(frozen=True, eq=False)
class Components:
    """What a flow is fitted to: the leading whitened components of some vectors."""

    mean: Array
    axes: Array
    """As in `FlowCorrection`."""
    n: int
    rows: torch.Tensor
    """(n, k), float32, clipped, where to train; (0, k) where n is too small for a flow."""
    seed: int

    @classmethod
    def of(
        cls, values: Array, covariance: Covariance, config: FlowConfig, *, seed: int, device: str
    ) -> "Components":
        """The components of vectors.

        Args:
            values: (n, d), finite.
            covariance: of `values`.
            config: options of the flow.
            seed: draws weights, validation rows and the order of the rows.
            device: where to train.
        """
        n, d = values.shape
        chosen = min(MOST_COMPONENTS, max(1, n // ROWS_PER_COMPONENT))
        k = min(d, chosen if config.components is None else config.components or d)
        mean, bound = covariance.mean, config.clip or np.inf
        if n < FEWEST_ROWS:
            return cls(mean, np.empty((d, k)), n, torch.empty(0, k), seed)
        axes = covariance.whitening_axes(k)
        rows = torch.empty(n, k)
        for at, block in shifted(values, mean):
            rows[at] = torch.from_numpy((block @ axes).clip(-bound, bound))
        return cls(mean, axes, n, rows.to(device), seed)


Fitted = tuple[FlowCorrection | None, dict[str, Any]]
"""A correction, unless the Gaussian does as well, and what `report` tells of the fit."""


def fit_corrections(parts: Sequence[Components], config: FlowConfig) -> list[Fitted]:
    """Fit a flow to each of `parts`; None where the Gaussian does as well.

    Flows of as many components are trained together.

    Returns:
        For each its correction, and plain values on the fit: `fallback`, a `note` on it for the
        user, its `reason` ("" = none), number of `components`, `epochs` run, `best_epoch`,
        `validation_gain` over the Gaussian in nats a row and its standard error
        `validation_error`.
    """
    fitted: dict[int, Fitted] = {}
    alike: dict[int, list[int]] = {}
    for i, part in enumerate(parts):
        k = part.rows.shape[1]
        if part.n < FEWEST_ROWS:
            reason = f"{part.n} vectors are fewer than the {FEWEST_ROWS} that a flow needs"
            fitted[i] = None, report(k, NOTHING_GAINED, reason)
        else:
            alike.setdefault(k, []).append(i)
    for numbers in alike.values():
        fits = fit_alike([parts[i] for i in numbers], config)
        fitted.update(zip(numbers, fits, strict=True))
    return [fitted[i] for i in range(len(parts))]


def fit_alike(parts: Sequence[Components], config: FlowConfig) -> list[Fitted]:
    """The same for parts of as many components, none with too few rows."""
    flows, samples = [], []
    for part in parts:
        n, k = part.rows.shape
        generator = torch.Generator().manual_seed(part.seed)
        flow = build_flow(k, config.hidden, config.transforms, generator, config.kind)
        flows.append(flow.to(part.rows.device))
        order = torch.randperm(n, generator=generator)
        held_out = min(max(2, round(n * config.validation)), n - 1)
        samples.append(Sample(part.rows, order[held_out:], order[:held_out], generator))
    outcomes = fit_flows(flows, samples, config)
    return [judged(*each) for each in zip(parts, flows, samples, outcomes, strict=True)]


def judged(part: Components, flow: Flow, sample: Sample, outcome: Outcome) -> Fitted:
    """The correction, unless the Gaussian does as well on the validation rows."""
    k = part.rows.shape[1]
    if outcome.gain <= ERRORS_ABOVE_ZERO * outcome.error:
        reason = (
            f"no better than the Gaussian on {len(sample.held_out)} validation vectors"
            f" (gain {outcome.gain:.2g} +- {outcome.error:.1g} nats a vector)"
        )
        return None, report(k, outcome, reason)
    device = str(part.rows.device)
    correction = FlowCorrection(part.mean, part.axes, flow.double(), device)
    return correction, report(k, outcome, "")


def report(components: int, outcome: Outcome, reason: str) -> dict[str, Any]:
    """Plain values on a fit; the log says when the flow is not used, a run's notes count it."""
    if reason:
        logger.info("flow: %s; the scores are the Gaussian's", reason)
    return {
        "fallback": bool(reason),
        "note": "fell back to the Gaussian" if reason else "",
        "reason": reason,
        "components": components,
        "epochs": outcome.epochs,
        "best_epoch": outcome.best_epoch,
        "validation_gain": outcome.gain,
        "validation_error": outcome.error,
    }
