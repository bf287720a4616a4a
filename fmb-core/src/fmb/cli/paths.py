"""`fmb paths`: where things are kept."""

import click

__all__ = ["command"]


@click.command()
def command() -> None:
    """Show the workspace and its folders."""
    from fmb.store.workspace import FOLDERS, workspace

    home = workspace()
    click.echo(f"workspace  {home.resolve()}  (FMB_HOME, else fmb-runs in the current folder)")
    for name in FOLDERS:
        state = "" if (home / name).is_dir() else "  (not there yet)"
        click.echo(f"{name:<10} {(home / name).resolve()}{state}")
