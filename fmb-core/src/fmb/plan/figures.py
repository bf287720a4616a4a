"""Figures, analyses and the engine of a plan: what only needs a name."""

import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

from fmb.contract.analysis import AnalysisSpec
from fmb.contract.engine import EngineSpec
from fmb.contract.errors import ConfigError
from fmb.contract.needs import TABLE
from fmb.contract.plot import PlotSpec
from fmb.contract.spec import ComponentSpec
from fmb.plan.choice import Chosen, choose
from fmb.plan.request import AnalysisRequest, EngineRequest, PlotRequest, Request
from fmb.plugins.registry import Registry

__all__ = ["choose_engine", "choose_labelled", "plan_analyses", "plan_analysis", "plan_plots"]

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
    asked: Mapping[str, PlotRequest], registry: Registry, *, several: bool = False
) -> tuple[Chosen[PlotSpec], ...]:
    """The figures that are asked for, else those that are drawn by default.

    Args:
        asked: label -> figure.
        registry: the installed components.
        several: they are drawn of several runs together.

    Raises:
        ConfigError: a figure of several runs is asked for where there is one, or the other way.
        FmbError: a name or option does not work.
    """
    named = choose_labelled(registry, PlotSpec, asked)
    for plot in named:
        if (plot.spec.per == "runs") != several:
            needs = "several runs: fmb plot RUN RUN" if not several else "one run: name one"
            raise ConfigError(f"figure {plot.label!r} is drawn of {needs}")
    if named or several:
        return tuple(named)
    defaults = [c for c in registry.all(PlotSpec) if c.spec.default]
    return tuple(choose(registry, PlotSpec, c.spec.name, c.qualified, {}) for c in defaults)


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
        for label, table in _needed_tables(plot.spec.needs):
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


def _needed_tables(needs: Sequence[str]) -> list[tuple[str, str]]:
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
