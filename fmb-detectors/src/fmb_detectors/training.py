"""Fits flows by maximum likelihood and keeps the weights that did best on held-out rows."""

import math
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import torch
from nflows.flows import Flow
from torch import Tensor
from torch.nn.utils import vector_to_parameters

from fmb.torch import one_thread
from fmb_detectors.adamw import AdamW
from fmb_detectors.config import FlowConfig
from fmb_detectors.stack import FlowStack

__all__ = ["Outcome", "Sample", "Schedule", "fit_flows"]

WARM_UP_STEPS = 20
STEPS_PER_ROOT = 1.6
"""Steps per square root of the rows: 61 for 1,440 rows, 152 for 9,000."""
FEWEST_EPOCHS, MOST_EPOCHS = 3, 40
FEWEST_BATCHES = 4
STACKED_ROWS = 768
"""Rows of a step that one core takes at a time; of more it takes 5 % longer (cache of 2 MB)."""


@dataclass(frozen=True)
class Schedule:
    """How long to train and with which rate at each step."""

    epochs: int
    steps_per_epoch: int
    learning_rate: float
    rows_per_step: int
    """Of the longest batch."""

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
        return cls(epochs, steps, config.learning_rate, math.ceil(rows / steps))

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


NOTHING_GAINED = Outcome(0.0, 0.0, 0, 0)


@dataclass(frozen=True, eq=False)
class Sample:
    """The rows of one fit."""

    rows: Tensor
    """(n, k), float32, on the device of the flow."""
    fitted: Tensor
    """Which of `rows` to fit; on the CPU."""
    held_out: Tensor
    """Which to stop by."""
    generator: torch.Generator
    """Draws the order of the rows, on the CPU."""


def fit_flows(
    flows: Sequence[Flow], samples: Sequence[Sample], config: FlowConfig
) -> list[Outcome]:
    """Train flows of one shape in place, each on its own sample; as each would come out alone.

    They are trained as one stack; on a CPU as several, side by side in as many threads as torch
    has. Each multiplies in one: threads that share a product of 256 rows wait for each other longer
    than they compute.

    Args:
        flows: start as standard normals; each ends with the weights of its best epoch.
        samples: one a flow.
        config: batch size, rate, epochs and patience.
    """
    halt = threading.Event()
    outcomes: list[Outcome] = [NOTHING_GAINED] * len(flows)

    def train(part: slice) -> None:
        try:
            with one_thread():
                outcomes[part] = fit_stack(flows[part], samples[part], config, halt)
        except BaseException:
            halt.set()  # nobody will ask for the others
            raise

    n, workers = len(flows), torch.get_num_threads()
    stacks = number_of_stacks(samples, config, workers)
    parts = [slice(n * i // stacks, n * (i + 1) // stacks) for i in range(stacks)]
    if min(stacks, workers) == 1:
        for part in parts:
            train(part)
        return outcomes
    with one_thread(), ThreadPoolExecutor(min(stacks, workers)) as threads:
        try:
            list(threads.map(train, parts))
        finally:
            halt.set()  # Ctrl-C waits for one step and not for the fits
    return outcomes


def number_of_stacks(samples: Sequence[Sample], config: FlowConfig, workers: int) -> int:
    """Into how many stacks the flows of these samples go, where so many threads work."""
    if samples[0].rows.device.type != "cpu":
        return 1
    rows = sum(Schedule.of(len(sample.fitted), config).rows_per_step for sample in samples)
    return min(len(samples), max(workers, math.ceil(rows / STACKED_ROWS)))


def fit_stack(
    flows: Sequence[Flow], samples: Sequence[Sample], config: FlowConfig, halt: threading.Event
) -> list[Outcome]:
    """Train flows as one stack; `halt` ends it early."""
    stack = FlowStack(flows)
    optimiser = AdamW(stack.values, config.weight_decay, config.gradient_clip)
    courses = [
        Course(sample, Schedule.of(len(sample.fitted), config), values.clone())
        for sample, values in zip(samples, stack.values, strict=True)
    ]
    going = courses
    while going and not halt.is_set():
        rates = [course.schedule.rate(course.step) for course in going]
        stack.descend(*batches(going))
        optimiser.step(stack.values, stack.gradient, rates)
        on = [i for i, course in enumerate(going) if course.goes_on(stack, i, config.patience)]
        if len(on) < len(going):
            going = [going[i] for i in on]
            stack.keep(on)
            optimiser.keep(on)
    for flow, course in zip(flows, courses, strict=True):
        vector_to_parameters(course.kept, flow.parameters())
    return [course.outcome for course in courses]


@dataclass(eq=False)
class Course:
    """How far the training of one flow has come."""

    sample: Sample
    schedule: Schedule
    kept: Tensor
    """Parameters of the best epoch."""
    step: int = 0
    outcome: Outcome = NOTHING_GAINED
    _batches: Iterator[Tensor] = field(default_factory=lambda: iter(()))

    def batch(self) -> Tensor:
        """Rows of the next step, (b, k); each row comes once an epoch."""
        sample, steps = self.sample, self.schedule.steps_per_epoch
        if self.step % steps == 0:
            order = torch.randperm(len(sample.fitted), generator=sample.generator)
            self._batches = iter(sample.fitted[order].tensor_split(steps))
        return sample.rows[next(self._batches).to(sample.rows.device)]

    def goes_on(self, stack: FlowStack, row: int, patience: int) -> bool:
        """Count a step; at the end of an epoch, judge it and say whether there is another."""
        self.step += 1
        epoch, within = divmod(self.step, self.schedule.steps_per_epoch)
        if within:
            return True
        held_out = self.sample.rows[self.sample.held_out.to(self.sample.rows.device)]
        gain, error = mean_and_error(stack.gain(row, held_out))
        best = self.outcome
        if gain > best.gain:
            best, self.kept = Outcome(gain, error, epoch, epoch), stack.values[row].clone()
        self.outcome = Outcome(best.gain, best.error, epoch, best.best_epoch)
        worn_out = not math.isfinite(gain) or epoch - best.best_epoch >= patience
        return epoch < self.schedule.epochs and not worn_out


def batches(courses: Sequence[Course]) -> tuple[Tensor, Tensor]:
    """The next batch of each, filled up with zeros to one length, and each row's share in a mean.

    Returns:
        (K, B, k) and (K, B, 1).
    """
    parts = [course.batch() for course in courses]
    longest = max(course.schedule.rows_per_step for course in courses)
    z = parts[0].new_zeros(len(parts), longest, parts[0].shape[1])
    share = z.new_zeros(len(parts), longest, 1)
    for i, part in enumerate(parts):
        z[i, : len(part)] = part
        share[i, : len(part)] = 1 / len(part)
    return z, share


def mean_and_error(gains: Tensor) -> tuple[float, float]:
    """Mean of (m,) gains, and its standard error; 0 for one gain."""
    values = gains.double()
    error = values.std(correction=1) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    return float(values.mean()), float(error)
