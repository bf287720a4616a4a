"""Cost of AION's vectors: against upstream's own calls, in the embed step, and in memory.

CPU time, so that other work on the machine does not count; with one thread it is the wall time of
a quiet machine. The memory is the peak of a process that loads the weights and embeds one by one.

Run: OMP_NUM_THREADS=1 python tests/perf/bench_aion.py [--preset small] [--objects 32]
     [--parts upstream,step,memory] [--repeats 3]
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
from aion import AION
from aion.modalities import DESISpectrum, LegacySurveyImage
from bench_embed import bare_loop

from fmb import Batch, Config, Images, Inputs, Session, Spectra
from fmb.embedding.embed import embed_model
from fmb.request import options_request
from fmb.torch.embedders import Mean
from fmb_aion.config import AionConfig
from fmb_aion.model import AionModel
from fmb_aion.network import DOMAINS
from fmb_aion.parts import Parts
from fmb_aion.presets import random_card, sizes_of
from fmb_aion.surveys import DES_BANDS

VIEWS = ["image", "spectrum", "joint"]
DOMAIN = {"image": "tok_image", "spectrum": "tok_spectrum_desi"}
COUNTS = {"image": 576, "spectrum": 273, "joint": 849}


def main() -> None:
    """Print one JSON line a part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="small")
    parser.add_argument("--objects", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--parts", default="upstream,step,memory")
    options = parser.parse_args()
    if options.parts == "peak":
        print(json.dumps(peak(options.preset, options.objects)))
        return
    measures = {"upstream": against_upstream, "step": embed_step, "memory": memory}
    for part in options.parts.split(","):
        measured = measures[part](options)
        about = {"part": part, "preset": options.preset, "threads": torch.get_num_threads()}
        print(json.dumps(about | measured))


def against_upstream(options: argparse.Namespace) -> dict[str, float]:
    """Milliseconds an object of prepared batches, ours and upstream's, for all views."""
    model, batch = loaded(options.preset), observed(options.objects)
    prepare = model.preparer({"image": "legacysurvey", "spectrum": "desi"})
    inputs = prepare(batch)
    theirs = upstream_model(options.preset)
    jobs = (
        lambda: prepare(batch),
        lambda: our_vectors(model, inputs),
        lambda: upstream_vectors(theirs, model, inputs),
    )
    preparing, ours, upstream = (
        cpu_seconds(job, options.repeats) / options.objects * 1e3 for job in jobs
    )
    return {
        "prepare_ms": round(preparing, 2),
        "ours_ms": round(ours, 2),
        "upstream_ms": round(upstream, 2),
        "times_faster": round(upstream / ours, 2),
        "share_of_bare_forward_with_preparation": round(ours / (ours + preparing), 3),
    }


def embed_step(options: argparse.Namespace) -> dict[str, float]:
    """The embed step over simulated objects, as a share of a bare loop's throughput."""
    with tempfile.TemporaryDirectory() as folder:
        settings = [
            f"data.n_objects={options.objects}",
            "data.planting=none",
            f"model.aion.preset={options.preset}",
        ]
        request = options_request({"model": "aion", "set": settings})
        plan = Session.open(home=Path(folder)).plan(request, steps=("embed",))
        bare, step = [], []
        for _ in range(options.repeats + 1):
            bare.append(cpu_seconds(lambda: bare_loop(plan), 0))
            shutil.rmtree(plan.workspace / "embeddings", ignore_errors=True)
            step.append(cpu_seconds(lambda: embed_model(plan, plan.models[0]), 0))
    ratios = [a / b for a, b in zip(bare[1:], step[1:], strict=True)]
    return {
        "objects": options.objects,
        "embed_step_ms": round(statistics.median(step[1:]) / options.objects * 1e3, 2),
        "share_of_bare_throughput": round(statistics.median(ratios), 3),
    }


def memory(options: argparse.Namespace) -> dict[str, float]:
    """Peak memory of a process of its own; see `peak`."""
    arguments = ["--parts", "peak", "--preset", options.preset, "--objects", "4"]
    done = subprocess.run(
        [sys.executable, __file__, *arguments], capture_output=True, text=True, check=True
    )
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def peak(preset: str, objects: int) -> dict[str, float]:
    """Megabytes of the weights and of the whole process, which embeds objects one by one."""
    start = time.process_time()
    model = loaded(preset)
    loading = time.process_time() - start
    parts = model._parts
    networks = (parts.encoder, parts.image_codec, parts.spectrum_codec)
    weights = sum(t.numel() * t.element_size() for n in networks for t in n.state_dict().values())
    prepare = model.preparer({"image": "legacysurvey", "spectrum": "desi"})
    start = time.process_time()
    for row in range(objects):
        our_vectors(model, prepare(observed(objects).take([row])))
    seconds = (time.process_time() - start) / objects
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "parameters_m": round(sum(p.numel() for n in networks for p in n.parameters()) / 1e6, 2),
        "encoder_parameters_m": round(sum(p.numel() for p in parts.encoder.parameters()) / 1e6, 2),
        "weights_mb": round(weights / 1e6),
        "peak_mb": round(most / 1e6),
        "peak_without_weights_mb": round((most - weights) / 1e6),
        "load_s": round(loading, 1),
        "cpu_s_per_object": round(seconds, 2),
    }


