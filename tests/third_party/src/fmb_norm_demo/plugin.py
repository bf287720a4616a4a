"""Declares one plugin of each kind."""

from fmb import (
    Accepts,
    AnalysisSpec,
    CommandSpec,
    DatasetSpec,
    DetectorSpec,
    EmbedderSpec,
    EngineSpec,
    ModelSpec,
    PlotSpec,
    WeightsSpec,
    hookimpl,
)

FMB_API = 1
IMAGE = Accepts(slot="image", kind="images")
SPECTRUM = Accepts(slot="spectrum", kind="spectra", wavelength_aa=(3600.0, 9800.0))


@hookimpl
def fmb_register_models():
    yield ModelSpec(
        name="vision",
        summary="A vision transformer with published DINOv2 weights",
        target="fmb_norm_demo.vision:Vision",
        config="fmb_norm_demo.vision:VisionConfig",
        accepts=(IMAGE,),
        views={"image": ("image",)},
        embedders=("mean",),
        importer="fmb_norm_demo.vision:import_dinov2",
        requires=("torch",),
        extra="models",
    )
    yield ModelSpec(
        name="spectral",
        summary="Patches of spectra through a drawn network",
        target="fmb_norm_demo.spectral:Spectral",
        accepts=(SPECTRUM,),
        views={"spectrum": ("spectrum",)},
        embedders=("mean",),
        weights=(
            WeightsSpec(
                name="random", summary="drawn from a seed", card="fmb_norm_demo.spectral:drawn"
            ),
        ),
        requires=("torch",),
        extra="models",
    )


@hookimpl
def fmb_register_detectors():
    yield DetectorSpec(
        name="norm",
        summary="Distance from the mean, column by column",
        target="fmb_norm_demo.norm:NormDetector",
        details={"widest": "sigma"},
    )
    yield DetectorSpec(
        name="misfit",
        summary="How badly one view predicts the other",
        target="fmb_norm_demo.misfit:Misfit",
        scope="pair",
        persistent=False,
        columns=("redshift",),
    )
    yield DetectorSpec(
        name="mean-rank",
        summary="Mean standing in all lists",
        target="fmb_norm_demo.mean_rank:MeanRank",
        scope="fusion",
        fitted=False,
    )


@hookimpl
def fmb_register_analyses():
    yield AnalysisSpec(
        name="shared",
        summary="How many objects the tops of two lists share",
        target="fmb_norm_demo.shared:Shared",
        config="fmb_norm_demo.shared:SharedConfig",
        tables={"pairs": "one row for every two lists"},
    )
    yield AnalysisSpec(
        name="common",
        summary="How many objects two runs have in common",
        target="fmb_norm_demo.shared:Common",
        over="runs",
        tables={"objects": "one row for every two runs"},
    )


@hookimpl
def fmb_register_plots():
    yield PlotSpec(
        name="lengths",
        summary="How long the vectors of a view are",
        target="fmb_norm_demo.figures:Lengths",
        needs=("vectors",),
        per="view",
        requires=("matplotlib",),
        extra="figures",
    )
    yield PlotSpec(
        name="shared-tops",
        summary="What the lists of a run share",
        target="fmb_norm_demo.figures:SharedTops",
        needs=("table:shared.pairs",),
        per="run",
        requires=("matplotlib",),
        extra="figures",
    )
    yield PlotSpec(
        name="cube",
        summary="Lists in three dimensions",
        target="fmb_norm_demo.figures:Cube",
        requires=("a_module_that_nobody_has",),
        extra="cube",
    )


@hookimpl
def fmb_register_commands():
    yield CommandSpec(
        name="first",
        summary="Name the strangest object of a run.",
        target="fmb_norm_demo.first:command",
    )


@hookimpl
def fmb_register_datasets():
    yield DatasetSpec(
        name="dots",
        summary="Noise with a bright dot, made on the spot",
        target="fmb_norm_demo.dots:open_dots",
        config="fmb_norm_demo.dots:DotsConfig",
        simulated=True,
    )


@hookimpl
def fmb_register_embedders():
    yield EmbedderSpec(
        name="largest",
        summary="Mean of the largest tokens",
        target="fmb_norm_demo.largest:Largest",
        config="fmb_norm_demo.largest:LargestConfig",
        any_model=True,
        requires=("torch",),
    )


@hookimpl
def fmb_register_engines():
    yield EngineSpec(
        name="threads",
        summary="Threads of this process",
        target="fmb_norm_demo.threads:Threads",
        config="fmb_norm_demo.threads:ThreadsConfig",
    )
