"""What the detectors cost, as ratios within one process, alternated."""

import statistics
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from detectors.original_recipe import original_scores
from detectors.quality import table
from detectors.simulated import network_vectors
from nflows.flows import Flow

from fmb import Vectors
from fmb_detectors.adamw import AdamW
from fmb_detectors.config import FlowConfig, GaussianConfig
from fmb_detectors.flow import FlowDetector
from fmb_detectors.gaussian import GaussianDetector
from fmb_detectors.network import build_flow
from fmb_detectors.stack import FlowStack
from fmb_detectors.training import Sample, Schedule, fit_flows

__all__ = ["end_to_end_table", "folds_table", "step_table"]

STEPS, FOLDS = 20, 5


def seconds_of(act: Callable[[], object], clock: Callable[[], float]) -> float:
    """Seconds that one call takes, by `clock`."""
    start = clock()
    act()
    return clock() - start


def alternated(
    acts: dict[str, Callable[[], object]],
    repeats: int,
    clock: Callable[[], float] = time.process_time,
) -> dict[str, list[float]]:
    """CPU seconds of each, taken in turns after one call each to warm up."""
    times: dict[str, list[float]] = {name: [] for name in acts}
    for turn in range(repeats + 1):
        for name, act in acts.items():
            seconds = seconds_of(act, clock)
            if turn:
                times[name].append(seconds)
    return times


def end_to_end_table(n: int = 10_000, d: int = 768, repeats: int = 3) -> str:
    """Fit and score of n vectors: CPU seconds, and how many times faster than the original."""
    values = network_vectors(n, seed=1, d=d)
    x = Vectors(np.arange(n), values)

    def ours(make: Callable[[], GaussianDetector | FlowDetector]) -> Callable[[], object]:
        def act() -> object:
            detector = make()
            detector.fit(x)
            return detector.score(x)

        return act

    times = alternated(
        {
            "original": lambda: original_scores(values),
            "gaussian": ours(lambda: GaussianDetector(GaussianConfig(), seed=0)),
            "flow": ours(lambda: FlowDetector(FlowConfig(), seed=0)),
        },
        repeats,
    )
    rows = []
    for name, seconds in times.items():
        ratios = [a / b for a, b in zip(times["original"], seconds, strict=True)]
        speed = f"{statistics.median(ratios):.1f} ({min(ratios):.1f}-{max(ratios):.1f})"
        rows.append([name, f"{statistics.median(seconds):.2f}", speed])
    return table([f"{n} x {d}, {repeats} turns", "CPU s, median", "times the original"], rows)


def step_table(batches: tuple[int, ...] = (256, 512), repeats: int = 5) -> str:
    """A training step of the default flow on 64 components against its matrix products alone."""
    config = FlowConfig()
    rows = []
    for batch in batches:
        times = alternated(
            {"step": one_step(config, batch), "floor": products(config, batch)}, repeats
        )
        ratios = [a / b for a, b in zip(times["step"], times["floor"], strict=True)]
        step, floor = (1e3 / STEPS * statistics.median(times[k]) for k in ("step", "floor"))
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
        rows.append([str(batch), f"{step:.2f}", f"{floor:.2f}", spread])
    head = ["batch", "step, CPU ms", "products, CPU ms", f"ratio, median of {repeats}"]
    return table(head, rows)


def one_step(config: FlowConfig, batch: int, features: int = 64) -> Callable[[], None]:
    """Steps as `fit_flows` takes them: gradients, clipping and optimiser included."""
    generator = torch.Generator().manual_seed(0)
    stack = FlowStack([build_flow(features, config.hidden, config.transforms, generator)])
    optimiser = AdamW(stack.values, config.weight_decay, config.gradient_clip)
    z = torch.randn(1, batch, features, generator=generator)
    share = torch.full((1, batch, 1), 1 / batch)

    def act() -> None:
        for _ in range(STEPS):
            stack.descend(z, share)
            optimiser.step(stack.values, stack.gradient, [1e-3])

    return act