def loaded(preset: str) -> AionModel:
    """A model with random weights."""
    config = AionConfig.model_validate({"preset": preset})
    model = AionModel(config)
    with tempfile.TemporaryDirectory() as folder:
        card = random_card(config, 0).model_dump_json()
        Path(folder, "card.json").write_text(card, encoding="utf-8")
        model.load(Path(folder))
    return model


def observed(n: int) -> Batch:
    """Noise of the sizes of the Legacy Survey and DESI."""
    rng = np.random.default_rng(0)
    rows = np.arange(n)
    images = Images(
        flux=rng.normal(size=(n, 4, 152, 152)).astype(np.float32),
        bands=DES_BANDS,
        band_valid=np.ones((n, 4), dtype=bool),
        unit="nmgy",
        pixel_scale_arcsec=0.262,
        ivar=np.ones((n, 4, 152, 152), dtype=np.float32),
    )
    spectra = Spectra(
        flux=rng.normal(2, 1, size=(n, 7781)).astype(np.float32),
        ivar=np.ones((n, 7781), dtype=np.float32),
        mask=np.zeros((n, 7781), dtype=bool),
        wavelength_aa=3600 + 0.8 * np.arange(7781),
        unit="1e-17 erg / (s cm2 Angstrom)",
    )
    inputs = {"legacysurvey": images, "desi": spectra}
    return Batch(ids=rows, inputs=inputs, rows=dict.fromkeys(inputs, rows))


def our_vectors(model: AionModel, inputs: Inputs) -> None:
    """Compute the mean vectors of all views."""
    for tokens in model.encode(inputs, VIEWS).values():
        Mean(Config()).reduce(tokens)


def upstream_model(preset: str) -> AION:
    """Upstream's encoder as it comes, with random weights."""
    sizes = sizes_of(preset).encoder.model_dump() | {"decoder_depth": 0}
    return AION({**sizes, "domains_in": list(DOMAINS), "domains_out": []}).eval()


def upstream_vectors(theirs: AION, model: AionModel, inputs: Inputs) -> None:
    """Compute the same with upstream's own calls: codecs once, one `encode` a view."""
    parts: Parts = model._parts
    flux = torch.from_numpy(inputs.arrays["tok_image.flux"].copy())
    pixels = [
        torch.from_numpy(inputs.arrays[f"tok_spectrum_desi.{name}"])
        for name in ("flux", "ivar", "mask", "wavelength")
    ]
    with torch.inference_mode():
        numbers = {
            "tok_image": parts.image_codec.encode(LegacySurveyImage(flux, list(DES_BANDS))),  # type: ignore[operator]
            "tok_spectrum_desi": parts.spectrum_codec.encode(DESISpectrum(*pixels)),  # type: ignore[operator]
        }
        for view in VIEWS:
            slots = ("image", "spectrum") if view == "joint" else (view,)
            given = {DOMAIN[slot]: numbers[DOMAIN[slot]] for slot in slots}
            theirs.encode(given, num_encoder_tokens=COUNTS[view]).mean(1)


def cpu_seconds(job: Callable[[], object], repeats: int) -> float:
    """Median CPU seconds of a call; with repeats, one more call goes before and is not counted."""
    taken = []
    for _ in range(repeats + 1):
        start = time.process_time()
        job()
        taken.append(time.process_time() - start)
    return statistics.median(taken[1:] or taken)


if __name__ == "__main__":
    main()
