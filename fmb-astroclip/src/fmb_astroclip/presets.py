"""Sizes and preprocessing of the published weights, a small network, and the cards of both."""

from fmb.weights import Card
from fmb_astroclip.config import AstroCLIPConfig
from fmb_astroclip.recipes import (
    Architecture,
    ImageRecipe,
    ImageTower,
    Recipe,
    SpectrumRecipe,
    SpectrumTower,
)

__all__ = ["COARSE", "FULL", "PUBLISHED", "SMALL", "TINY", "card_of", "random_card"]

FULL = Architecture(
    image=ImageTower(width=1024, depth=24, heads=16, patch_px=12, chunk=6, positions=145),
    spectrum=SpectrumTower(width=768, depth=6, heads=6, max_tokens=800),
    embed=1024,
    cross_heads=4,
)
"""370.80 M numbers. Source: arXiv:2310.03024, sections 4.1-4.3; configs/ of its code."""

SMALL = Architecture(
    image=ImageTower(width=128, depth=4, heads=2, patch_px=12, chunk=1, positions=145),
    spectrum=SpectrumTower(width=96, depth=2, heads=2, max_tokens=800),
    embed=128,
    cross_heads=4,
)

TINY = Architecture(
    image=ImageTower(width=64, depth=3, heads=2, patch_px=12, chunk=1, positions=145),
    spectrum=SpectrumTower(width=64, depth=2, heads=2, max_tokens=256),
    embed=64,
    cross_heads=2,
)
"""To be trained on a laptop."""

PUBLISHED = Recipe(
    # The colours of the Legacy Survey's viewer. Source: `ToRGB` and `AstroClipCollator` of the
    # code of arXiv:2310.03024; m and Q as in arXiv:astro-ph/0312483.
    image=ImageRecipe(
        bands=("DES-G", "DES-R", "DES-Z"),
        pixel_scale_arcsec=(0.26, 0.265),
        size_px=144,
        scales=(6.0, 3.4, 2.2),
        planes=(2, 1, 0),
        offset=0.03,
        softening=20.0,
        transposed=True,
    ),
    # Source: `SpecFormer.preprocess` of the same code; DESI spectra of 7781 px of 0.8 A.
    spectrum=SpectrumRecipe(
        wavelength_aa=(3600.0, 9824.0), section_px=20, overlap_px=10, min_std=0.2
    ),
)

COARSE = PUBLISHED.model_copy(
    update={"spectrum": PUBLISHED.spectrum.model_copy(update={"section_px": 80, "overlap_px": 40})}
)
"""A quarter of the tokens of a spectrum, at a sixteenth of the attention."""

_PRESETS = {"tiny": (TINY, COARSE), "small": (SMALL, PUBLISHED), "full": (FULL, PUBLISHED)}


def random_card(config: AstroCLIPConfig, seed: int) -> Card:
    """The card of an AstroCLIP with upstream's own initialisation, drawn from `seed`."""
    sizes, recipe = _PRESETS[config.preset]
    return card_of(
        sizes,
        recipe,
        name=f"random-{config.preset}",
        summary=f"AstroCLIP with random weights, preset {config.preset}: a floor, not a model",
        random_seed=seed,
    )


def card_of(
    architecture: Architecture,
    recipe: Recipe,
    *,
    name: str,
    summary: str,
    random_seed: int | None = None,
) -> Card:
    """A card of this model from its typed parts; what was not drawn has upstream's licence."""
    return Card(
        model="astroclip",
        name=name,
        summary=summary,
        architecture=architecture.model_dump(mode="json"),
        preprocessing=recipe.model_dump(mode="json"),
        accepts=recipe.accepts(architecture),
        random_seed=random_seed,
        licence="BSD-3-Clause" if random_seed is not None else "MIT",
        source="arXiv:2310.03024",
    )
