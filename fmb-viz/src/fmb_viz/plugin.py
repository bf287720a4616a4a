"""Declares the figures of this package, and the command that draws surveys."""

from collections.abc import Iterator

from fmb import CommandSpec, PlotSpec, hookimpl

FMB_API = 1


@hookimpl
def fmb_register_plots() -> Iterator[PlotSpec]:
    """The gallery of the strangest objects, the histogram of all scores, one object's page."""
    yield PlotSpec(
        name="outlier-grid",
        summary="Images and spectra of the strangest objects",
        target="fmb_viz.outlier_grid:OutlierGrid",
        config="fmb_viz.config:OutlierGridConfig",
        needs=("scores", "objects", "cutouts"),
        revision=3,
        default=True,
        requires=("matplotlib",),
    )
    yield PlotSpec(
        name="score-histogram",
        summary="Scores of all objects, the strangest marked",
        target="fmb_viz.score_histogram:ScoreHistogram",
        config="fmb_viz.config:ScoreHistogramConfig",
        needs=("scores", "objects"),
        default=True,
        requires=("matplotlib",),
    )
    yield PlotSpec(
        name="object-page",
        summary="Images and spectra of one object of a survey",
        target="fmb_viz.object_page:ObjectPage",
        config="fmb_viz.config:ObjectPageConfig",
        needs=("objects", "cutouts"),
        per="object",
        default=True,
        requires=("matplotlib",),
    )


@hookimpl
def fmb_register_commands() -> Iterator[CommandSpec]:
    """What draws surveys before any run."""
    yield CommandSpec(
        name="plot",
        group="data",
        summary="Draw what a survey measured, or two beside each other.",
        target="fmb_viz.survey.command:command",
        requires=("matplotlib",),
    )
