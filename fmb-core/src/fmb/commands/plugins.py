"""`fmb plugins`: what is installed, and what is broken."""

from functools import partial
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fmb.contract.model import WeightsSpec
    from fmb.plugins.loading import Plugins
    from fmb.plugins.registry import Component

__all__ = ["command"]


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List what is installed; broken plugins go to stderr, one line each."""
    if ctx.invoked_subcommand is None:
        _list(as_json)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_plugins(as_json: bool) -> None:
    """List what is installed; broken plugins go to stderr, one line each."""
    _list(as_json)


def _list(as_json: bool) -> None:
    from fmb.contract.hooks import KINDS
    from fmb.plugins.loading import CORE, load_plugins
    from fmb.terminal.printing import echo_error

    plugins = load_plugins()
    components = [
        c
        for kind in KINDS
        for c in plugins.registry.all(kind)
        # `fmb --help` lists the core's commands.
        if not (kind.kind == "command" and c.distribution == CORE)
    ]
    (_print_json if as_json else _print_table)(plugins, components)
    for line in (*plugins.failures, *plugins.registry.clashes()):
        echo_error(str(line))


def _print_json(plugins: "Plugins", components: "Sequence[Component[Any]]") -> None:
    from fmb.terminal.printing import echo_json

    rows = [
        {
            "kind": c.spec.kind,
            "name": c.spec.name,
            "plugin": c.plugin,
            "distribution": c.distribution,
            "version": c.version,
            "summary": c.spec.summary,
        }
        for c in components
    ]
    slow = [{**one._asdict(), "seconds": round(s, 2)} for one, s in plugins.slow.items()]
    failures = [failure._asdict() for failure in plugins.failures]
    missing = [str(one) for one in plugins.registry.missing]
    told = {"components": rows, "failures": failures, "not available": missing, "slow": slow}
    echo_json(told)


def _print_table(plugins: "Plugins", components: "Sequence[Component[Any]]") -> None:
    from fmb.terminal.printing import echo_folded, print_table

    rows = [
        {"kind": c.spec.kind, "name": c.qualified, "summary": c.spec.summary} for c in components
    ]
    for absent in plugins.registry.missing:
        spec, origin = absent.spec, absent.origin
        install = f"not available: pip install '{origin.distribution}[{spec.extra}]'"
        name = f"{origin.plugin}:{spec.names[0]}"
        rows.append({"kind": spec.kind, "name": name, "summary": install})
    print_table(rows, "nothing", more="fmb plugins --json", prose="summary")
    packages = dict.fromkeys(f"{c.distribution} {c.version}" for c in components)
    click.echo("")
    echo_folded(f"packages: {', '.join(packages)}")
    for one, seconds in plugins.slow.items():
        about = f"plugin {one.plugin!r} of {one.distribution} {one.version}"
        echo_folded(f"slow: {about}, {seconds:.1f} s to import")


@command.command("info")
@click.argument("name")
@click.option("--kind", help="Kind, where two kinds share a name.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def info(name: str, kind: str | None, as_json: bool) -> None:
    """Show all about a component: what it takes and gives, its weights, options and citation."""
    import json

    from fmb.contract.hooks import KINDS
    from fmb.messages.errors import UnknownNameError, did_you_mean
    from fmb.plugins.loading import load_plugins
    from fmb.plugins.sheet import sheet_lines, sheet_values
    from fmb.terminal.width import screen_width

    registry = load_plugins().registry
    known = {one.kind: one for one in KINDS}
    if kind is not None and kind not in known:
        raise UnknownNameError(f"no kind is called {kind!r}{did_you_mean(kind, known)}")
    components = [c for one in ([known[kind]] if kind else KINDS) for c in registry.all(one)]
    named = [c for c in components if name in (*c.spec.names, c.spec.name, c.qualified)]
    for absent in registry.missing:
        if not named and name in absent.spec.names and kind in (None, absent.spec.kind):
            raise UnknownNameError(str(absent))
    if not named:
        names = [c.spec.name for c in components]
        raise UnknownNameError(f"nothing is called {name!r}{did_you_mean(name, names)}")
    if as_json:
        click.echo(json.dumps([sheet_values(c) for c in named], indent=1, default=str))
        return
    for n, component in enumerate(named):
        lines = sheet_lines(component, partial(_weights_line, component), screen_width())
        click.echo("\n" * (n > 0) + "\n".join(lines))


def _weights_line(component: "Component[Any]", weights: "WeightsSpec") -> str:
    # Here: it loads numpy, which the sheet on no other kind needs.
    from fmb.store.workspace import workspace
    from fmb.weights.listing import weights_line

    return weights_line(component, weights, workspace())
