"""Declares what measures lists against what is known, and what compares them."""

from collections.abc import Iterator

from fmb import AnalysisSpec, CommandSpec, hookimpl

FMB_API = 1


@hookimpl
def fmb_register_analyses() -> Iterator[AnalysisSpec]:
    """What lists follow, and what looks at one or another would find."""
    yield AnalysisSpec(
        name="nuisance",
        summary="How strongly the head of a list follows nuisances",
        target="fmb_analyses.nuisance:Nuisance",
        config="fmb_analyses.config:NuisanceConfig",
        needs=("objects", "scores"),
        tables={"strength": "AUROC of telling the head of a list by a role, and by all of them"},
        licence="BSD-3-Clause",
    )
    yield AnalysisSpec(
        name="strategies",
        summary="Which list shows what is odd in one view, in both",
        target="fmb_analyses.strategies:Strategies",
        config="fmb_analyses.strategies_config:StrategiesConfig",
        tables={
            "looks": "a row a list: how many of its first k objects are of which kind, and chance",
            "overlaps": "a row for two lists: how many of their first k objects they share",
        },
        licence="BSD-3-Clause",
    )


@hookimpl
def fmb_register_commands() -> Iterator[CommandSpec]:
    """How well lists find what is known."""
    yield CommandSpec(
        name="evaluate",
        summary="Measure how well lists find known objects.",
        target="fmb_analyses.evaluate.command:command",
    )
