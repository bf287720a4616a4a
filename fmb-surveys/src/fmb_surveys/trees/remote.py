"""HATS catalogues and Parquet files behind URLs: their footers first, then row groups as needed."""

import csv
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fmb import DataError, Dataset
from fmb_surveys.files.described import Description, TreeConfig, open_tree
from fmb_surveys.files.stores.parquet_index import RowGroups, parquet_file, row_groups_of
from fmb_surveys.files.stores.places import file_system, reading
from fmb_surveys.trees.hats import COLLECTION, PROPERTIES, primary, read_properties, told_of
from fmb_surveys.trees.parquet import Told, describe_row_groups

__all__ = ["open_remote"]

_PIXELS_A_FOLDER = 10_000
"""Of a HATS catalogue: Dir=40000 has the pixels from 40000 to 49999."""
_STATES = ("size", "ETag", "etag", "LastModified", "mtime", "blob_id", "last_commit", "sha256")
"""What file systems tell of a file that changes with it."""


class _Place:
    """A folder behind a URL."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._system, self._path = file_system(self.url)

    def __truediv__(self, name: str) -> "_Place":
        return _Place(f"{self.url}/{name}")

    def text(self) -> str | None:
        """The file, or None where there is none."""
        try:
            with reading(self.url):
                return str(self._system.cat_file(self._path).decode(errors="replace"))
        except DataError:
            return None

    def parquet_files(self) -> list[tuple[str, str]]:
        """URL and state of each Parquet file that this is, or that is below it.

        Raises:
            DataError: there is none.
            FailedError: the network fails.
        """
        with reading(self.url):
            if self.url.lower().endswith(".parquet"):
                return [(self.url, _state(self._system.info(self._path)))]
            found = self._system.find(self._path, detail=True)
        # Of some file systems names are paths, of the web they are URLs.
        beginning, _, _ = self.url.partition(self._path)
        files = [
            (name if name.startswith(beginning) else beginning + name, _state(told))
            for name, told in sorted(found.items())
            if name.lower().endswith(".parquet") and not _describes(name[len(self._path) :])
        ]
        if not files:
            raise DataError(f"{self.url}: neither a HATS catalogue nor Parquet files are there")
        return files


def _describes(name: str) -> bool:
    return any(part.startswith(("_", ".")) for part in name.split("/"))


def _state(told: dict[str, Any]) -> str:
    return " ".join(f"{key}={told[key]}" for key in _STATES if told.get(key) is not None)


def open_remote(
    source: str,
    config: TreeConfig,
    *,
    cache: Path,
    progress: Callable[[int, int], None] | None = None,
) -> Dataset:
    """The survey behind a URL; arguments as for `open_tree`. No file is copied.

    Raises:
        FailedError: the network fails.
        ConfigError: what reads such URLs is not installed.
        FmbError: as `open_tree`.
    """
    place = _Place(source)
    root, lines = place, []
    if (text := (place / COLLECTION).text()) is not None:
        root = place / primary(text, f"{place.url}/{COLLECTION}")
        lines = [f"catalogue: {root.url}, by {COLLECTION}; margins are not read"]
    known = ((name, (root / name).text()) for name in PROPERTIES)
    file, properties = next(((n, text) for n, text in known if text is not None), ("", ""))
    files = _partitions(root, properties or "") if file else place.parquet_files()
    state = hashlib.blake2b(repr([properties, files]).encode(), digest_size=16).hexdigest()

    def describe(_path: Path, config: TreeConfig) -> Description:
        groups = _row_groups(root, files, bool(file))
        told = Told()
        if file:
            where = f"{root.url}/{file}"
            told = told_of(properties or "", where, int(groups.starts[-1]), lines)
        return describe_row_groups(groups, config, told)

    return open_tree(source, config, describe, "remote", cache=cache, state=state)


def _partitions(root: _Place, properties: str) -> list[tuple[str, str]]:
    """URL and state of each partition of a HATS catalogue, by its list of them.

    Raises:
        DataError: the list is missing or damaged, or partitions are folders.
    """
    where = f"{root.url}/partition_info.csv"
    suffix = read_properties(properties).get("hats_npix_suffix", ".parquet")
    if suffix == "/":
        raise DataError(f"{root.url}: its partitions are folders; copy the catalogue to read it")
    text = (root / "partition_info.csv").text()
    if text is None:
        raise DataError(f"{where}: no such file; it names the partitions of a HATS catalogue")
    state = hashlib.blake2b((properties + text).encode(), digest_size=8).hexdigest()
    files = []
    for row in csv.DictReader(text.splitlines()):
        try:
            order, pixel = int(row["Norder"]), int(row["Npix"])
        except (KeyError, TypeError, ValueError):
            raise DataError(f"{where}: has no columns Norder and Npix of whole numbers") from None
        folder = pixel // _PIXELS_A_FOLDER * _PIXELS_A_FOLDER
        name = f"dataset/Norder={order}/Dir={folder}/Npix={pixel}{suffix}"
        files.append((f"{root.url}/{name}", f"{state} {name}"))
    if not files:
        raise DataError(f"{where}: names no partition")
    return files


def _row_groups(root: _Place, files: Sequence[tuple[str, str]], hats: bool) -> RowGroups:
    """Of all files by one footer that has them all, where the catalogue has it, else by each."""
    if hats:
        try:
            with parquet_file(f"{root.url}/dataset/_metadata") as one:
                return row_groups_of(files, root.url, one.metadata)
        except DataError:  # not every catalogue has one
            pass
    return row_groups_of(files, root.url)
