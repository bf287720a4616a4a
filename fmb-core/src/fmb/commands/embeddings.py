"""`fmb embeddings`: stored vectors given to others and taken from them."""

import click

__all__ = ["command"]


@click.group()
def command() -> None:
    """Export, check and merge stored vectors."""


@command.command("export", epilog="Example: fmb embeddings export RUN --view image -o v.parquet")
@click.argument("run", required=False)
@click.option("--view", metavar="VIEW", help="Or model.embedder.view [the only one].")
@click.option("--ids", "file", metavar="FILE", help="Only these objects, ids one a line.")
@click.option("-o", "--out", required=True, metavar="FILE", help=".safetensors, .npz or .parquet.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def export(run: str | None, view: str | None, file: str | None, out: str, force: bool) -> None:
    """Write vectors of RUN, by default the latest, with ids and a card of what made them."""
    # Imported here: the help text needs none of it.
    from pathlib import Path

    import numpy as np

    from fmb.cache.copied_out import copy_out
    from fmb.files.ids import find_ids, read_id_file
    from fmb.messages.errors import ConfigError
    from fmb.runs.run import open_run

    opened, path = open_run(run), Path(out)
    if path.exists() and not force:
        raise ConfigError(f"{path}: is there already; pass --force to replace it")
    if view is None and len(opened.vector_names) != 1:
        known = ", ".join(one.stem for one in opened.vector_names)
        raise ConfigError(f"name the vectors with --view: {known}")
    name = opened.vector_names[0] if view is None else opened.vectors_called(view)
    rows = None
    if file is not None:
        ids = opened.objects["object_id"].to_numpy()
        rows = np.sort(find_ids(read_id_file(Path(file)), ids, f"run {opened.name!r}"))
    n = copy_out(opened, path, name, rows)
    click.echo(f"{n:,} vectors of {name.stem} in {path}")


@command.command("verify")
@click.argument("names", nargs=-1, metavar="[SURVEY/NAME]...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(names: tuple[str, ...], as_json: bool) -> None:
    """Check every byte and every count of stored vectors, by default of all.

    `fmb embed --verify` with the options of a run encodes some objects again, too.
    """
    from fmb.cache.sharing import check, store_folders
    from fmb.messages.errors import FailedError, UnknownNameError, did_you_mean
    from fmb.store.workspace import workspace
    from fmb.terminal.printing import echo_json, print_table, say

    folders = {f"{one.parent.name}/{one.name}": one for one in store_folders(workspace())}
    for name in names:
        if name not in folders:
            hint = did_you_mean(name, folders)
            raise UnknownNameError(f"no vectors are called {name!r}{hint}; see `fmb cache list`")
    found = [check(folders[name]) for name in dict.fromkeys(names or folders)]
    if as_json:
        echo_json([vars(one) for one in found])
    else:
        rows = [
            {
                "name": one.name,
                "parts": one.parts,
                "vectors": f"{one.vectors:,}",
                "without": f"{one.without:,}",
                "state": f"{len(one.problems)} damaged" if one.problems else "whole",
            }
            for one in found
        ]
        print_table(rows, "no vectors are stored yet", more="fmb embeddings verify --json", keep=5)
    bad = [f"{one.name}: {text}" for one in found for text in one.problems]
    for line in bad:
        say(line)
    if bad:
        raise FailedError(f"{len(bad)} parts are damaged; `fmb cache remove` removes their folders")


@command.command("merge")
@click.argument("other", metavar="WORKSPACE")
def merge(other: str) -> None:
    """Take over the vectors that another WORKSPACE has; what is here stays as it is."""
    from pathlib import Path

    from fmb.cache import sharing
    from fmb.store.workspace import workspace
    from fmb.terminal.printing import print_table, progress_line, say

    merged = sharing.merge(workspace(), Path(other), progress_line)
    rows = [
        {"name": one.name, "new": f"{one.new:,}", "there": f"{one.there:,}",
         "other": f"{len(one.differ):,}"}
        for one in merged
    ]  # fmt: skip
    print_table(rows, "nothing to take", more="fmb cache list", keep=4)
    for one in merged:
        if one.differ:
            first = ", ".join(one.differ[: sharing.NAMED])
            kept = f"{len(one.differ):,} objects keep the vector they have here: {first}"
            say(f"note: {one.name}: {kept}")
