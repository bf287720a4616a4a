"""`fmb config`: the configuration that options, files and defaults make."""

from typing import Any

import click

from fmb.cli.options import RUN_GROUPS, request_options

__all__ = ["command"]


@click.group()
def command() -> None:
    """Show the resolved configuration."""


@command.command("show")
@request_options(*RUN_GROUPS)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(as_json: bool, **options: Any) -> None:
    """Print the configuration of a run as TOML; takes the options of `fmb run`.

    A comment says where each value comes from: default, fmb.toml, --config, an option or --set.
    """
    # Imported here: the help text needs none of it.
    from fmb.plan.components import check_components
    from fmb.plugins.loading import load_plugins
    from fmb.plugins.settings import leaves, value_sources
    from fmb.request.options import option_layers
    from fmb.request.record import build_request, request_toml
    from fmb.terminal.printing import echo_json, say
    from fmb.terminal.toml_text import toml_text

    layers = option_layers(options)
    request = build_request(*(layer for _, layer in layers))
    notes = check_components(request, load_plugins().registry)
    tables, sources = request_toml(request), value_sources(layers)
    if as_json:
        echo_json(
            {
                ".".join(path): {"value": value, "source": sources.get(path, "default")}
                for path, value in leaves(tables)
            }
        )
    else:
        click.echo(toml_text(tables, lambda path: sources.get(path, "default")), nl=False)
    for note in notes:
        say(f"note: {note}")
