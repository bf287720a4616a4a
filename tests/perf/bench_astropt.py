"""Time of AstroPT's embeddings against upstream's `generate_embeddings`, as ratios in one process.

Run: python tests/perf/bench_astropt.py [--layers 12] [--width 256] [--objects 8] [--repeats 7]
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from astropt.model import GPT, ModalityRegistry

from fmb import Config, Inputs
from fmb.torch.embedders import Mean
from fmb_astropt.config import AstroPTConfig
from fmb_astropt.model import AstroPTModel
from fmb_astropt.network import draw_network
from fmb_astropt.presets import random_card
from fmb_astropt.recipes import unpack_card

UPSTREAM = {"image": ["images"], "spectrum": ["spectra"], "joint": ["images", "spectra"]}


def main() -> None:
    """Print one JSON line a set of views."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--objects", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    card = random_card(AstroPTConfig(preset="full"), 0)
    sizes = {"n_layer": options.layers, "n_embd": options.width, "n_head": 4}
    card = card.model_copy(update={"architecture": {**card.architecture, **sizes}})
    network = draw_network(unpack_card(card, "card")[0], 0)
    model = AstroPTModel(AstroPTConfig())
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "card.json").write_text(card.model_dump_json(), encoding="utf-8")
        model.load(Path(folder))
    rng, n = np.random.default_rng(0), options.objects
    arrays = {
        "image": rng.normal(size=(n, 196, 1024)).astype(np.float32),
        "spectrum": rng.normal(size=(n, 779, 10)).astype(np.float32),
    }
    inputs = Inputs(arrays=arrays, valid={slot: np.ones(n, dtype=bool) for slot in arrays})
    for views in (["image"], ["spectrum"], ["joint"], ["image", "spectrum", "joint"]):
        theirs, ours = alternate(
            partial(upstream_views, network, arrays, views),
            partial(our_views, model, inputs, views),
            options.repeats,
        )
        measured = {
            "views": views,
            "layers": options.layers,
            "width": options.width,
            "threads": torch.get_num_threads(),
            "upstream_ms_per_object": round(theirs / n * 1e3, 2),
            "ours_ms_per_object": round(ours / n * 1e3, 2),
            "times_faster": round(theirs / ours, 2),
        }
        print(json.dumps(measured))


def our_views(model: AstroPTModel, inputs: Inputs, views: list[str]) -> None:
    """Compute the mean vectors of `views`."""
    for tokens in model.encode(inputs, views).values():
        Mean(Config()).reduce(tokens)


def upstream_views(network: GPT, arrays: dict[str, np.ndarray], views: list[str]) -> None:
    """Compute the same with upstream, one pass a view."""
    for view in views:
        upstream(network, arrays, UPSTREAM[view])


def upstream(network: GPT, arrays: dict[str, np.ndarray], names: list[str]) -> None:
    """Compute upstream's mean embeddings of the modalities `names`."""
    whole = network.modality_registry
    network.modality_registry = ModalityRegistry([whole.get_config(name) for name in names])
    given = {"images": arrays["image"], "spectra": arrays["spectrum"]}
    inputs = {}
    for name in names:
        inputs[name] = torch.from_numpy(given[name])
        n, t = given[name].shape[:2]
        inputs[f"{name}_positions"] = torch.arange(t).repeat(n, 1)
    network.generate_embeddings(inputs)
    network.modality_registry = whole


def alternate(
    first: Callable[[], object], second: Callable[[], object], repeats: int
) -> tuple[float, float]:
    """Median seconds of each, run in turns."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats + 1):
        for job, taken in zip((first, second), times, strict=True):
            start = time.perf_counter()
            job()
            taken.append(time.perf_counter() - start)
    return statistics.median(times[0][1:]), statistics.median(times[1][1:])


if __name__ == "__main__":
    main()
