"""What else is in the folder of a tree: data that its reader does not read, said in one line."""

import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

__all__ = ["told_beside"]

_KINDS = {
    **dict.fromkeys((".jpg", ".jpeg"), "JPEG"),
    ".png": "PNG",
    **dict.fromkeys((".fits", ".fit", ".fz", ".fits.gz"), "FITS"),
    **dict.fromkeys((".h5", ".hdf5"), "HDF5"),
    ".parquet": "Parquet",
    ".csv": "CSV",
    ".ecsv": "ECSV",
}
"""Ending of a file that may hold data of the objects -> what it is called."""
_MOST = 5
"""Places that are named; of more their number is told."""


def told_beside(
    folder: Path, read: Collection[Path], catalog: Mapping[str, Any]
) -> tuple[str, ...]:
    """One line that names folders and files beside those that are read; none where all are.

    What lies in a folder that holds files that are read is taken for theirs.

    Args:
        folder: the tree; a single file has nothing beside it.
        read: files that are read, or looked at, absolute.
        catalog: keys of `[catalog]` that a user sets, whose files are read too.
    """
    if not folder.is_dir():
        return ()
    joins = catalog.get("join") or {}
    named = [one["file"] for one in (catalog, *joins.values()) if one.get("file")]
    read = [*read, *(folder / str(name) for name in named)]
    own = {path.relative_to(folder).parts[0] for path in read if path.is_relative_to(folder)}
    others = [entry for entry in sorted(folder.iterdir()) if entry.name not in own]
    found = [line for entry in others for line in _told(entry)]
    if not found:
        return ()
    more = f" and {len(found) - _MOST} more" if len(found) > _MOST else ""
    return (
        f"not read: {', '.join(found[:_MOST])}{more}; fmb data index --catalog or fmb data join"
        " joins them",
    )


def _told(entry: Path) -> Iterator[str]:
    """How an entry of the folder is named, where it holds data."""
    if entry.name.startswith("."):
        return
    if entry.is_file():
        if _kind(entry.name):
            yield entry.name
        return
    kinds = Counter(_kind(name) for _, _, names in os.walk(entry) for name in names)
    known = [f"{number:,} {kind}" for kind, number in sorted(kinds.items()) if kind]
    if known:
        yield f"{entry.name}/ ({', '.join(known)})"


def _kind(name: str) -> str:
    return next((kind for end, kind in _KINDS.items() if name.lower().endswith(end)), "")
