"""Which tokens a published checkpoint was trained on, as far as it tells."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fmb import ConfigError, WeightsError, build
from fmb_astropt.config import AstroPTConfig
from fmb_astropt.recipes import Architecture, ImageRecipe, Modality, Recipe, SpectrumRecipe

__all__ = ["recipe_of"]

_IMAGE_SIZE = 224  # of the original benchmark and of upstream's train_multimodal.py
_DESI_LENGTH = 7781
_DESI_GRID = {"start_aa": 3600.0, "step_aa": 0.8}


def recipe_of(
    checkpoint: Mapping[str, Any], architecture: Architecture, config: AstroPTConfig, path: Path
) -> Recipe:
    """The tokenisation preset of a checkpoint.

    "fmb": pictures /255, raster order, (c p1 p2); spectra over their deviation, positions counted.
    "upstream": patches standardised one by one, spiral order, (p1 p2 c), rows and columns swapped;
    spectra as they are. Sizes come from the checkpoint's own settings where it has them.

    Source: foundation-models-benchmark 945eb88, `multimodal_dataloader.py`; astropt 2.0.9,
    `local_datasets.py`, and upstream's `scripts/train.py` at 8e5f0a9.

    Raises:
        ConfigError: the bands are not known, or the checkpoint's settings make no sense.
        WeightsError: modalities that no recipe describes.
    """
    settings = checkpoint.get("config")
    settings = settings if isinstance(settings, Mapping) else {}
    theirs = config.tokenisation
    if theirs == "auto":
        theirs = "upstream" if "modality_registry" in checkpoint else "fmb"
    known = {m.name: m for m in architecture.modalities}
    spectrum = image = None
    if "spectra" in known:
        spectrum = _spectrum(known["spectra"], settings, theirs)
    if "images" in known:
        room = architecture.block_size - (spectrum.n_tokens if spectrum is not None else 0)
        image = _image(known["images"], settings, config, theirs, room, path)
    return Recipe(image=image, spectrum=spectrum)


def _spectrum(modality: Modality, settings: Mapping[str, Any], theirs: str) -> SpectrumRecipe:
    return build(
        SpectrumRecipe,
        {
            **_DESI_GRID,
            "n_pixels": settings.get("spectrum_length", _DESI_LENGTH),
            "patch_px": modality.patch_size,
            "normalisation": "std" if theirs == "fmb" else "none",
            "positions": "index" if modality.embed_pos else "wavelength",
        },
        "spectrum",
    )


def _image(
    modality: Modality,
    settings: Mapping[str, Any],
    config: AstroPTConfig,
    theirs: str,
    room: int,
    path: Path,
) -> ImageRecipe:
    patch = modality.patch_size
    n_bands, rest = divmod(modality.input_size, patch**2)
    if rest or not n_bands:
        raise WeightsError(
            f"{path}: image tokens of {modality.input_size} numbers are no {patch} px patches"
        )
    size_px = config.image_size_px or settings.get("image_size", _IMAGE_SIZE)
    if config.image_size_px is None:
        size_px = min(size_px, patch * math.isqrt(max(room, 1)))
    ours = theirs == "fmb"
    return build(
        ImageRecipe,
        {
            "bands": _bands(n_bands, config, path),
            "size_px": size_px,
            "min_size_px": size_px,  # a trained network knows its positions at this size only
            "patch_px": patch,
            "patch_order": "raster" if ours or not settings.get("spiral", True) else "spiral",
            "patch_layout": "c p1 p2" if ours else "p1 p2 c",
            "transposed": not ours,
            "scaling": "uint8" if ours else "patch-standard",
        },
        "image",
    )


def _bands(n_bands: int, config: AstroPTConfig, path: Path) -> tuple[str, ...]:
    if config.bands is not None:
        if len(config.bands) != n_bands:
            raise ConfigError(
                f"bands: {len(config.bands)} given, the checkpoint {path} has {n_bands} channels"
            )
        return config.bands
    if n_bands == 3:
        return ("R", "G", "B")
    raise ConfigError(
        f"the checkpoint {path} has {n_bands} image channels and does not name them:"
        " say which bands they are, in order, with the option bands"
    )