def folds_table(sizes: tuple[int, ...] = (400, 2139, 10_000), repeats: int = 5) -> str:
    """Training of five folds together and one by one, against the products of their steps.

    The products of a step are those of `products`; those of validation are in the trainings only.
    Seconds of CPU and of the clock, whose ratios differ where torch has several threads.
    """
    rows = []
    for n in sizes:
        flows, samples = five_folds(n)
        plan, features = Schedule.of(len(samples[0].fitted), FlowConfig()), samples[0].rows.shape[1]
        epochs = sum(outcome.epochs for outcome in fit_flows(flows, samples, FlowConfig()))
        steps = epochs * plan.steps_per_epoch
        acts = {
            "floor": products(FlowConfig(), plan.rows_per_step, features, steps),
            "one by one": partial(train, n, [slice(i, i + 1) for i in range(FOLDS)]),
            "together": partial(train, n, [slice(FOLDS)]),
        }
        for clock, unit in ((time.process_time, "CPU"), (time.perf_counter, "clock")):
            times = alternated(acts, repeats, clock)
            floor = times.pop("floor")
            cells = [f"{n} x {features}", unit, f"{statistics.median(floor):.2f}"]
            rows.append([*cells, *(ratio(seconds, floor) for seconds in times.values())])
    threads = f"threads: {torch.get_num_threads()}"
    return table([threads, "clock", "products, s", "one by one, ratio", "together, ratio"], rows)


def train(n: int, parts: list[slice]) -> None:
    """Fit five folds of n vectors, those of each part together."""
    flows, samples = five_folds(n)
    for part in parts:
        fit_flows(flows[part], samples[part], FlowConfig())


def ratio(seconds: list[float], floor: list[float]) -> str:
    """Median and range of the ratios of two series taken in turns."""
    ratios = [a / b for a, b in zip(seconds, floor, strict=True)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"


def five_folds(n: int) -> tuple[list[Flow], list[Sample]]:
    """Flows and rows of a cross-fit to n vectors: each without a fifth, drawn at random."""
    config, rng = FlowConfig(), np.random.default_rng(0)
    values, fold = torch.from_numpy(rng.normal(size=(n, 64))).float(), rng.integers(FOLDS, size=n)
    values[:, 32:] = 0.3 * values[:, 32:] + (values[:, :32] ** 2 - 1) / 2**0.5
    flows, samples = [], []
    for seed in range(FOLDS):
        generator = torch.Generator().manual_seed(seed)
        rows = values[torch.from_numpy(fold != seed)]
        k = min(64, int(0.8 * n) // 20)
        flows.append(build_flow(k, config.hidden, config.transforms, generator))
        order = torch.randperm(len(rows), generator=generator)
        held_out = round(len(rows) * config.validation)
        samples.append(Sample(rows[:, 64 - k :], order[held_out:], order[:held_out], generator))
    return flows, samples


def products(
    config: FlowConfig, batch: int, features: int = 64, steps: int = STEPS
) -> Callable[[], None]:
    """The matrix products of some steps of one flow, into buffers that are there already.

    For each linear layer y = x W', dx = g W and dW = g' x; the first layer of the flow needs no
    dx. A transform has layers features -> hidden -> hidden -> hidden -> 2 features.
    """
    sizes = [features, config.hidden, config.hidden, config.hidden, 2 * features]
    layers = []
    for i in range(config.transforms):
        for j, (inputs, outputs) in enumerate(pairwise(sizes)):
            tensors = [
                torch.randn(shape)
                for shape in ((batch, inputs), (outputs, inputs), (batch, outputs))
            ]
            buffers = [torch.empty_like(t) for t in tensors]
            layers.append((*tensors, *buffers, i + j > 0))

    def act() -> None:
        for _ in range(steps):
            for x, w, g, dx, dw, y, needs_dx in layers:
                torch.mm(x, w.t(), out=y)
                if needs_dx:
                    torch.mm(g, w, out=dx)
                torch.mm(g.t(), x, out=dw)

    return act
