"""`fmb data pack`: millions of small files as a few large ones."""

from pathlib import Path

import click

from fmb.cli import open_source, reader_option, set_option
from fmb.terminal import echo_folded, echo_json, progress_line, say

__all__ = ["command"]


@click.command(epilog="Example: fmb data pack cutouts --out packed")
@click.argument("source")
@click.option(
    "--rows",
    type=click.IntRange(min=1),
    metavar="N",
    help="Objects of each file [10,000, or what 512 MB hold].",
)
@click.option("--skip-bad", is_flag=True, help="List objects of broken files, use the rest.")
@reader_option
@set_option
@click.option("-o", "--out", metavar="FOLDER", required=True, help="The folder to make.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    source: str,
    rows: int | None,
    skip_bad: bool,
    reader: str | None,
    settings: tuple[str, ...],
    out: str,
    as_json: bool,
) -> None:
    """Write the inputs of SOURCE into a few large HDF5 files in FOLDER, a survey of its own.

    Stopped and repeated, it goes on where it was. At the end every object is read back and compared
    with what was read of SOURCE; only then FOLDER can be opened.
    """
    # Imported here: the help text needs none of it.
    from fmb_surveys.pack.packing import pack

    folder = Path(out).expanduser()
    dataset = open_source(source, reader, settings, skip_bad=skip_bad)
    told = pack(
        folder,
        dataset,
        rows,
        lambda what, done, n: progress_line(f"{what} {folder.name}", done, n),
    )
    if as_json:
        echo_json({"folder": str(folder), **vars(told)})
        return
    echo_folded(
        f"wrote {folder}: {told.objects:,} objects in {told.shards:,} files, {told.written:,} of"
        f" them now; {told.compared:,} observations read back, all as in {source}"
    )
    say(f"next: fmb run --data {folder} --model MODEL --detector DETECTOR")
