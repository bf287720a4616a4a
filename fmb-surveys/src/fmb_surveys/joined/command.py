"""`fmb data join`: a survey.toml that joins surveys."""

from pathlib import Path
from typing import Any

import click

from fmb.terminal import progress_line, say, stage

__all__ = ["command"]


@click.command(
    epilog="Example: fmb data join images=acs/ spectra=deimos/ --match 1 --out survey.toml",
)
@click.argument("surveys", nargs=-1, required=True, metavar="[NAME=]PATH...")
@click.option("--match", type=float, metavar="ARCSEC", help="Partners are within ARCSEC.")
@click.option("--on", metavar="COLUMN[=COLUMN]", help="Partners are equal in it; object_id = ids.")
@click.option("--matched", is_flag=True, help="Leave out objects without all partners.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME.KEY=VALUE",
    help="Of the reader of NAME: acs.inputs.image.unit=nJy.",
)
@click.option("--name", help="Of the survey [names of the surveys].")
@click.option("--out", required=True, metavar="FILE", help="The survey.toml to write.")
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
def command(surveys: tuple[str, ...], out: str, overwrite: bool, **options: Any) -> None:
    """Write a survey.toml that joins SURVEYS, by position or by a column.

    Objects are those of the first; each other survey adds its inputs and columns, NAME_column, to
    those that have a partner in it. What is written is opened once to see that it holds together.
    """
    # Imported here: the help text needs none of it.
    from fmb import ConfigError
    from fmb_surveys.joined.made import make_joined

    target = Path(out)
    if target.exists() and not overwrite:
        raise ConfigError(f"{target}: is there already; pass --overwrite to replace it")
    with stage(progress_line, "match objects"):
        dataset = make_joined(target, surveys, **options)
    for line in dataset.warnings:
        say(line)
    click.echo(f"wrote {target}: {len(dataset):,} objects with {', '.join(dataset.inputs)}")
