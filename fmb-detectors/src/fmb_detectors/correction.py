"""What a flow adds to the Gaussian: the log-density ratio in the leading whitened components."""

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from nflows.flows import Flow

from fmb import Array
from fmb_detectors.config import FlowConfig
from fmb_detectors.covariance import Covariance, centred
from fmb_detectors.network import build_flow, standard_normal_log_density
from fmb_detectors.training import Outcome, fit_flow

__all__ = ["FlowCorrection", "fit_correction"]

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
    scale: float
    axes: Array
    """(d, k), float64: (vectors - mean) / scale @ axes has unit covariance."""
    flow: Flow
    """In float64: far from the mean two large log-densities are subtracted."""
    device: str

    def gain(self, values: Array) -> Array:
        """Log p_flow(z) - log N(z; 0, I) of each row, in nats, (n,), float64.

        z = (vectors - mean) / scale @ axes; nothing is clipped.
        """
        gains = np.empty(len(values))
        for rows, block in centred(values, self.mean, self.scale):
            z = torch.from_numpy(block @ self.axes).to(self.device)
            with torch.no_grad():
                gain = self.flow.log_prob(z) - standard_normal_log_density(z)
            gains[rows] = gain.cpu().numpy()
        return gains


def fit_correction(
    values: Array, covariance: Covariance, config: FlowConfig, *, seed: int, device: str
) -> tuple[FlowCorrection | None, dict[str, Any]]:
    """Fit a flow to the leading whitened components; None where the Gaussian does as well.

    Args:
        values: (n, d), finite.
        covariance: of `values`.
        config: options of the flow.
        seed: draws weights, validation rows and the order of the rows.
        device: where to train.

    Returns:
        The correction, and plain values on the fit: `fallback`, a `note` on it for the
        user, its `reason` ("" = none), number
        of `components`, `epochs` run, `best_epoch`, `validation_gain` over the Gaussian in nats a
        row and its standard error `validation_error`.
    """
    n, d = values.shape
    k = min(d, config.components or min(MOST_COMPONENTS, max(1, n // ROWS_PER_COMPONENT)))
    if n < FEWEST_ROWS:
        reason = f"{n} vectors are fewer than the {FEWEST_ROWS} that a flow needs"
        return None, report(k, Outcome(0.0, 0.0, 0, 0), reason)
    axes = covariance.whitening_axes(k)
    z = [block @ axes for _, block in centred(values, covariance.mean, covariance.scale)]
    bound = config.clip or np.inf
    seen = torch.from_numpy(np.concatenate(z).clip(-bound, bound)).float().to(device)
    generator = torch.Generator().manual_seed(seed)
    flow = build_flow(k, config.hidden, config.transforms, generator).to(device)
    order = torch.randperm(n, generator=generator).to(device)
    held_out = min(max(2, round(n * config.validation)), n - 1)
    outcome = fit_flow(flow, seen[order[held_out:]], seen[order[:held_out]], config, generator)
    if outcome.gain <= ERRORS_ABOVE_ZERO * outcome.error:
        reason = (
            f"no better than the Gaussian on {held_out} validation vectors"
            f" (gain {outcome.gain:.2g} +- {outcome.error:.1g} nats a vector)"
        )
        return None, report(k, outcome, reason)
    correction = FlowCorrection(covariance.mean, covariance.scale, axes, flow.double(), device)
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
