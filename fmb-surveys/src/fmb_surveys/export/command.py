"""`fmb export`: lists of a run as a file for other programs."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fmb.cli import shown_options
from fmb.terminal import echo_json, progress_line, say, stage

if TYPE_CHECKING:
    from fmb import Run

__all__ = ["command"]


@click.command(epilog="Example: fmb export RUN --top 100 --without artefact -o strange.fits")
@click.argument("run", required=False)
@click.option("--list", "lists", multiple=True, metavar="WORDS", help="Only this list; repeatable.")
@click.option("--format", "wanted", metavar="NAME", help="Of fits, votable, csv, parquet, ecsv.")
@click.option("--top", type=click.IntRange(min=1), metavar="N", help="The N strangest of a list.")
@click.option("--wide", is_flag=True, help="One row an object, with columns for each list.")
@click.option("--join", multiple=True, metavar="FILE", help="Columns of a table; repeatable.")
@click.option("--join-on", default="object_id", metavar="COLUMN", help="Its ids [object_id].")
@click.option("--analyses", is_flag=True, help="Results of `fmb analyze` that objects have.")
@click.option("--links", is_flag=True, help="Addresses: SIMBAD, NED, Legacy viewer, ESASky.")
@click.option("--atlas", metavar="FILE", help="Instead: a map for Embedding Atlas, Parquet.")
@click.option(
    "--neighbours", type=click.IntRange(min=1), default=10, metavar="K", help="In a map [10]."
)
@shown_options
@click.option("-o", "--out", metavar="FILE", help="As its ending says, .gz too [RUN.fits].")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    run: str | None,
    lists: tuple[str, ...],
    wanted: str | None,
    top: int | None,
    wide: bool,
    join: tuple[str, ...],
    join_on: str,
    analyses: bool,
    links: bool,
    atlas: str | None,
    neighbours: int,
    without: tuple[str, ...],
    only: tuple[str, ...],
    only_mismatch: bool,
    out: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Write lists of RUN, by default the latest, with labels and catalogue into one file.

    One row an object and list, strangest first; repeats of a source are marked, and with --top left
    out. With --wide the order is that of a list made of others, as any-view is, else of the best
    rank in any list. Ids are exact in every format. The header says where the numbers come from.
    """
    # Imported here: the help text needs none of it.
    from fmb import open_run
    from fmb_surveys.export import export_lists
    from fmb_surveys.export.formats import format_of

    opened = open_run(run).showing(without=without, only=only, only_mismatch=only_mismatch)
    ending = {"votable": "vot"}.get(wanted or "", wanted or "fits")
    if atlas is not None:
        _write_atlas(opened, Path(atlas), lists, neighbours, force=force, as_json=as_json)
        return
    path = Path(out or f"{opened.name}.{ending}")
    name = format_of(path, wanted)
    told: list[str] = []
    with stage(progress_line, f"write {path.name}"):
        export_lists(
            opened,
            path,
            lists=lists,
            format=name,
            top=top,
            wide=wide,
            join=join,
            join_on=join_on,
            analyses=analyses,
            links=links,
            force=force,
            tell=told.append,
        )
    echo_json({"file": str(path), "format": name}) if as_json else click.echo(path)
    for line in (*told, *_remarks(opened, name), *opened.labelled().remarks()):
        say(f"note: {line}")


def _write_atlas(
    run: "Run", path: Path, lists: tuple[str, ...], k: int, *, force: bool, as_json: bool
) -> None:
    from fmb_surveys.export import export_atlas

    made = export_atlas(run, path, lists=lists, neighbours=k, force=force, progress=progress_line)
    echo_json({"file": str(path), "axes": made}) if as_json else click.echo(path)
    say(f"note: x and y are {made}")


def _remarks(run: "Run", name: str) -> Iterator[str]:
    yield from (note.text for note in run.notes if note.code in ("labels", "aside"))
    if name == "csv":
        yield "a CSV keeps no units and no provenance, as all other formats do"
