"""Figures, analyses and the engine of a plan: what only needs a name."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from fmb.contract.analysis import AnalysisSpec
from fmb.contract.engine import EngineSpec
from fmb.contract.needs import TABLE
from fmb.contract.plot import PlotSpec
from fmb.contract.spec import ComponentSpec
from fmb.messages.errors import ConfigError, FmbError
from fmb.plan.choice import Chosen, choose
from fmb.plugins.registry import Registry
from fmb.request.record import AnalysisRequest, EngineRequest, PlotRequest, Request

__all__ = [
    "choose_engine",
    "choose_labelled",
    "needed_tables",
    "object_figures",
    "plan_analyses",
    "plan_analysis",
    "plan_plots",
    "recorded_figures",
]

S = TypeVar("S", bound=ComponentSpec)
Labelled = AnalysisRequest | PlotRequest | EngineRequest


def choose_labelled(
    registry: Registry,
    kind: type[S],
    asked: Mapping[str, Labelled],
) -> list[Chosen[S]]:
    """The components of a table whose keys are labels."""
    return [choose(registry, kind, label, one.use, one.settings) for label, one in asked.items()]


def plan_plots(
    request: Request, registry: Registry, *, several: bool = False
) -> tuple[tuple[Chosen[PlotSpec], ...], dict[str, str]]:
    """The figures to draw, and those drawn unasked that do not work: label -> why.

    They are exactly those of `run.figures`; where it is left out, those that are drawn unasked and
    those that have a table of settings, which may be of one run or of several.

    Args:
        request: what the user asks for.
        registry: the installed components.
        several: they are drawn of several runs together.

    Raises:
        ConfigError: a figure of several runs is asked for where there is one, or the other way.
        FmbError: a name or option that the user gave does not work.
    """
    figures = request.run.figures
    asked = {label: PlotRequest(use=label) for label in figures or ()} | request.plot
    set_up = {one.label: one for one in choose_labelled(registry, PlotSpec, asked)}
    if figures is None:
        unasked, broken = ({}, {}) if several else _unasked(registry, set_up)
        fitting = [p for p in (unasked | set_up).values() if _drawn_of(p.spec, several)]
        return tuple(fitting), broken
    for label in figures:
        if set_up[label].spec.per == "object":
            raise ConfigError(f"figure {label!r} is drawn of one object: fmb data show SOURCE ID")
        if (set_up[label].spec.per == "runs") is not several:
            needs = "several runs: fmb plot RUN RUN" if not several else "one run: name one"
            raise ConfigError(f"figure {label!r} is drawn of {needs}")
    return tuple(set_up[label] for label in figures), {}


def _drawn_of(spec: PlotSpec, several: bool) -> bool:
    """Whether a figure is drawn of several runs, or of one."""
    return spec.per != "object" and (spec.per == "runs") is several


def object_figures(request: Request, registry: Registry) -> tuple[Chosen[PlotSpec], ...]:
    """The figures of one object that are drawn unasked, as the request sets them up.

    Raises:
        FmbError: an option of one does not work.
    """
    set_up = {one.label: one for one in choose_labelled(registry, PlotSpec, request.plot)}
    drawn = [c for c in registry.all(PlotSpec) if c.spec.per == "object" and c.spec.default]
    return tuple(
        set_up.get(c.spec.name) or choose(registry, PlotSpec, c.spec.name, c.qualified, {})
        for c in drawn
    )


def recorded_figures(asked: Mapping[str, Any], *, named: bool) -> dict[str, Any]:
    """The layer of a request that holds what a run was asked to draw, and as which files.

    Args:
        asked: the content of its `run.toml`.
        named: True where figures are named now, which take the place of the run's.
    """
    formats = asked.get("run", {}).get("figure_formats")
    own = {} if named else {"plot": asked.get("plot", {})}
    return own | ({"run": {"figure_formats": formats}} if formats else {})


def _unasked(
    registry: Registry, set_up: Mapping[str, Chosen[PlotSpec]]
) -> tuple[dict[str, Chosen[PlotSpec]], dict[str, str]]:
    """The figures that are drawn by default, as they are set up, and why others cannot be."""
    chosen: dict[str, Chosen[PlotSpec]] = {}
    broken: dict[str, str] = {}
    for one in registry.all(PlotSpec):
        if not one.spec.default or one.spec.per == "object":
            continue
        label = one.spec.name if one.spec.name not in chosen else f"{one.plugin}-{one.spec.name}"
        try:
            chosen[label] = set_up.get(label) or choose(
                registry, PlotSpec, label, one.qualified, {}
            )
            plan_analyses({}, [chosen[label]], registry)
        except FmbError as error:
            broken[label] = str(error)
        except (Exception, SystemExit) as error:  # the plugin's own code runs here
            broken[label] = (
                f"plot {label!r} of plugin {one.plugin!r} ({one.distribution} {one.version})"
                f" failed at its configuration: {type(error).__name__}: {error}"
            )
    return {label: one for label, one in chosen.items() if label not in broken}, broken


def plan_analyses(
    asked: Mapping[str, AnalysisRequest], plots: Sequence[Chosen[PlotSpec]], registry: Registry
) -> tuple[Chosen[AnalysisSpec], ...]:
    """The analyses that are asked for and those whose tables figures need.

    Raises:
        ConfigError: an analysis takes several runs.
        FmbError: a name or option does not work, or nothing gives a table that a figure needs.
    """
    chosen = {one.label: one for one in choose_labelled(registry, AnalysisSpec, asked)}
    for plot in plots:
        for label, table in needed_tables(plot.spec.needs):
            if label not in chosen:
                chosen[label] = choose(registry, AnalysisSpec, label, label, {})
            if table not in chosen[label].spec.tables:
                raise ConfigError(
                    f"figure {plot.label!r} needs the table {table!r} of {label!r}, which gives"
                    f" {', '.join(chosen[label].spec.tables)}"
                )
    for one in chosen.values():
        if one.spec.over == "runs":
            raise ConfigError(
                f"analysis {one.label!r} takes several runs: fmb analyze {one.spec.name} RUN RUN"
            )
    return tuple(chosen.values())


def plan_analysis(request: Request, label: str, registry: Registry) -> Chosen[AnalysisSpec]:
    """The one analysis that is asked for by its label; it may take one run or several.

    Raises:
        FmbError: a name or option does not work.
    """
    (one,) = choose_labelled(registry, AnalysisSpec, {label: request.analysis[label]})
    return one


def needed_tables(needs: Sequence[str]) -> list[tuple[str, str]]:
    """(analysis, table) of each need that is a table, in order."""
    matches = (re.fullmatch(TABLE, need) for need in needs)
    return [(match[1], match[2]) for match in matches if match is not None]


def choose_engine(
    asked: Mapping[str, EngineRequest], registry: Registry
) -> Chosen[EngineSpec] | None:
    """Where vectors are computed; None = in this process.

    Raises:
        ConfigError: several are named.
        FmbError: a name or option does not work.
    """
    chosen = choose_labelled(registry, EngineSpec, asked)
    if len(chosen) > 1:
        raise ConfigError(f"name one engine, not {' and '.join(asked)}")
    return chosen[0] if chosen else None
