"""`fmb runs`: what was run, and removing it."""

from typing import TYPE_CHECKING

import click

from fmb.terminal.question import confirmed, yes_option

if TYPE_CHECKING:
    from fmb.runs.folder import RunFolder

__all__ = ["command"]


@click.group(invoke_without_command=True)
@click.option("--sizes", is_flag=True, help="What each fills of the disk, and would free.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(ctx: click.Context, sizes: bool, as_json: bool) -> None:
    """List runs, oldest first, finished or not; or remove some."""
    if ctx.invoked_subcommand is not None:
        return
    # Imported here: the help text needs none of it.
    from fmb.listing.data_titles import told_apart
    from fmb.runs.folder import list_runs
    from fmb.runs.run_table import run_row
    from fmb.terminal.printing import echo_json, print_table
    from fmb.terminal.tables import size_text

    rows = told_apart(run_row(one) | (_sizes(one) if sizes else {}) for one in list_runs())
    if as_json:
        echo_json(rows)
        return
    for row in rows:
        del row["source"]  # as long as a path is; the JSON has it
        row["seconds"] = "" if row["seconds"] is None else f"{row['seconds']:.0f}"
        for name in ("bytes", "frees") if sizes else ():
            row[name] = size_text(row[name])
    if sizes:  # asked for, so beside the name
        rows = [{name: row[name] for name in ("run", "bytes", "frees", *row)} for row in rows]
    empty = "no runs yet; make one with `fmb run`"
    print_table(rows, empty, more="fmb runs --json", keep=3 if sizes else 2)


def _sizes(folder: "RunFolder") -> dict[str, int]:
    """What it fills of the disk, and would free."""
    from fmb.cache.holdings import bytes_of, freed_by

    return {"bytes": bytes_of([folder.path]), "frees": freed_by(folder.path)}


@command.command("remove")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@yes_option
def remove(names: tuple[str, ...], yes: bool) -> None:
    """Remove runs; vectors, lists and figures that are kept for others stay in the cache."""
    from fmb.cache.holdings import freed_by
    from fmb.runs.folder import named_runs, remove_run
    from fmb.terminal.tables import size_text

    folders = named_runs(names)
    size = size_text(sum(freed_by(folder.path) for folder in folders))
    listed = ", ".join(folder.name for folder in folders)
    if confirmed(f"remove {listed} (frees {size})?", yes=yes):
        for folder in folders:
            remove_run(folder)
            click.echo(f"removed {folder.name}")
