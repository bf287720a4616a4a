"""A user's own vectors: a dataset without inputs, whose matrices stay on disk."""

import logging
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from fmb.contract.arrays import Array
from fmb.contract.inputs import Batch, InputInfo
from fmb.contract.names import VectorName
from fmb.contract.vector_view import VectorView
from fmb.files.ids import locate, refuse_duplicates
from fmb.files.tables import read_table
from fmb.messages.errors import DataError, FailedError, StoreError
from fmb.messages.progress import Progress, quiet
from fmb.own.decoding import SMALL_BYTES, in_memory, keep, kept, size_of
from fmb.own.given_ids import ids_of, refuse_heading
from fmb.own.notes import of_reading, without_vector
from fmb.own.precision import refuse_lost
from fmb.own.remote import local_files
from fmb.store.digests import Digests
from fmb.store.keys import content_key
from fmb.vectors.asked import OwnVectors
from fmb.vectors.blocks import converted, matrix_rows
from fmb.vectors.columns import Asked
from fmb.vectors.formats import VECTOR_SUFFIXES, Reader, read_vectors
from fmb.vectors.parts import Gathered, gather
from fmb.vectors.table import VectorTable

__all__ = ["VectorFile", "open_vector_file", "own_identity", "reopen", "still_there"]

note = logging.getLogger("fmb.note")

_VIEW = r"\w[\w.-]*"
"""Names of views are parts of file names."""
_FORMAT = "fmb-vectors/1"
"""Of decoded vectors; part of their key."""


class VectorFile:
    """Objects with vectors, and nothing else that was observed of them."""

    def __init__(
        self,
        ids: Array,
        catalog: pd.DataFrame,
        identity: Mapping[str, Any],
        views: Mapping[str, Sequence[Array]],
        rows: Mapping[str, Array],
        catalog_identity: Mapping[str, Any] = MappingProxyType({}),
        warnings: Sequence[str] = (),
    ) -> None:
        """A table of vectors.

        Args:
            ids: (n,), in the order of the file.
            catalog: one row an object, in that order.
            identity: plain values that tell the file from every other.
            views: view -> matrices that make (n, d) end to end, as they lie in the files.
            rows: view -> (m,), int64: positions of the objects that have a vector.
            catalog_identity: as `identity`, of the catalogue, which changes no vector.
            warnings: what a user must know of them.
        """
        self.ids, self.catalog = ids, catalog
        self.identity = {**identity, **catalog_identity}
        self.inputs: Mapping[str, InputInfo] = {}
        self.warnings = list(warnings)
        names = {view: VectorName("own", "as-is", view) for view in views}
        self.vectors: Mapping[VectorName, VectorView] = {
            names[view]: VectorView(
                names[view], {**identity, "view": view}, len(ids), rows[view], parts, rows[view]
            )
            for view, parts in views.items()
        }

    def __len__(self) -> int:
        return len(self.ids)

    def read(self, rows: Array, inputs: Collection[str] | None = None) -> Batch:
        """The ids at `rows`: nothing else was observed.

        Raises:
            DataError: an input is asked for by name.
        """
        for name in inputs or ():
            raise DataError(f"no input is called {name!r}: these are vectors only")
        return Batch(ids=self.ids[np.asarray(rows)], inputs={}, rows={})


def open_vector_file(
    asked: OwnVectors,
    digests: Digests,
    *,
    progress: Progress = quiet,
    more: Mapping[str, Reader] = MappingProxyType({}),
) -> VectorFile:
    """The files named by `--embeddings`.

    Views are two-dimensional arrays, columns of lists, and numbered columns; what else the files
    say of their objects is the catalogue. What cannot be mapped is decoded: each time where it is
    small, else once, into the workspace.

    Args:
        asked: the files, their ids and their catalogue.
        digests: of files, remembered in the workspace.
        progress: told how far decoding is.
        more: ending -> reader, of formats that not everybody can read.

    Raises:
        DataError: a file, its ids or its vectors cannot be used.
        FailedError: there is no space for what has to be decoded.
    """
    paths, identity = own_identity(asked, digests, more, progress)
    title, own = identity["file"], Path(asked.ids or "") if "ids_sha256" in identity else None
    key = content_key({**identity, "ids": asked.ids, "format": _FORMAT})[:12]
    named = re.sub(r"[^\w.-]", "-", title)[:80]
    folder = digests.workspace / "own" / f"{named}-{key}"
    found = kept(folder)
    if found is None:
        if folder.exists():
            note.info("%s is not as it was written; its vectors are decoded anew", folder)
        wanted = Asked(asked.ids, own is not None, asked.vector_columns)
        tables = [read_vectors(path, wanted, more) for path in paths]
        found = _found(paths, tables, own, folder, progress)
    catalog, joined = found.catalog, {}
    if asked.catalog:
        catalog = _join(catalog, Path(asked.catalog), asked.catalog_id or "object_id")
        joined = {"catalog_sha256": digests.of(Path(asked.catalog))}
    notes = [*found.notes, *without_vector(found)]
    return VectorFile(found.ids, catalog, identity, found.views, found.rows, joined, notes)


