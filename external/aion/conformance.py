"""Checks fmb-aion against the installed polymathic-aion on models and inputs of fresh seeds.

Run: python external/aion/conformance.py [--models 3] [--seed N]
Ends with status 1 when a token differs, or a vector by more than the golden reference allows.
"""

import argparse
import secrets
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from aion import AION
from aion.codecs import ImageCodec, SpectrumCodec
from aion.fourm.modality_info import MODALITY_INFO
from aion.modalities import DESISpectrum, HSCImage, LegacySurveyImage, SDSSSpectrum
from torch import Tensor, nn

from fmb import Batch, Config, Images, Inputs, Spectra
from fmb.torch.embedders import Mean
from fmb_aion.config import AionConfig
from fmb_aion.importing import import_folder
from fmb_aion.model import AionModel
from fmb_aion.network import DOMAINS
from fmb_aion.recipes import IMAGE_CODES, SPECTRUM_CODES
from fmb_aion.surveys import DES_BANDS, HSC_BANDS, HSC_UNIT

ATOL_TOKENS, ATOL_MEANS = 3e-5, 5e-6
SPECTRUM_UNIT = "1e-17 erg / (s cm2 Angstrom)"
N = 3
ENCODERS: list[dict[str, Any]] = [
    {"dim": 32, "encoder_depth": 2, "num_heads": 4, "qk_norm": True, "gated_mlp": True},
    {"dim": 48, "encoder_depth": 3, "num_heads": 2, "qk_norm": False, "gated_mlp": True},
    {"dim": 64, "encoder_depth": 1, "num_heads": 4, "qk_norm": True, "gated_mlp": False},
]


def main() -> int:
    """Print the largest differences of each model; 0 when all are within the tolerance."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=len(ENCODERS))
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    print(f"seed {options.seed}")
    vocabulary = [MODALITY_INFO[domain]["vocab_size"] for domain in DOMAINS]
    failed = vocabulary != [IMAGE_CODES, IMAGE_CODES, SPECTRUM_CODES, SPECTRUM_CODES]
    for number in range(options.models):
        sizes = ENCODERS[number % len(ENCODERS)]
        with tempfile.TemporaryDirectory() as folder:
            failed |= check(rng, sizes, Path(folder))
    print("differs" if failed else "agrees")
    return int(failed)


def check(rng: np.random.Generator, sizes: dict[str, Any], folder: Path) -> bool:
    """Compare one model in all surveys; True when something is beyond the tolerance."""
    theirs = upstream_model(sizes, bias=bool(rng.integers(2)))
    save(theirs, folder / "hub")
    import_folder(folder / "hub", folder / "weights", AionConfig())
    ours = AionModel(AionConfig())
    ours.load(folder / "weights")
    beyond = False
    for image, spectrum in (("hsc", "desi"), ("legacysurvey", "sdss")):
        batch = observe(rng, image, spectrum)
        inputs = ours.preparer({"image": image, "spectrum": spectrum})(batch)
        flips, tokens, means = compare(theirs, ours, batch, inputs, image, spectrum)
        print(
            f"{sizes}, {image} + {spectrum}: {flips} token numbers differ,"
            f" tokens by {tokens:.1e}, means by {means:.1e}"
        )
        beyond |= flips > 0 or tokens > ATOL_TOKENS or means > ATOL_MEANS
    return beyond


def upstream_model(sizes: dict[str, Any], *, bias: bool) -> tuple[AION, nn.Module, nn.Module, Any]:
    """Upstream's classes with decoders and one more domain, weights of gain about 1."""
    config = {
        **sizes,
        "domains_in": [*DOMAINS, "tok_z"],
        "domains_out": ["tok_spectrum_desi", "tok_z"],
        "decoder_depth": 1,
        "mlp_ratio": 4,
        **dict.fromkeys(("qkv_bias", "proj_bias", "mlp_bias", "norm_bias"), bias),
        "act_layer": "SiLU",
    }
    image = ImageCodec([7, 5, 5, 5, 5], 16, 12, num_consecutive=1)
    spectrum = SpectrumCodec(
        encoder_depths=(1, 1, 1, 1),
        encoder_dims=(8, 16, 32, 48),
        decoder_depths=(1, 1, 1, 1),
        decoder_dims=(32, 16, 8, 1),
        latent_channels=48,
        embedding_dim=10,
    )
    model = AION(config)
    for part in (model, image, spectrum):
        spread(part)
    return model.eval(), image.eval(), spectrum.eval(), config


