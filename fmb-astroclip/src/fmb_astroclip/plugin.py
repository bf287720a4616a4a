"""Declares AstroCLIP."""

from collections.abc import Iterator

from fmb import Accepts, ModelSpec, WeightsSpec, hookimpl

FMB_API = 1


@hookimpl
def fmb_register_models() -> Iterator[ModelSpec]:
    """AstroCLIP, with weights small or random, the published ones or a converted checkpoint."""
    yield ModelSpec(
        name="astroclip",
        summary="AstroCLIP: images and spectra in one space",
        target="fmb_astroclip.model:AstroCLIPModel",
        config="fmb_astroclip.config:AstroCLIPConfig",
        accepts=(
            Accepts(slot="image", kind="images", calibrated=True),
            Accepts(slot="spectrum", kind="spectra", calibrated=True),
        ),
        views={
            "image": ("image",),
            "spectrum": ("spectrum",),
            "joint": ("image", "spectrum"),
        },
        joint="unit-mean",
        aligned=True,
        embedders=("native",),
        weights=(
            WeightsSpec(
                name="tiny",
                summary="small, trained on simulated galaxies: a demo, not evidence",
                location="package:fmb_astroclip/weights/tiny",
                parameters=399_808,
                measured="7 ms an object on one core",
            ),
            WeightsSpec(
                name="random",
                summary="drawn from a seed: the floor of every comparison",
                card="fmb_astroclip.presets:random_card",
            ),
            WeightsSpec(
                name="pretrained",
                summary="the authors' astroclip.ckpt; its revision is unverified",
                location="hf:polymathic-ai/astroclip",
                parameters=370_798_358,
                measured="1.9 GB, 4 s an object on one core",
            ),
        ),
        shaping_options=("preset", "image_heads", "spectrum_heads", "cross_heads"),
        importer="fmb_astroclip.checkpoints:import_checkpoint",
        converter="fmb_astroclip.checkpoints:convert",
        retrain_config="fmb_astroclip.training:AstroCLIPTraining",
        commands={"retrain": "train"},
        source="arXiv:2310.03024",
        citation=(
            "@article{parker2024astroclip, title={AstroCLIP: a cross-modal foundation model for"
            " galaxies}, author={Parker, Liam and Lanusse, Francois and Golkar, Siavash and"
            " others}, journal={MNRAS}, volume={531}, pages={4990--5011}, year={2024}}"
        ),
        licence="MIT",
        requires=("safetensors", "torch"),
    )
