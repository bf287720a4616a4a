"""Declares AstroPT and the reduction of tokens that only it has."""

from collections.abc import Iterator

from fmb import Accepts, EmbedderSpec, ModelSpec, WeightsSpec, hookimpl
from fmb_astropt.views import VIEWS

FMB_API = 1


@hookimpl
def fmb_register_models() -> Iterator[ModelSpec]:
    """AstroPT, with small bundled weights, random ones or an imported checkpoint."""
    yield ModelSpec(
        name="astropt",
        summary="AstroPT: autoregressive image and spectrum patches",
        target="fmb_astropt.model:AstroPTModel",
        config="fmb_astropt.config:AstroPTConfig",
        accepts=(
            Accepts(slot="image", kind="images"),
            Accepts(slot="spectrum", kind="spectra"),
        ),
        views=VIEWS,
        joint="native",
        embedders=("mean", "last", "exp-decay", "tails"),
        weights=(
            WeightsSpec(
                name="tiny",
                summary="trained on simulated Euclid images and DESI spectra; embedder tails",
                location="package:fmb_astropt/weights/tiny",
            ),
            WeightsSpec(
                name="tiny-one-band",
                summary="trained on simulated Euclid VIS images; embedder tails",
                location="package:fmb_astropt/weights/tiny-one-band",
            ),
            WeightsSpec(
                name="random",
                summary="drawn from a seed: the floor of every comparison",
                card="fmb_astropt.presets:random_card",
            ),
        ),
        shaping_options=("preset", "bands", "tokenisation", "image_size_px"),
        importer="fmb_astropt.checkpoints:import_checkpoint",
        retrain_config="fmb_astropt.training:AstroPTTraining",
        commands={"retrain": "train"},
        source="arXiv:2405.14930",
        citation=(
            "@article{smith2024astropt, title={AstroPT: Scaling Large Observation Models for"
            " Astronomy}, author={Smith, Michael J. and Roberts, Ryan J. and Angeloudi, Eirini and"
            " Huertas-Company, Marc}, journal={arXiv:2405.14930}, year={2024}}"
        ),
        licence="AGPL-3.0-or-later",
        requires=("astropt", "loralib", "safetensors", "torch"),
    )


@hookimpl
def fmb_register_embedders() -> Iterator[EmbedderSpec]:
    """Upstream's third reduction; `mean` and `last` are the core's."""
    yield EmbedderSpec(
        name="exp-decay",
        summary="Mean weighted from 1 at the first token to 0.1",
        target="fmb_astropt.embedders:ExpDecay",
        config="fmb:Config",
        licence="AGPL-3.0-or-later",
    )
