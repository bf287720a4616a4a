"""What the detectors cost, as ratios within one process, alternated."""

import statistics
import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from detectors.original_recipe import original_scores
from detectors.quality import table
from detectors.simulated import network_vectors

from fmb import Vectors
from fmb_detectors.adamw import AdamW
from fmb_detectors.config import FlowConfig, GaussianConfig
from fmb_detectors.flow import FlowDetector
from fmb_detectors.gaussian import GaussianDetector
from fmb_detectors.network import build_flow
from fmb_detectors.training import training_step

__all__ = ["end_to_end_table", "step_table"]

STEPS = 20


def cpu_seconds(act: Callable[[], object]) -> float:
    """CPU time of one call, in seconds."""
    start = time.process_time()
    act()
    return time.process_time() - start


def alternated(acts: dict[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """CPU seconds of each, taken in turns after one call each to warm up."""
    times: dict[str, list[float]] = {name: [] for name in acts}
    for turn in range(repeats + 1):
        for name, act in acts.items():
            seconds = cpu_seconds(act)
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
    """Steps as `fit_flow` takes them: gradients, clipping and optimiser included."""
    generator = torch.Generator().manual_seed(0)
    flow = build_flow(features, config.hidden, config.transforms, generator)
    optimiser = AdamW(flow.parameters())
    z = torch.randn(batch, features, generator=generator)

    def act() -> None:
        for _ in range(STEPS):
            training_step(flow, z, optimiser, 1e-3)

    return act


def products(config: FlowConfig, batch: int, features: int = 64) -> Callable[[], None]:
    """The matrix products of one step, into buffers that are there already.

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
        for _ in range(STEPS):
            for x, w, g, dx, dw, y, needs_dx in layers:
                torch.mm(x, w.t(), out=y)
                if needs_dx:
                    torch.mm(g, w, out=dx)
                torch.mm(g.t(), x, out=dw)

    return act
