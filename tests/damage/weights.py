"""Sound weights, labels and runs, and what reads them."""

import io
import json
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import torch
from reader import Reader
from safetensors.torch import save

import fmb
from fmb.labels.csv_table import read_labels
from fmb.torch import read_pickle, read_state
from fmb.weights import read_card

TENSORS = {"weight": torch.linspace(0, 1, 12).reshape(3, 4), "bias": torch.zeros(3)}
CARD = {
    "format": "fmb-weights/1",
    "model": "astropt",
    "name": "mine",
    "architecture": {"n_layer": 2, "n_embd": 8},
    "preprocessing": {},
    "accepts": [{"slot": "image", "kind": "images", "bands": ["VIS"]}],
}


def as_pickle(*, new: bool) -> bytes:
    body = io.BytesIO()
    torch.save({"model": TENSORS, "step": 3}, body, _use_new_zipfile_serialization=new)
    return body.getvalue()


@cache
def finished_run() -> dict[str, bytes]:
    """The files of a small run, by name."""
    folder = Path(tempfile.mkdtemp())
    rng = np.random.default_rng(5)
    np.savez(folder / "v.npz", object_id=np.arange(40), image=rng.normal(size=(40, 4)))
    before = os.environ.get("FMB_HOME")
    os.environ["FMB_HOME"] = str(folder)
    try:
        fmb.detect(detector="gaussian", embeddings=str(folder / "v.npz"), out="run")
    finally:
        os.environ.pop("FMB_HOME")
        if before is not None:
            os.environ["FMB_HOME"] = before
    files = [path for path in (folder / "runs" / "run").rglob("*") if path.is_file()]
    kept = {str(path.relative_to(folder / "runs" / "run")): path.read_bytes() for path in files}
    shutil.rmtree(folder)
    return kept


def read_beside(path: Path) -> None:
    read_card(path.parent)


def look_at_run(path: Path) -> None:
    """Reads a run of which one file is at `path`; the others are put beside it."""
    for name, content in finished_run().items():
        beside = path.parent / name
        if beside != path:
            beside.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(content)
    run = fmb.open_run(path.parent)
    run.top(3)


def part_of_run(name: str) -> Reader:
    return Reader(f"run: {name}", name, lambda: finished_run()[name], look_at_run)


READERS = [
    Reader("card.json", "card.json", lambda: json.dumps(CARD).encode(), read_beside),
    Reader("safetensors", "model.safetensors", lambda: save(TENSORS), read_state),
    Reader("torch", "c.pt", lambda: as_pickle(new=True), read_pickle),
    Reader("old torch", "c.pt", lambda: as_pickle(new=False), read_pickle),
    Reader(
        "labels",
        "labels.csv",
        lambda: b"object_id,class\n12,artefact\n13,lens\n",
        lambda path: read_labels(path, text_ids=False),
    ),
    *map(part_of_run, ("run.toml", "manifest.json", "objects.parquet")),
]
