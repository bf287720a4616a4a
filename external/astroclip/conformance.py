"""Checks fmb-astroclip against upstream's own code on networks and inputs of fresh seeds.

Run: python external/astroclip/conformance.py --checkout FOLDER [--networks 5] [--seed N]
FOLDER holds checkouts of AstroCLIP and of dinov2, named so. Ends with status 1 when a vector
differs by more than the golden reference allows, with 0 and "skipped" without a folder.
"""

import argparse
import secrets
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from upstream import Upstream, load_upstream

from fmb import Batch, Images, Spectra
from fmb_astroclip.checkpoints import convert
from fmb_astroclip.config import AstroCLIPConfig
from fmb_astroclip.model import AstroCLIPModel

ATOL, RTOL = 3e-5, 1e-5
# Of a picture: float32 rounding of a formula with three products and an arcsinh.
ATOL_PICTURE = 1e-6


def main() -> int:
    """Print the largest deviations of each network; 0 when all are within the tolerance."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkout", type=Path)
    parser.add_argument("--networks", type=int, default=5)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    options = parser.parse_args()
    if options.checkout is None:
        print("skipped: needs --checkout FOLDER with checkouts of AstroCLIP and dinov2")
        return 0
    upstream = load_upstream(options.checkout)
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    print(f"seed {options.seed}")
    worst = 0.0
    for number in range(options.networks):
        with tempfile.TemporaryDirectory() as folder:
            about, excess, deviations = check(upstream, rng, Path(folder))
        worst = max(worst, excess)
        shown = ", ".join(f"{name} {value:.1e}" for name, value in deviations.items())
        print(f"network {number}: {about}: largest deviation {shown}")
    print("conforms" if worst <= 1 else f"DIFFERS: {worst:.1f} times the tolerance")
    return int(worst > 1)


def check(
    upstream: Upstream, rng: np.random.Generator, folder: Path
) -> tuple[str, float, dict[str, float]]:
    """What the network is, its largest deviation over the tolerance, and deviations by output."""
    sizes = random_sizes(rng)
    theirs = upstream.build(sizes, folder)
    spread(theirs)
    save_file(theirs.state_dict(), folder / "tensors.safetensors")
    heads = AstroCLIPConfig(
        image_heads=sizes["image_heads"],
        spectrum_heads=sizes["spectrum_heads"],
        cross_heads=sizes["cross_heads"],
    )
    convert(folder / "tensors.safetensors", folder / "weights", heads, "astroclip.ckpt")
    model = AstroCLIPModel(heads)
    model.load(folder / "weights")
    n, side, pixels = 3, int(rng.choice([144, 152, 160])), int(rng.integers(21, 8011))
    flux = rng.normal(0.05, 0.2, (n, 3, side, side)).astype(np.float32)
    spectra = rng.normal(rng.normal(2, 2), rng.uniform(0.05, 5), (n, pixels)).astype(np.float32)
    inputs = model.preparer({"image": "i", "spectrum": "s"})(batch_of(flux, spectra))
    ours = model.encode(inputs, ["image", "spectrum"])
    with torch.inference_mode():
        pictures = upstream.collate(flux)
        wanted = {
            "image": theirs.image_encoder(pictures),
            "spectrum": theirs.spectrum_encoder(torch.from_numpy(spectra)[..., None]),
        }
    off = np.abs(inputs.arrays["image"] - pictures.numpy()).max()
    excess, deviations = off / ATOL_PICTURE, {"picture": float(off)}
    for view, vectors in wanted.items():
        difference = (ours[view].values[:, 0] - vectors).abs()
        excess = max(excess, (difference / (ATOL + RTOL * vectors.abs())).max().item())
        deviations[view] = difference.max().item()
    about = ", ".join(f"{name} {value}" for name, value in sizes.items())
    return f"{about}, {side} px, spectra of {pixels} px", float(excess), deviations


def random_sizes(rng: np.random.Generator) -> dict[str, int]:
    """Sizes of a small network whose parts all differ."""
    heads = [int(rng.choice([1, 2, 4])) for _ in range(3)]
    return {
        "image_width": 48,
        "image_depth": int(rng.choice([4, 6, 8])),
        "image_heads": heads[0],
        "chunks": int(rng.choice([1, 2, 4])),
        "spectrum_width": 36,
        "spectrum_depth": int(rng.integers(1, 5)),
        "spectrum_heads": heads[1],
        # 48 and 36 as well: then torch stores one projection instead of three.
        "embed": int(rng.choice([32, 36, 48])),
        "cross_heads": heads[2],
    }


def spread(network: torch.nn.Module) -> None:
    """Weights of gain 1, so that every tensor on the path matters and values stay near 1."""
    with torch.no_grad():
        for tensor in network.parameters():
            gain = tensor[0].numel() ** -0.5 if tensor.ndim > 1 else 1.0
            tensor.copy_(torch.randn_like(tensor) * gain)


def batch_of(flux: np.ndarray, spectra: np.ndarray) -> Batch:
    """The same numbers as a batch of a survey."""
    rows = np.arange(len(flux))
    inputs: Mapping[str, Any] = {
        "i": Images(
            flux=flux,
            bands=("DES-G", "DES-R", "DES-Z"),
            band_valid=np.ones((len(flux), 3), dtype=bool),
            unit="nmgy",
            pixel_scale_arcsec=0.262,
        ),
        "s": Spectra(
            flux=spectra,
            mask=np.zeros(spectra.shape, dtype=bool),
            wavelength_aa=3600 + 0.8 * np.arange(spectra.shape[1]),
            unit="1e-17 erg / (s cm2 Angstrom)",
        ),
    }
    return Batch(ids=rows, inputs=inputs, rows=dict.fromkeys(inputs, rows))


if __name__ == "__main__":
    sys.exit(main())
