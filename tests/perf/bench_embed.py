"""CPU time of the embed step against a bare loop that reads, prepares, encodes and pools the same.

CPU time, so that other work on the machine does not count; with one thread it is the wall time of
a quiet machine.

Run: OMP_NUM_THREADS=1 python tests/perf/bench_embed.py [--layers 6] [--width 384] [--objects 256]
"""

import argparse
import json
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from fmb import Session
from fmb.embedding.embed import embed_model
from fmb.embedding.loading import model_job
from fmb.plan import Plan
from fmb.request import options_request
from fmb_astropt.config import AstroPTConfig
from fmb_astropt.presets import random_card


def main() -> None:
    """Print one JSON line: seconds of both, and the share of the bare loop's throughput."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--width", type=int, default=384)
    parser.add_argument("--objects", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        plan = planned(Path(folder), options)
        loop, step = [], []
        for _ in range(options.repeats + 1):
            start = time.process_time()
            bare_loop(plan)
            loop.append(time.process_time() - start)
            shutil.rmtree(plan.workspace / "embeddings", ignore_errors=True)
            start = time.process_time()
            embed_model(plan, plan.models[0])
            step.append(time.process_time() - start)
    ratios = [a / b for a, b in zip(loop[1:], step[1:], strict=True)]
    measured = {
        "objects": options.objects,
        "threads": torch.get_num_threads(),
        "bare_loop_s": round(statistics.median(loop[1:]), 3),
        "embed_step_s": round(statistics.median(step[1:]), 3),
        "share_of_bare_throughput": round(statistics.median(ratios), 3),
    }
    print(json.dumps(measured))


def planned(folder: Path, options: argparse.Namespace) -> Plan:
    """A plan over simulated objects, with a network of the size asked for."""
    card = random_card(AstroPTConfig(), 0)
    sizes = {"n_layer": options.layers, "n_embd": options.width, "n_head": 6}
    card = card.model_copy(update={"architecture": {**card.architecture, **sizes}})
    weights = folder / "weights-folder"
    weights.mkdir()
    (weights / "card.json").write_text(card.model_dump_json(), encoding="utf-8")
    request = options_request(
        {
            "model": "astropt",
            "weights": str(weights),
            "set": [f"data.n_objects={options.objects}", "data.planting=none"],
        }
    )
    return Session.open(home=folder).plan(request, steps=("embed",))


def bare_loop(plan: Plan) -> None:
    """Read, prepare, encode and pool all objects in batches; nothing is checked or kept."""
    job = model_job(plan, plan.models[0])
    dataset = job.dataset
    n = len(dataset.ids)
    have = np.stack([dataset.inputs[i].have(n) for i in job.sources.values()])
    with torch.inference_mode():
        for pattern in np.unique(have, axis=1).T:
            sources = {
                s: i for (s, i), seen in zip(job.sources.items(), pattern, strict=True) if seen
            }
            views = [view for view, needs in job.views.items() if set(needs) <= set(sources)]
            rows = np.flatnonzero((have == pattern[:, None]).all(axis=0))
            prepare = job.model.preparer(sources)
            for start in range(0, len(rows), job.batch_size):
                batch = dataset.read(rows[start : start + job.batch_size], list(sources.values()))
                tokens = job.model.encode(prepare(batch), views)
                for view in views:
                    for embedder in job.embedders.values():
                        embedder.reduce(tokens[view]).numpy()


if __name__ == "__main__":
    main()
