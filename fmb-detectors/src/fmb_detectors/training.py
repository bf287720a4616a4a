"""Fits a flow by maximum likelihood and keeps the weights that did best on held-out rows."""

import math
from dataclasses import dataclass

import torch
from nflows.flows import Flow
from torch import Tensor

from fmb.torch import one_thread
from fmb_detectors.adamw import AdamW
from fmb_detectors.config import FlowConfig
from fmb_detectors.network import standard_normal_log_density

__all__ = ["Outcome", "Schedule", "fit_flow"]

WARM_UP_STEPS = 20
STEPS_PER_ROOT = 1.6
"""Steps per square root of the rows: 61 for 1,440 rows, 152 for 9,000."""
FEWEST_EPOCHS, MOST_EPOCHS = 3, 40
FEWEST_BATCHES = 4


@dataclass(frozen=True)
class Schedule:
    """How long to train and with which rate at each step."""

    epochs: int
    steps_per_epoch: int
    learning_rate: float

    @classmethod
    def of(cls, rows: int, config: FlowConfig) -> "Schedule":
        """The schedule for this many fitted rows.

        Unless told, the number of steps grows with the root of the rows, between 3 and 40 epochs:
        more rows bear more steps before held-out likelihood falls, and a survey of any size is
        fitted in seconds rather than hours. A batch holds at most a quarter of the rows: without
        the noise of batches, fits to 400 rows gained less on held-out ones, or nothing.
        """
        steps = min(rows, max(FEWEST_BATCHES, round(rows / config.batch_size)))
        wanted = round(STEPS_PER_ROOT * math.sqrt(rows) / steps)
        epochs = config.epochs or min(max(wanted, FEWEST_EPOCHS), MOST_EPOCHS)
        return cls(epochs, steps, config.learning_rate)

    def rate(self, step: int) -> float:
        """Learning rate of a step, counted from 0: linear warm-up times half a cosine."""
        total = self.epochs * self.steps_per_epoch
        warm_up = min(1.0, (step + 1) / WARM_UP_STEPS)
        return self.learning_rate * warm_up * 0.5 * (1 + math.cos(math.pi * step / total))


@dataclass(frozen=True)
class Outcome:
    """How a fit went, on the validation rows."""

    gain: float
    """Mean of log p_flow - log N over the validation rows, nats a row, best epoch; 0 = start."""
    error: float
    """Standard error of that mean."""
    epochs: int
    best_epoch: int
    """0 = no epoch was better than the start."""


def fit_flow(
    flow: Flow, z: Tensor, held_out: Tensor, config: FlowConfig, generator: torch.Generator
) -> Outcome:
    """Train `flow` in place; it ends with the weights of its best epoch.

    Args:
        flow: starts as a standard normal.
        z: (n, k), float32, rows to fit, on the device of `flow`.
        held_out: (m, k), float32, rows to stop by.
        config: batch size, rate, epochs and patience.
        generator: draws the order of the rows, on the CPU.
    """
    schedule = Schedule.of(len(z), config)
    optimiser = AdamW(flow.parameters())
    best, kept = Outcome(0.0, 0.0, 0, 0), weights_of(flow)
    epoch = 0
    for epoch in range(1, schedule.epochs + 1):
        order = torch.randperm(len(z), generator=generator).to(z.device)
        batches = z[order].tensor_split(schedule.steps_per_epoch)
        with one_thread():  # a step multiplies 256 rows by 128 columns
            for i, batch in enumerate(batches, start=(epoch - 1) * schedule.steps_per_epoch):
                training_step(flow, batch, optimiser, schedule.rate(i))
            gain, error = gain_over_normal(flow, held_out)
        if gain > best.gain:
            best, kept = Outcome(gain, error, epoch, epoch), weights_of(flow)
        if not math.isfinite(gain) or epoch - best.best_epoch >= config.patience:
            break
    flow.load_state_dict(kept)
    return Outcome(best.gain, best.error, epoch, best.best_epoch)


def training_step(flow: Flow, batch: Tensor, optimiser: AdamW, rate: float) -> None:
    """One step of maximum likelihood on `batch`."""
    optimiser.step(-flow.log_prob(batch).mean(), rate)


@torch.no_grad()
def gain_over_normal(flow: Flow, z: Tensor) -> tuple[float, float]:
    """Mean of log p_flow - log N(0, I) over the rows of z, in nats, and its standard error."""
    gains = (flow.log_prob(z) - standard_normal_log_density(z)).double()
    error = (
        gains.std(correction=1) / math.sqrt(len(gains)) if len(gains) > 1 else gains.new_zeros(())
    )
    return float(gains.mean()), float(error)


def weights_of(flow: Flow) -> dict[str, Tensor]:
    """A copy of the state of `flow`."""
    return {name: value.detach().clone() for name, value in flow.state_dict().items()}
