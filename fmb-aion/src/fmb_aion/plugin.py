"""Declares AION."""

from collections.abc import Iterator

from fmb import ModelSpec, WeightsSpec, hookimpl
from fmb_aion.surveys import ACCEPTS, EUCLID
from fmb_aion.views import VIEWS

FMB_API = 1

_CITATION = (
    "@article{parker2025aion, title={AION-1: Omnimodal Foundation Model for Astronomical"
    " Sciences}, author={Parker, Liam and Lanusse, Francois and others},"
    " journal={arXiv:2510.17960}, year={2025}}"
)


@hookimpl
def fmb_register_models() -> Iterator[ModelSpec]:
    """AION, with random weights, an imported folder or one of the published sizes."""
    yield ModelSpec(
        name="aion",
        summary="AION: tokenised images and spectra in one encoder",
        target="fmb_aion.model:AionModel",
        config="fmb_aion.config:AionConfig",
        accepts=ACCEPTS,
        views=VIEWS,
        joint="native",
        embedders=("mean", "tails"),
        weights=(
            WeightsSpec(
                name="random",
                summary="drawn from a seed: the floor of every comparison",
                card="fmb_aion.presets:random_card",
            ),
            _published(
                "base",
                93_841_920,
                "1.2 GB at batch 1, 5.6 s an object for all views on one CPU core"
                " (random weights of this size)",
            ),
            _published("large", 314_104_832),
            _published("xlarge", 1_234_332_672),
        ),
        shaping_options=("preset",),
        importer="fmb_aion.importing:import_folder",
        retrain_config="fmb_aion.training:AionTraining",
        commands={"retrain": "train"},
        retrain_accepts=(EUCLID,),
        source="arXiv:2510.17960",
        citation=_CITATION,
        licence="MIT",
        requires=("aion", "safetensors", "torch"),
    )


def _published(size: str, parameters: int, measured: str = "") -> WeightsSpec:
    return WeightsSpec(
        name=size,
        summary=f"published AION-1 {size}; the parameters exclude its two codecs",
        location=f"hf:polymathic-ai/aion-{size}",
        parameters=parameters,
        measured=measured,
    )
