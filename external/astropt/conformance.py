"""Checks fmb-astropt against the installed astropt on networks and inputs of fresh seeds.

Run: python external/astropt/conformance.py [--networks 5] [--seed N]
Ends with status 1 when a vector differs by more than the golden reference allows.
"""

import argparse
import secrets
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from astropt.model import GPT, GPTConfig, ModalityConfig, ModalityRegistry

from fmb import Config, Inputs, Tokens
from fmb.torch.embedders import Last, Mean
from fmb_astropt.checkpoints import import_checkpoint
from fmb_astropt.config import AstroPTConfig
from fmb_astropt.embedders import ExpDecay
from fmb_astropt.model import AstroPTModel

REDUCTIONS = {"mean": Mean, "last": Last, "exp_decay": ExpDecay, "none": None}
SCOPES = {"joint": ["images", "spectra"], "image": ["images"], "spectrum": ["spectra"]}
ATOL, RTOL = 3e-5, 1e-5


def main() -> int:
    """Print the largest deviation of each network; 0 when all are within the tolerance."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=5)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    print(f"seed {options.seed}")
    worst = 0.0
    for number in range(options.networks):
        with tempfile.TemporaryDirectory() as folder:
            about, excess, deviation = check(rng, Path(folder))
        worst = max(worst, excess)
        print(f"network {number}: {about}: largest deviation {deviation:.1e}")
    print("conforms" if worst <= 1 else f"DIFFERS: {worst:.1f} times the tolerance")
    return int(worst > 1)


def check(rng: np.random.Generator, folder: Path) -> tuple[str, float, float]:
    """What the network is, its largest deviation over the tolerance and the deviation itself."""
    sizes = {
        "n_layer": int(rng.integers(1, 13)),
        "n_head": 4,
        "n_embd": int(rng.choice([16, 32, 64])),
        "block_size": 128,
        "bias": bool(rng.integers(2)),
        "tokeniser": str(rng.choice(["aim", "affine"])),
    }
    by_wavelength = bool(rng.integers(2))
    registry = ModalityRegistry(
        [
            ModalityConfig("images", 64 * 3, 1, 8, True),
            ModalityConfig("spectra", 256, 256 if by_wavelength else 1, 256, not by_wavelength),
        ]
    )
    network = GPT(GPTConfig(**sizes), registry, master_process=False).eval()
    spread(network)
    checkpoint = {
        "model": network.state_dict(),
        "model_args": sizes,
        "modality_registry": registry,
        "config": {"image_size": 64},
    }
    torch.save(checkpoint, folder / "ckpt.pt")
    import_checkpoint(folder / "ckpt.pt", folder / "weights", AstroPTConfig())
    model = AstroPTModel(AstroPTConfig())
    model.load(folder / "weights")
    excess, deviation = compare(rng, network, model, by_wavelength)
    positions = "wavelengths" if by_wavelength else "indices"
    return f"{', '.join(f'{k} {v}' for k, v in sizes.items())}, {positions}", excess, deviation


def spread(network: GPT) -> None:
    """Weights of gain 1, so that every tensor on the path matters and values stay near 1."""
    with torch.no_grad():
        for tensor in network.parameters():
            gain = tensor.shape[-1] ** -0.5 if tensor.ndim > 1 else 1.0
            tensor.copy_(torch.randn_like(tensor) * gain)


def compare(
    rng: np.random.Generator, network: GPT, model: AstroPTModel, by_wavelength: bool
) -> tuple[float, float]:
    """Largest deviation over the tolerance, and the deviation, over scopes and reductions."""
    n, t_spectrum = 3, 31  # 7781 px in patches of 256
    arrays = {
        "image": rng.normal(size=(n, 64, 192)).astype(np.float32),
        "spectrum": rng.normal(size=(n, t_spectrum, 256)).astype(np.float32),
    }
    wavelength = (600 + 0.8 * np.arange(7781)) / 7000
    padded = np.pad(wavelength, (0, t_spectrum * 256 - 7781)).reshape(t_spectrum, 256)
    positions = torch.from_numpy(padded).float() if by_wavelength else torch.arange(t_spectrum)
    theirs = {
        "images": torch.from_numpy(arrays["image"]),
        "images_positions": torch.arange(64).repeat(n, 1),
        "spectra": torch.from_numpy(arrays["spectrum"]),
        "spectra_positions": torch.stack([positions] * n),
    }
    inputs = Inputs(arrays=arrays, valid={slot: np.ones(n, dtype=bool) for slot in arrays})
    tokens = model.encode(inputs, list(SCOPES))
    whole, excess, deviation = network.modality_registry, 0.0, 0.0
    for scope, names in SCOPES.items():
        network.modality_registry = ModalityRegistry([whole.get_config(name) for name in names])
        given = {k: v for k, v in theirs.items() if k.removesuffix("_positions") in names}
        for reduction, embedder in REDUCTIONS.items():
            wanted = network.generate_embeddings(given, reduction=reduction)
            for name in names:
                part = tokens[scope].values
                if tokens[scope].segment is not None:
                    part = part[:, tokens[scope].segment == names.index(name)]
                got = part if embedder is None else embedder(Config()).reduce(Tokens(part))
                difference = (got - wanted[name]).abs()
                excess = max(excess, (difference / (ATOL + RTOL * wanted[name].abs())).max().item())
                deviation = max(deviation, difference.max().item())
    network.modality_registry = whole
    return excess, deviation


if __name__ == "__main__":
    sys.exit(main())
