"""`fmb paths`: where things are kept."""

import click

from fmb.terminal.printing import echo_json
from fmb.terminal.tables import facts_text

__all__ = ["command"]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:
    """Show the workspace and its folders."""
    from fmb.store.workspace import FOLDERS, workspace

    home = workspace()
    places = {"workspace": home, **{name: home / name for name in FOLDERS}}
    if as_json:
        echo_json({name: str(place.resolve()) for name, place in places.items()})
        return
    told = {
        name: f"{place.resolve()}{'' if place.is_dir() else '  (not there yet)'}"
        for name, place in places.items()
    }
    told["workspace"] = f"{home.resolve()}  (FMB_HOME, else fmb-runs in the current folder)"
    click.echo(facts_text(told))