def own_identity(
    asked: OwnVectors,
    digests: Digests,
    more: Collection[str] = (),
    progress: Progress = quiet,
) -> tuple[list[Path], dict[str, Any]]:
    """The files that are meant, and plain values that tell their content from any other.

    Args:
        asked: the files.
        digests: of files.
        more: endings of formats that not everybody can read.
        progress: told how far a copy from elsewhere is.

    Raises:
        DataError: there are none.
    """
    suffixes, copies = (*VECTOR_SUFFIXES, *more), digests.workspace / "copies"
    paths = [p for text in asked.file for p in local_files(text, suffixes, copies, progress)]
    digest = [digests.of(path) for path in paths]
    title = Path(asked.file[0]).expanduser().name or paths[0].name
    whole = digest[0] if len(digest) == 1 else content_key(digest)
    identity: dict[str, Any] = {"file": title, "sha256": whole}
    if asked.ids and Path(asked.ids).is_file():
        identity["ids_sha256"] = digests.of(Path(asked.ids))
    if asked.vector_columns:
        identity["columns"] = list(asked.vector_columns)
    return paths, identity


def reopen(
    asked: OwnVectors, known: Mapping[str, Any], digests: Digests, more: Mapping[str, Reader]
) -> VectorFile:
    """The same vectors again.

    Args:
        asked: the files.
        known: what `identity` said of them, as far as it tells their content.
        digests: of files.
        more: as for `open_vector_file`.

    Raises:
        StoreError: a file is gone, or is not what it was.
    """
    try:
        _, now = own_identity(asked, digests, more)
    except (DataError, FailedError):
        now = {}
    for part, file in (("sha256", asked.file[0]), ("ids_sha256", asked.ids)):
        if now.get(part) != known.get(part):
            raise StoreError(f"{file}, from which this run was made, is gone or has changed since")
    return open_vector_file(asked, digests, more=more)


def still_there(asked: OwnVectors) -> bool:
    """True when all files are, changed or not."""
    return all("://" not in file and Path(file).exists() for file in asked.file)


def _found(
    paths: Sequence[Path],
    tables: Sequence[VectorTable],
    own: Path | None,
    folder: Path,
    progress: Progress,
) -> Gathered:
    """The vectors of files: where they lie, in memory, or decoded into `folder`."""
    where = _title(paths)
    for view in tables[0].shapes:
        if not re.fullmatch(_VIEW, view):
            raise DataError(
                f"{where}: {view!r} cannot be the name of a view: rename the array to letters,"
                " digits, dots, hyphens and underscores"
            )
    elsewhere = None if own is None else ids_of(own)
    ids, catalog, shapes = gather(paths, tables, elsewhere)
    if own is not None:
        refuse_heading(ids, own)
    notes = of_reading(where, tables, len(ids), counted=own is None and tables[0].ids is None)
    if any(table.packed for table in tables):
        bare = Gathered(ids, catalog, {}, {}, notes)
        found = _decoded(paths, tables, bare, shapes, folder, progress)
    else:
        views = {view: [table.stored[view] for table in tables] for view in shapes}
        rows = {v: matrix_rows(parts, ids, f"{where}: {v!r}") for v, parts in views.items()}
        found = Gathered(ids, catalog, views, rows, notes)
    for view, usable in found.rows.items():
        if not len(usable):
            raise DataError(
                f"{where}: {view!r} has {len(ids)} rows that are not finite, and no other"
            )
    refuse_lost(found, tables, where)
    return found


def _decoded(
    paths: Sequence[Path],
    tables: Sequence[VectorTable],
    bare: Gathered,
    shapes: Mapping[str, tuple[int, int]],
    folder: Path,
    progress: Progress,
) -> Gathered:
    """`bare` with its vectors, in memory where they are small, else kept in `folder`."""
    blocks, size = converted(tables, bare.ids, _title(paths)), size_of(shapes)
    if size <= SMALL_BYTES:
        views, rows = in_memory(blocks, shapes)
        return replace(bare, views=views, rows=rows)
    note.info("decoding %s into %s", _bill(paths, shapes, size), folder)
    keep(folder, bare, blocks, shapes, progress)
    return kept(folder) or bare


def _title(paths: Sequence[Path]) -> str:
    return str(paths[0] if len(paths) == 1 else paths[0].parent)


def _bill(paths: Sequence[Path], shapes: Mapping[str, tuple[int, int]], size: int) -> str:
    """20 files, 1,000,000 x 256, 1.0 GB."""
    files = f"{len(paths)} files" if len(paths) > 1 else paths[0].name
    views = " and ".join(f"{n:,} x {d}" for n, d in shapes.values())
    return f"{files}, {views}, {size / 1e9:.1f} GB"


def _join(objects: pd.DataFrame, path: Path, key: str) -> pd.DataFrame:
    """The objects with the catalogue's columns, joined by id; they replace those of that name."""
    if not path.is_file():
        raise DataError(f"{path}: no such catalogue")
    table = read_table(path, text=(key,))
    ids, catalog = table.ids(key), table.frame()
    refuse_duplicates(ids, str(path))
    at = locate(objects["object_id"].to_numpy(), ids)
    if (at < 0).any():
        # As Python writes it: blanks at its ends are part of an id.
        lost = repr(objects["object_id"].to_numpy()[at < 0][:1].tolist()[0])
        raise DataError(
            f"{path}: {int((at < 0).sum())} of {len(objects)} objects are not in the catalogue,"
            f" for instance {lost}"
        )
    columns = catalog.drop(columns=[key, "object_id"], errors="ignore").iloc[at]
    kept_columns = objects.drop(columns=list(columns.columns), errors="ignore")
    joined = pd.concat([kept_columns, columns.reset_index(drop=True)], axis=1)
    joined.attrs["units"] = {**objects.attrs.get("units", {}), **table.units}
    return joined
