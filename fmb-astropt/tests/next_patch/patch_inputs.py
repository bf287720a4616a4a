"""Small images and spectra of AstroPT, and the card of a network that reads them."""

import numpy as np

from fmb import Inputs
from fmb_astropt.presets import card_of, modalities_for
from fmb_astropt.recipes import Architecture, ImageRecipe, Recipe, SpectrumRecipe

SOURCES = {"image": "euclid", "spectrum": "desi"}
N_IMAGE, N_SPECTRUM = 16, 13


def card(positions="index", **sizes):
    recipe = Recipe(
        image=ImageRecipe(
            bands=("VIS", "NISP-Y"),
            size_px=32,
            min_size_px=8,
            patch_px=8,
            patch_order="spiral",
            patch_layout="c p1 p2",
            scaling="asinh-noise",
        ),
        spectrum=SpectrumRecipe(
            start_aa=3600,
            step_aa=30.0,
            n_pixels=200,
            patch_px=16,
            normalisation="robust",
            positions=positions,
        ),
    )
    values = {"n_layer": 3, "n_head": 4, "n_embd": 32, "block_size": 64, **sizes}
    architecture = Architecture(**values, modalities=modalities_for(recipe))
    return card_of(architecture, recipe, name="drawn", summary="", random_seed=5)


def inputs_of(arrays, masks=()):
    n = len(next(iter(arrays.values())))
    valid = {slot: np.ones(n, dtype=bool) for slot in arrays}
    return Inputs(arrays={**arrays, **dict(masks)}, valid=valid)
