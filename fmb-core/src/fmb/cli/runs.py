"""`fmb runs`: what was run, and removing it."""

from typing import TYPE_CHECKING, Any

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
    from fmb.runs.folder import list_runs
    from fmb.terminal.printing import echo_json
    from fmb.terminal.tables import size_text, table_text

    rows = [_row(folder, sizes=sizes) for folder in list_runs()]
    if as_json:
        echo_json(rows)
        return
    for row in rows:
        row["seconds"] = "" if row["seconds"] is None else f"{row['seconds']:.0f}"
        for name in ("bytes", "frees") if sizes else ():
            row[name] = size_text(row[name])
    click.echo(table_text(rows) or "no runs yet; make one with `fmb run`")


def _row(folder: "RunFolder", *, sizes: bool) -> dict[str, Any]:
    """What is told of a run, whatever state it is in."""
    from fmb.contract.errors import FmbError
    from fmb.plugins.settings import read_toml
    from fmb.cache.holdings import bytes_of, freed_by
    from fmb.request.record import FORMAT
    from fmb.store.atomic import read_json

    request: dict[str, Any] = {}
    manifest: dict[str, Any] = {}
    state = "finished" if folder.finished else "unfinished"
    try:
        request = read_toml(folder.request)
        manifest = read_json(folder.manifest) if folder.finished else {}
    except FmbError:
        state = "damaged"
    if request and request.get("format") != FORMAT:
        state = f"{state}, by another version"
    own = "embeddings" in request
    row = {
        "run": folder.name,
        "made": folder.made.strftime("%Y-%m-%d %H:%M"),
        "state": state,
        "data": "own vectors" if own else request.get("data", {}).get("source", ""),
        "models": " ".join(request.get("model", {})),
        "detectors": " ".join(request.get("detector", {})),
        "seconds": sum(manifest["seconds"].values()) if manifest.get("seconds") else None,
    }
    if sizes:
        row |= {"bytes": bytes_of([folder.path]), "frees": freed_by(folder.path)}
    return row


@command.command("remove")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@yes_option
def remove(names: tuple[str, ...], yes: bool) -> None:
    """Remove runs; vectors, lists and figures that are kept for others stay in the cache."""
    from fmb.runs.folder import named_runs, remove_run
    from fmb.cache.holdings import freed_by
    from fmb.terminal.tables import size_text

    folders = named_runs(names)
    size = size_text(sum(freed_by(folder.path) for folder in folders))
    listed = ", ".join(folder.name for folder in folders)
    if confirmed(f"remove {listed} (frees {size})?", yes=yes):
        for folder in folders:
            remove_run(folder)
            click.echo(f"removed {folder.name}")
