"""Ready-made sizes and tokenisations, and the card of weights that are drawn, not loaded."""

from typing import NamedTuple

from fmb.weights import Card
from fmb_astropt.config import AstroPTConfig
from fmb_astropt.recipes import Architecture, ImageRecipe, Modality, Recipe, SpectrumRecipe

__all__ = ["card_of", "modalities_for", "random_card"]

EUCLID_BANDS = ("VIS", "NISP-Y", "NISP-J", "NISP-H")

_TINY = {"n_layer": 4, "n_head": 4, "n_embd": 96, "block_size": 386}
_SMALL = {"n_layer": 4, "n_head": 4, "n_embd": 128, "block_size": 512}
_FULL = {"n_layer": 12, "n_head": 12, "n_embd": 768, "block_size": 1024}
# 3600-9824 A, as DESI. 4 A pixels keep a narrow emission line in one pixel or two and make 98
# tokens, or 49 long ones; the full grid is DESI's own and makes the original benchmark's 779.
_COARSE = {"start_aa": 3602.0, "step_aa": 4.0, "n_pixels": 1556, "patch_px": 16}
_DESI = {"start_aa": 3600.0, "step_aa": 0.8, "n_pixels": 7781, "patch_px": 10}


class _Preset(NamedTuple):
    sizes: dict[str, int]
    bands: tuple[str, ...]
    size_px: int
    patch_px: int
    spectrum: dict[str, float]
    embedder: str = ""


_PRESETS = {
    # 256 + 130 tokens: patches of 0.6 arcsec and 48 A hold an arc or a line and little else, so
    # that a few strange tokens stand out of many.
    "tiny": _Preset(_TINY, EUCLID_BANDS, 96, 6, _COARSE | {"patch_px": 12}, "tails"),
    "tiny-one-band": _Preset(_TINY, ("VIS",), 96, 6, _COARSE | {"patch_px": 12}, "tails"),
    "small": _Preset(_SMALL, EUCLID_BANDS, 96, 16, _COARSE),
    # 12 px: a cutout of 79 px gives 6 x 6 tokens, one of 201 px 16 x 16.
    "one-band": _Preset(_SMALL, ("VIS",), 192, 12, _COARSE),
    "full": _Preset(_FULL, EUCLID_BANDS, 224, 16, _DESI),
}


def random_card(config: AstroPTConfig, seed: int) -> Card:
    """The card of an AstroPT with upstream's own initialisation, drawn from `seed`.

    Patches run from the centre outwards, so that a position means the same place of a galaxy for
    every image size, and images smaller than the preset's are taken down to one patch.
    """
    preset = _PRESETS[config.preset]
    recipe = Recipe(
        image=ImageRecipe(
            bands=config.bands or preset.bands,
            size_px=preset.size_px,
            min_size_px=preset.patch_px,
            patch_px=preset.patch_px,
            patch_order="spiral",
            patch_layout="c p1 p2",
            scaling="asinh-noise",
        ),
        spectrum=SpectrumRecipe.model_validate(
            {**preset.spectrum, "normalisation": "robust", "positions": "index"}
        ),
    )
    sizes = {**preset.sizes, "modalities": modalities_for(recipe)}
    return card_of(
        Architecture.model_validate(sizes),
        recipe,
        name=f"random-{config.preset}",
        summary=f"AstroPT with random weights, preset {config.preset}: a floor, not a model",
        random_seed=seed,
        embedder=preset.embedder,
    )


def modalities_for(recipe: Recipe) -> tuple[Modality, ...]:
    """The modalities of a network that takes the tokens of `recipe`."""
    found = []
    if recipe.image is not None:
        found.append(
            Modality(
                name="images",
                input_size=recipe.image.token_size,
                patch_size=recipe.image.patch_px,
            )
        )
    if recipe.spectrum is not None:
        by_index = recipe.spectrum.positions == "index"
        found.append(
            Modality(
                name="spectra",
                input_size=recipe.spectrum.token_size,
                patch_size=recipe.spectrum.patch_px,
                embed_pos=by_index,
                pos_input_size=1 if by_index else recipe.spectrum.patch_px,
            )
        )
    return tuple(found)


def card_of(
    architecture: Architecture,
    recipe: Recipe,
    *,
    name: str,
    summary: str,
    random_seed: int | None = None,
    embedder: str = "",
    source: str = "",
) -> Card:
    """A card of this model from its typed parts."""
    return Card(
        model="astropt",
        name=name,
        summary=summary,
        architecture=architecture.model_dump(mode="json"),
        preprocessing=recipe.model_dump(mode="json"),
        accepts=recipe.accepts(),
        random_seed=random_seed,
        embedder=embedder,
        source=source,
    )
