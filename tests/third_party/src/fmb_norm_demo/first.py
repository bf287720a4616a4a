"""`fmb first`: the strangest object of a run."""

import click

__all__ = ["command"]


@click.command()
@click.argument("run", required=False)
def command(run):
    """Name the strangest object of each list of RUN, by default the latest."""
    from fmb import open_run

    opened = open_run(run)
    for name in opened.lists:
        click.echo(f"{name.stem} {opened.ranked(name)['object_id'].iloc[0]}")
