"""An encoder of spectra alone: patches of the shape of the spectrum through a drawn network."""

import numpy as np
import torch

from fmb import Inputs, Spectra, Tokens
from fmb.weights import Card, read_card
from fmb_norm_demo.plugin import SPECTRUM

GRID_AA = np.geomspace(3600.0, 9800.0, 1024)
PATCH, WIDTH = 32, 48


def drawn(config, seed):
    """The card of weights that are drawn from a seed."""
    given = {"architecture": {"width": WIDTH}, "preprocessing": {}, "accepts": (SPECTRUM,)}
    return Card(model="spectral", name="random", random_seed=seed, **given)


class Prepare:
    """Flux (n, 1024) on a grid of equal steps in velocity, over its median; what is good of it."""

    def __init__(self, source):
        self.source = source

    def __call__(self, batch):
        spectra = batch.whole(self.source, Spectra)
        flux, covered = np.zeros((2, len(batch), len(GRID_AA)), dtype=np.float32)
        for row, grid in enumerate(spectra.wavelengths()):
            good = ~spectra.mask[row] & np.isfinite(spectra.flux[row])
            if good.any():
                flux[row] = np.interp(GRID_AA, grid[good], spectra.flux[row][good])
                flux[row] /= np.median(np.abs(flux[row])) + 1e-30
                covered[row] = (grid[good][0] <= GRID_AA) & (grid[good][-1] >= GRID_AA)
        valid = covered.mean(axis=1) > 0.2
        why = ["" if good else "too few good pixels" for good in valid]
        arrays = {"flux": flux * covered, "covered": covered}
        return Inputs(arrays=arrays, valid={"spectrum": valid}, reasons={"spectrum": why})


class Spectral:
    def __init__(self, config, *, seed, device, precision):
        self.device = device

    def load(self, folder):
        card = read_card(folder)
        shape, rng = (PATCH, card.architecture["width"]), np.random.default_rng(card.random_seed)
        first, second = rng.normal(size=shape), rng.normal(size=(shape[1], shape[1]))
        scaled = (w / np.sqrt(len(w)) for w in (first, second))
        self.layers = [torch.tensor(w, dtype=torch.float32, device=self.device) for w in scaled]

    def preparer(self, sources):
        return Prepare(sources["spectrum"])

    def encode(self, inputs, views):
        parts = (inputs.arrays[name] for name in ("flux", "covered"))
        flux, covered = (
            torch.as_tensor(p, device=self.device).unflatten(1, (-1, PATCH)) for p in parts
        )
        first, second = self.layers
        tokens = torch.arcsinh(flux) @ first
        return {"spectrum": Tokens(torch.tanh(tokens) @ second, mask=covered.mean(dim=2) > 0.5)}