def spread(network: nn.Module) -> None:
    """Weights of gain 1, so that every tensor on the path matters."""
    with torch.no_grad():
        for tensor in network.parameters():
            fan_in = max(1, tensor[0].numel()) if tensor.ndim > 1 else 1
            gain = fan_in**-0.5 if tensor.ndim > 1 else 0.3
            tensor.copy_(torch.randn_like(tensor) * gain)


def save(parts: tuple[AION, nn.Module, nn.Module, Any], folder: Path) -> None:
    """Write a folder in upstream's layout with upstream's own methods."""
    model, image, spectrum, config = parts
    model.save_pretrained(folder, config=config)
    image.save_pretrained(folder, modality=HSCImage)
    spectrum.save_pretrained(folder, modality=DESISpectrum)


def observe(rng: np.random.Generator, image: str, spectrum: str) -> Batch:
    """Blobs on noise and slopes on noise with masked pixels, as the surveys give them."""
    bands = HSC_BANDS if image == "hsc" else DES_BANDS
    scale = 63.0 if image == "hsc" else 1.0
    y, x = np.mgrid[:120, :120] - 59.5
    width = rng.uniform(3, 9, (N, len(bands), 1, 1))
    blob = rng.uniform(0.2, 20, (N, len(bands), 1, 1)) * np.exp(-(x**2 + y**2) / (2 * width**2))
    flux = scale * (blob + 0.02 * rng.normal(size=blob.shape))
    pixels = 7781 if spectrum == "desi" else 3800
    grid = (
        3600 + 0.8 * np.arange(pixels)
        if spectrum == "desi"
        else 3800 * 10 ** (1e-4 * np.arange(pixels))
    )
    level = rng.uniform(0.05, 20, (N, 1))
    rows = np.arange(N)
    mask = rng.random((N, pixels)) < 0.02
    ivar = np.where(mask, 0, rng.uniform(0.1, 200, (N, pixels)))
    return Batch(
        ids=rows,
        inputs={
            image: Images(
                flux=flux.astype(np.float32),
                bands=bands,
                band_valid=np.ones((N, len(bands)), dtype=bool),
                unit=HSC_UNIT if image == "hsc" else "nmgy",
                pixel_scale_arcsec=0.168 if image == "hsc" else 0.262,
            ),
            spectrum: Spectra(
                flux=(level + rng.normal(size=(N, pixels))).astype(np.float32),
                ivar=ivar.astype(np.float32),
                mask=mask,
                wavelength_aa=grid,
                unit=SPECTRUM_UNIT,
            ),
        },
        rows={image: rows, spectrum: rows},
    )


def compare(
    theirs: tuple[AION, nn.Module, nn.Module, Any],
    ours: AionModel,
    batch: Batch,
    inputs: Inputs,
    image: str,
    spectrum: str,
) -> tuple[int, float, float]:
    """Token numbers that differ; largest differences of encoder tokens and of their means."""
    model, image_codec, spectrum_codec, _ = theirs
    pictures, spectra = batch.inputs[image], batch.inputs[spectrum]
    assert isinstance(pictures, Images)
    assert isinstance(spectra, Spectra)
    picture_kind = HSCImage if image == "hsc" else LegacySurveyImage
    spectrum_kind = DESISpectrum if spectrum == "desi" else SDSSSpectrum
    grid = torch.from_numpy(np.array(spectra.wavelengths(), dtype=np.float32, order="C"))
    assert spectra.ivar is not None
    pixels = [torch.from_numpy(a) for a in (spectra.flux, spectra.ivar, spectra.mask)]
    with torch.inference_mode():
        flux = torch.from_numpy(pictures.flux.copy())
        wanted: dict[str, Tensor] = {
            picture_kind.token_key: image_codec.encode(picture_kind(flux, list(pictures.bands))),
            spectrum_kind.token_key: spectrum_codec.encode(spectrum_kind(*pixels, grid)),
        }
        numbers = ours._parts.tokenise(
            inputs, ["image", "spectrum"], ours._recipe, torch.device("cpu")
        )
        flips = sum(int((wanted[domain] != tokens).sum()) for domain, tokens in numbers.values())
        by_view = {"image": [picture_kind], "spectrum": [spectrum_kind]}
        by_view["joint"] = [picture_kind, spectrum_kind]
        values, means = 0.0, 0.0
        for view, tokens in ours.encode(inputs, list(by_view)).items():
            part = {kind.token_key: wanted[kind.token_key] for kind in by_view[view]}
            count = sum(kind.num_tokens for kind in by_view[view])
            reference = model.encode(part, num_encoder_tokens=count)
            values = max(values, (tokens.values - reference).abs().max().item())
            mean = Mean(Config()).reduce(tokens)
            means = max(means, (mean - reference.mean(1)).abs().max().item())
    return flips, values, means


if __name__ == "__main__":
    sys.exit(main())
