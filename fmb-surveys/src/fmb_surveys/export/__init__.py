"""Lists of a run as a file for other programs, from Python; `fmb export` calls it."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fmb import ListName, Progress, Run
    from fmb_surveys.export.exported import Exported

__all__ = ["export_atlas", "export_lists"]


def export_lists(
    run: "Run",
    path: str | Path,
    *,
    lists: "str | ListName | Iterable[str | ListName]" = (),
    format: str | None = None,
    top: int | None = None,
    wide: bool = False,
    join: Iterable[str | Path] = (),
    join_on: str = "object_id",
    analyses: bool = False,
    links: bool = False,
    force: bool = False,
    tell: Callable[[str], None] = lambda line: None,
) -> Path:
    """Write lists of a run, with labels and catalogue, into one file.

    Args:
        run: as `fmb.open_run` gives it; of a part that `run.showing` gives, that part.
        path: the file; its ending is its format, .gz may follow.
        lists: one or several, as in `run.lists` or by words; () = all.
        format: "fits", "votable", "csv", "parquet" or "ecsv", where the ending does not say it.
        top: that many of the strangest of each list; None = all objects.
        wide: one row an object, with columns for each list, instead of one an object and list;
            in the order of a list made of others, else of the best rank in any list.
        join: tables of which each object gets the columns of the row with its id.
        join_on: their column of ids.
        analyses: with the tables of analyses that have a row an object.
        links: with the addresses of pages about the place of each object.
        force: replace a file that is there.
        tell: takes lines on how much is written, and on what was renamed, joined and left out.

    Returns:
        The file.

    Raises:
        ConfigError: there is no such format, or a file is there already.
        UnknownNameError: a list is not known, or words fit several.
        DataError: a text cannot be held by the format, a table cannot be joined, or there are no
            positions to link.
        FailedError: the file cannot be written.
    """
    # Imported here: the help text of `fmb export` needs none of it.
    from fmb.store import ensure_folder, publish
    from fmb_surveys.export.formats import file_parts, format_of
    from fmb_surveys.export.joined import analysis_columns, beside, joined_columns
    from fmb_surveys.export.links import link_columns
    from fmb_surveys.export.provenance import provenance
    from fmb_surveys.export.table import label_lines, long_table, wide_table

    path = Path(path)
    name = format_of(path, format)
    _refuse_present(path, force=force)
    names = _chosen(run, lists)
    exported = (wide_table if wide else long_table)(run, names, top)
    for line in (_size_line(exported), *label_lines(run)):
        tell(line)
    ids = run.objects["object_id"].to_numpy()
    for file in map(Path, join):
        exported = beside(exported, joined_columns(file, join_on, ids, tell), "_joined", tell)
    if analyses:
        exported = beside(exported, analysis_columns(run, tell), "_analysis", tell)
    if links:
        exported = beside(exported, link_columns(run.objects), "_page", tell)
    told = provenance(run, names)
    ensure_folder(path.absolute().parent)
    publish(path, file_parts(name, exported, told, zipped=path.suffix == ".gz"))
    return path


def export_atlas(
    run: "Run",
    path: str | Path,
    *,
    lists: "str | ListName | Iterable[str | ListName]" = (),
    neighbours: int = 10,
    force: bool = False,
    progress: "Progress | None" = None,
) -> str:
    """Write the objects of a list as a map, in Parquet as Embedding Atlas reads it.

    Args:
        run: with vectors.
        path: the file.
        lists: the list; () = the first.
        neighbours: nearest objects of each, by their vectors.
        force: replace a file that is there.
        progress: is told how far the search for neighbours is.

    Returns:
        What the axes are.

    Raises:
        ConfigError: a file is there already, several lists are named, or too few objects have a
            vector.
        UnknownNameError: there is no such list.
        StoreError: the vectors are gone.
        FailedError: the file cannot be written.
    """
    # Imported here: the help text of `fmb export` needs none of it.
    from fmb import ConfigError, quiet
    from fmb.store import ensure_folder, publish
    from fmb_surveys.export.atlas import atlas_of, atlas_parts

    path = Path(path)
    _refuse_present(path, force=force)
    names = _chosen(run, lists)
    if lists and len(names) > 1:
        raise ConfigError("--atlas shows one list; name one with --list")
    atlas = atlas_of(run, names[0], neighbours, progress or quiet)
    ensure_folder(path.absolute().parent)
    publish(path, atlas_parts(atlas, run, names[0]))
    return atlas.made


def _size_line(exported: "Exported") -> str:
    from fmb.terminal import counted

    objects = {row for part in exported.parts for row in part.rows.tolist()}
    return f"{counted(len(exported), 'row')} of {counted(len(objects))}"


def _refuse_present(path: Path, *, force: bool) -> None:
    from fmb import ConfigError

    if path.exists() and not force:
        raise ConfigError(f"{path}: is there already; pass --force to replace it")


def _chosen(run: "Run", lists: "str | ListName | Iterable[str | ListName]") -> "list[ListName]":
    """The lists that are asked for, or all that the run shows."""
    from fmb import ListName, UnknownNameError

    asked = [lists] if isinstance(lists, str | ListName) else lists
    names = list(dict.fromkeys(map(run.list_called, asked))) or run.listed
    if hidden := next((one for one in names if one not in run.listed), None):
        raise UnknownNameError(
            f"--only-mismatch: {hidden} does not tell what is strange in one view alone; leave its"
            " list out"
        )
    return names
