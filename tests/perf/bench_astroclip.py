"""AstroCLIP: image tower against torch's encoder, embed step against a bare loop, memory.

Ratios are of CPU time, so that other work on the machine does not count; with one thread it is the
wall time of a quiet machine.

Run: OMP_NUM_THREADS=1 python tests/perf/bench_astroclip.py [--layers 4] [--survey 200] [--full]
`--full` embeds with all 370.8 M numbers in a process of its own and says what memory it took.
"""

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

from fmb import Session
from fmb.embedding.embed import embed_model
from fmb.embedding.loading import model_job
from fmb.plan import Plan
from fmb.request import options_request
from fmb_astroclip.drawing import draw_network
from fmb_astroclip.presets import FULL, PUBLISHED
from fmb_astroclip.vision import VisionTransformer

MB = 1e6
FULL_ONCE = "--full-once"


def main() -> None:
    """Print one JSON line a measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--objects", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--survey", type=int, default=200, help="objects of the embed step")
    parser.add_argument("--full", action="store_true")
    options = parser.parse_args()
    print(json.dumps(tower(options.layers, options.objects, options.repeats)))
    print(json.dumps(embed_step(options.survey, options.repeats)))
    if options.full:
        for batch in (1, options.objects):
            subprocess.run([sys.executable, __file__, FULL_ONCE, str(batch)], check=True)


def tower(layers: int, objects: int, repeats: int) -> dict[str, object]:
    """Blocks of the published width: ours from pixels on, torch's from patches on."""
    sizes = FULL.image
    ours = VisionTransformer(sizes.model_copy(update={"depth": layers})).eval()
    layer = nn.TransformerEncoderLayer(
        sizes.width,
        sizes.heads,
        4 * sizes.width,
        dropout=0.0,
        activation="gelu",
        batch_first=True,
        norm_first=True,
    )
    norm = nn.LayerNorm(sizes.width)
    theirs = nn.TransformerEncoder(layer, layers, norm, enable_nested_tensor=False).eval()
    pictures = torch.rand(objects, 3, 144, 144)
    patches = torch.randn(objects, 144, sizes.width)
    with torch.inference_mode():
        first, second, ratio = alternate(lambda: ours(pictures), lambda: theirs(patches), repeats)
    return {
        "what": "image tower",
        "layers": layers,
        "width": sizes.width,
        "threads": torch.get_num_threads(),
        "ours_cpu_ms_per_object": round(first / objects * 1e3, 1),
        "torch_cpu_ms_per_object": round(second / objects * 1e3, 1),
        "ours_over_torch": round(ratio, 3),
    }


def embed_step(objects: int, repeats: int) -> dict[str, object]:
    """The embed step against a loop that reads, prepares and encodes the same, small network."""
    with tempfile.TemporaryDirectory() as folder:
        settings = [f"data.n_objects={objects}", "data.planting=none"]
        request = options_request({"model": "astroclip", "weights": "random", "set": settings})
        plan = Session.open(home=Path(folder)).plan(request, steps=("embed",))

        def step() -> None:
            shutil.rmtree(plan.workspace / "embeddings", ignore_errors=True)
            embed_model(plan, plan.models[0])

        loop_s, step_s, ratio = alternate(lambda: bare_loop(plan), step, repeats)
    return {
        "what": "embed step",
        "objects": objects,
        "bare_loop_cpu_s": round(loop_s, 2),
        "embed_step_cpu_s": round(step_s, 2),
        "share_of_bare_throughput": round(ratio, 3),
    }


def bare_loop(plan: Plan) -> None:
    """Read, prepare and encode all objects in batches; nothing is checked or kept."""
    job = model_job(plan, plan.models[0])
    n = len(job.dataset.ids)
    have = np.stack([job.dataset.inputs[i].have(n) for i in job.sources.values()])
    for pattern in np.unique(have, axis=1).T:
        sources = {s: i for (s, i), seen in zip(job.sources.items(), pattern, strict=True) if seen}
        rows = np.flatnonzero((have == pattern[:, None]).all(axis=0))
        prepare = job.model.preparer(sources)
        for start in range(0, len(rows), job.batch_size):
            batch = job.dataset.read(rows[start : start + job.batch_size], list(sources.values()))
            for tokens in job.model.encode(prepare(batch), list(sources)).values():
                tokens.values.numpy()


def full_once(batch: int) -> None:
    """Both vectors of `batch` objects with the published sizes; peak memory of this process."""
    network = draw_network(FULL, PUBLISHED, 0)
    before = peak_mb()
    start = time.perf_counter()
    with torch.inference_mode():
        image = network.image_encoder(torch.rand(batch, 3, 144, 144))
        middle = time.perf_counter()
        spectrum = network.spectrum_encoder(torch.randn(batch, 7781))
    end = time.perf_counter()
    numbers = sum(tensor.numel() for tensor in network.parameters())
    measured = {
        "what": "full size",
        "objects": batch,
        "numbers": numbers,
        "tensors": len(network.state_dict()),
        "vectors": [list(image.shape), list(spectrum.shape)],
        "image_s": round(middle - start, 2),
        "spectrum_s": round(end - middle, 2),
        "weights_mb": round(4 * numbers / MB),
        "peak_before_mb": round(before),
        "peak_mb": round(peak_mb()),
        "over_weights_mb": round(peak_mb() - 4 * numbers / MB),
    }
    print(json.dumps(measured))


def peak_mb() -> float:
    """Largest resident memory of this process so far."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MB


def alternate(
    first: Callable[[], object], second: Callable[[], object], repeats: int
) -> tuple[float, float, float]:
    """Median CPU seconds of each, run in turns, and the median of the ratios of the turns."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats + 1):
        for job, taken in zip((first, second), times, strict=True):
            start = time.process_time()
            job()
            taken.append(time.process_time() - start)
    ratios = [a / b for a, b in zip(times[0][1:], times[1][1:], strict=True)]
    return (
        statistics.median(times[0][1:]),
        statistics.median(times[1][1:]),
        statistics.median(ratios),
    )


if __name__ == "__main__":
    if FULL_ONCE in sys.argv:
        full_once(int(sys.argv[-1]))
    else:
        main()
