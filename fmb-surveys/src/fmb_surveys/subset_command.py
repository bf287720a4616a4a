"""`fmb data subset`: some objects of a survey, as a survey of its own."""

from pathlib import Path
from typing import Any

import click

from fmb.cli import open_source, reader_option, set_option
from fmb.terminal import counted, echo_json, progress_line, say

__all__ = ["command"]


@click.command(
    epilog="Example: fmb data subset survey.toml --ids strange.txt --out strange; such a list of"
    " ids is what `fmb export` and `fmb top` give."
)
@click.argument("source")
@click.option("--ids", "include", metavar="FILE", help="The ids in FILE, one a line.")
@click.option("--exclude", metavar="FILE", help="Leave out the ids in FILE, one a line.")
@click.option("--where", metavar="EXPR", help='As "mag_r < 22 and zwarn == 0".')
@click.option("--split", metavar="NAME", help="Only objects of this split.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="N objects, drawn by id.")
@click.option("--skip-bad", is_flag=True, help="List objects of broken files, use the rest.")
@reader_option
@set_option
@click.option("-o", "--out", metavar="FOLDER", required=True, help="The folder to make.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    source: str,
    reader: str | None,
    settings: tuple[str, ...],
    skip_bad: bool,
    out: str,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Copy the chosen objects of SOURCE into FOLDER, which needs nothing else to be opened.

    It has their catalogue with units and roles, and of every input each number as it is read of
    SOURCE. Vectors of objects that were embedded before are found for the copy.
    """
    # Imported here: the help text needs none of it.
    from fmb import ConfigError
    from fmb.datasets import select
    from fmb_surveys.files.writer import write_survey

    if all(value is None for value in chosen.values()):
        raise ConfigError("say which objects: --ids FILE, --where EXPR, --limit N ...")
    folder = Path(out).expanduser()
    dataset = open_source(source, reader, settings, skip_bad=skip_bad)
    some = select(dataset, **chosen)
    write_survey(
        folder, some, progress=lambda done, n: progress_line(f"write {folder.name}", done, n)
    )
    if as_json:
        ids = [str(one) for one in some.ids.tolist()]
        echo_json({"folder": str(folder), "objects": len(some), "of": len(dataset), "ids": ids})
        return
    click.echo(f"wrote {folder}: {counted(len(some))} of {len(dataset):,}")
    say(f"next: fmb data show {folder}")
