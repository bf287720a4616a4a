"""A model whose vectors are moments of pixels; the environment says where it writes them down.

COUNTING_LOG: file that gets a line an object. COUNTING_SECONDS: what an object takes.
COUNTING_SHIFT: added to every vector, as a change of the code would.
"""

import os
import time

import numpy as np
import torch
from counting_plugin import ACCEPTS

from fmb import Inputs, Tokens
from fmb.weights import Card

LEAST_GOOD = 0.5


def card(config, seed):
    return Card(
        model="counting", name="random", architecture={}, preprocessing={}, accepts=ACCEPTS,
        random_seed=seed,
    )  # fmt: skip


class Preparer:
    def __init__(self, sources):
        self.sources = sources

    def __call__(self, batch):
        arrays, valid, reasons = {"id": batch.ids.astype(str)}, {}, {}
        for slot, name in self.sources.items():
            flux = batch.inputs[name].flux.reshape(len(batch), -1)
            arrays[slot] = np.nan_to_num(flux)
            valid[slot] = np.isfinite(flux).mean(axis=1) > LEAST_GOOD
            reasons[slot] = ["" if good else "mostly without a value" for good in valid[slot]]
        return Inputs(arrays=arrays, valid=valid, reasons=reasons)


class Counting:
    def __init__(self, config, *, seed, device, precision):
        pass

    def load(self, folder):
        pass

    def preparer(self, sources):
        return Preparer(dict(sources))

    def encode(self, inputs, views):
        ids = inputs.arrays["id"]
        time.sleep(float(os.environ.get("COUNTING_SECONDS", 0)) * len(ids))
        if "COUNTING_LOG" in os.environ:
            with open(os.environ["COUNTING_LOG"], "a") as stream:
                stream.write("".join(f"{name}\n" for name in ids))
        # The last bits of a real network depend on the batch; here it can be seen.
        shift = float(os.environ.get("COUNTING_SHIFT", 0)) + 1e-6 * len(ids)
        vectors = {
            s: self._moments(inputs.arrays[s]) for s in ("image", "spectrum") if s in inputs.valid
        }
        if len(vectors) == 2:
            vectors["joint"] = np.concatenate(list(vectors.values()), axis=1)
        return {
            v: Tokens(torch.tensor(vectors[v] + shift, dtype=torch.float32)[:, None]) for v in views
        }

    def _moments(self, flux):
        quarters = np.array_split(flux, 4, axis=1)
        return np.stack([*(q.mean(axis=1) for q in quarters), flux.std(axis=1)], axis=1)
