"""Time of the training loop against bare forward, backward and step on the same prepared batches.

Run: python tests/perf/bench_training.py [--preset tiny] [--objects 512] [--batch 64] [--repeats 5]

Both take the same batches of simulated noise from the same cache, in turns in one process. `ratio`
is the loop's time of an epoch of updates over the bare one's; `epoch_s` adds the loop's
validation, checkpoint and history, which a bare loop has none of.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from fmb import Array, Batch, Images, InputInfo, Spectra
from fmb_astropt.config import AstroPTConfig
from fmb_astropt.model import AstroPTModel
from fmb_astropt.presets import EUCLID_BANDS, random_card
from fmb_astropt.training import AstroPTTraining
from fmb_train import FitJob, fit
from fmb_train.prepared import Part, TrainingData

SOURCES = {"image": "euclid", "spectrum": "desi"}


class Noise:
    """Images and spectra of noise, a square in the middle; the same at every reading."""

    def __init__(self, n: int) -> None:
        self.ids = np.arange(n)
        self.catalog = pd.DataFrame(index=range(n))
        self.identity = {"name": "noise", "n": n}
        self.warnings: list[str] = []
        self.inputs = {
            "euclid": InputInfo(kind="images", unit="nJy", bands=EUCLID_BANDS),
            "desi": InputInfo(kind="spectra", unit="counts"),
        }

    def __len__(self) -> int:
        return len(self.ids)

    def read(self, rows: Array, inputs: object = None) -> Batch:
        """The objects at `rows`, with both inputs."""
        n = len(rows)
        rng = np.random.default_rng(rows.tolist())
        flux = rng.normal(size=(n, 4, 96, 96)).astype(np.float32)
        flux[:, :, 24:72, 24:72] += 10  # something to learn
        image = Images(
            flux=flux,
            bands=EUCLID_BANDS,
            band_valid=np.ones((n, 4), dtype=bool),
            unit="nJy",
            pixel_scale_arcsec=0.1,
        )
        spectrum = Spectra(
            flux=rng.normal(size=(n, 1556)).astype(np.float32),
            mask=np.zeros((n, 1556), dtype=bool),
            wavelength_aa=3602.0 + 4.0 * np.arange(1556),
            unit="counts",
        )
        at = {name: np.arange(n) for name in SOURCES.values()}
        return Batch(ids=rows, inputs={"euclid": image, "desi": spectrum}, rows=at)


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="tiny")
    parser.add_argument("--objects", type=int, default=512)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    loops, bares, epochs = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for repeat in range(options.repeats + 1):
            job = job_of(options, Path(folder))
            start = time.perf_counter()
            done = fit(job)
            epochs.append(time.perf_counter() - start)
            loops.append(done.history[-1]["seconds"])
            bares.append(bare(job_of(options, Path(folder))))
            if repeat == 0:  # the first of each pays for imports and allocations
                loops, bares, epochs = [], [], []
    loop, plain = statistics.median(loops), statistics.median(bares)
    parameters = sum(p.numel() for p in job.task.module.parameters())
    measured = {
        "preset": options.preset,
        "parameters": parameters,
        "threads": torch.get_num_threads(),
        "bare_objects_per_s": round(options.objects / plain, 1),
        "loop_objects_per_s": round(options.objects / loop, 1),
        "ratio": round(statistics.median(a / b for a, b in zip(loops, bares, strict=True)), 3),
        "epoch_s": round(statistics.median(epochs), 2),
    }
    print(json.dumps(measured))


def job_of(options: argparse.Namespace, folder: Path) -> FitJob:
    """A training of one epoch on noise, from fresh weights."""
    model = AstroPTModel(AstroPTConfig())
    card = random_card(AstroPTConfig(preset=options.preset), 0)
    (folder / "card.json").write_text(card.model_dump_json(), encoding="utf-8")
    model.load(folder)
    config = AstroPTTraining(epochs=1, batch_size=options.batch)
    held_out = options.batch
    return FitJob(
        task=model.task(config, SOURCES),
        config=config,
        dataset=Noise(options.objects + held_out),
        sources=SOURCES,
        training=np.arange(held_out, options.objects + held_out),
        validation=np.arange(held_out),
        folder=folder,
    )


def bare(job: FitJob) -> float:
    """Seconds of one epoch of forward, backward and step, and nothing else."""
    data = TrainingData(job.dataset, job.training, SOURCES, job.task.preparer, cache_mb=1 << 20)
    size = job.config.batch_size
    batches = [job.training[at : at + size] for at in range(0, len(job.training), size)]
    parts: list[Part] = [part for made in data.batches(batches, size) for part in made.parts]
    optimiser = torch.optim.AdamW(job.task.module.parameters(), lr=1e-3)
    job.task.train(True)
    start = time.perf_counter()
    for part in parts:
        torch.autograd.backward(job.task.loss(part.inputs)[0].mean())
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
