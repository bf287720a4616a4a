"""`fmb plugins`: what is installed, and what is broken."""

import click

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
    from fmb.contract.hooks import HOOKS
    from fmb.plugins.loading import load_plugins

    plugins = load_plugins()
    components = [c for kind in HOOKS for c in plugins.registry.all(kind)]
    if as_json:
        import json

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
        failures = [vars(failure) for failure in plugins.failures]
        click.echo(json.dumps({"components": rows, "failures": failures}, indent=1))
    else:
        for c in components:
            origin = f"{c.distribution} {c.version}"
            click.echo(f"{c.spec.kind:<10} {c.qualified:<28} {origin:<22} {c.spec.summary}")
    for line in (*plugins.failures, *plugins.registry.clashes()):
        click.echo(str(line), err=True)


@command.command("info")
@click.argument("name")
@click.option("--kind", help="Kind, where two kinds share a name.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def info(name: str, kind: str | None, as_json: bool) -> None:
    """Show a component's card: what it is, takes and gives, its weights, options and citation."""
    import json

    from fmb.cli.component_card import card_lines, card_values
    from fmb.contract.errors import UnknownNameError, did_you_mean
    from fmb.contract.hooks import HOOKS
    from fmb.plugins.loading import load_plugins

    registry = load_plugins().registry
    kinds = [kind] if kind else list(HOOKS)
    found = [
        c
        for k in kinds
        for c in registry.all(k)
        if name in (c.spec.name, c.qualified, *c.spec.aliases)
    ]
    if not found:
        names = [c.spec.name for k in HOOKS for c in registry.all(k)]
        raise UnknownNameError(f"nothing is called {name!r}{did_you_mean(name, names)}")
    if as_json:
        click.echo(json.dumps([card_values(c) for c in found], indent=1, default=str))
        return
    for n, component in enumerate(found):
        click.echo("\n" * (n > 0) + "\n".join(card_lines(component)))
