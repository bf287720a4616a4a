"""Vectors that no file can be mapped for: decoded once, and kept as float32 in the workspace."""

import hashlib
import math
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from fmb.contract.arrays import Array
from fmb.files.damage import DAMAGE
from fmb.messages.errors import FailedError, StoreError
from fmb.messages.progress import Progress
from fmb.store.atomic import ensure_folder, publish_json, read_record, staged_folder
from fmb.store.keys import file_sha256
from fmb.store.tables import read_table, write_table
from fmb.vectors.blocks import finite_rows
from fmb.vectors.parts import Gathered

__all__ = ["SMALL_BYTES", "damaged", "in_memory", "keep", "kept", "size_of"]

SMALL_BYTES = 64 * 2**20
"""Vectors up to this size are decoded anew each time, in memory."""

Blocks = Iterator[tuple[str, Array]]
Shapes = Mapping[str, tuple[int, int]]


def size_of(shapes: Shapes) -> int:
    """Bytes of matrices in float32."""
    return sum(4 * math.prod(shape) for shape in shapes.values())


def in_memory(blocks: Blocks, shapes: Shapes) -> tuple[dict[str, list[Array]], dict[str, Array]]:
    """View -> its one matrix, and view -> positions of its finite rows."""
    matrices: dict[str, Array] = {view: np.empty(s, np.float32) for view, s in shapes.items()}
    done = dict.fromkeys(shapes, 0)
    good: dict[str, list[Array]] = {view: [] for view in shapes}
    for view, block in blocks:
        matrices[view][done[view] : done[view] + len(block)] = block
        done[view] += len(block)
        good[view].append(finite_rows(block))
    return {view: [m] for view, m in matrices.items()}, _positions(good)


def _positions(good: Mapping[str, Sequence[Array]]) -> dict[str, Array]:
    return {view: np.flatnonzero(np.concatenate(parts)) for view, parts in good.items()}


def keep(folder: Path, content: Gathered, blocks: Blocks, shapes: Shapes, told: Progress) -> None:
    """Write vectors as npy files of float32, beside ids and catalogue: all of it or nothing.

    Args:
        folder: where to, below the workspace; what is damaged there is replaced.
        content: ids, catalogue and notes.
        blocks: (view, (k, d)) of all vectors.
        shapes: view -> (n, d).
        told: how many rows are done.

    Raises:
        FailedError: the disk has no space for them.
    """
    wanted, free = size_of(shapes), shutil.disk_usage(ensure_folder(folder.parent)).free
    if wanted > free:
        raise FailedError(
            f"decoded vectors fill {wanted / 1e9:,.1f} GB and {folder.parent} has"
            f" {free / 1e9:,.1f} GB left; choose another workspace with FMB_HOME"
        )
    good: dict[str, list[Array]] = {view: [] for view in shapes}
    total, done = sum(shape[0] for shape in shapes.values()), 0
    with staged_folder(folder) as staging:
        with ExitStack() as open_files:
            files = {v: open_files.enter_context(_begun(staging, v, shapes[v])) for v in shapes}
            for view, block in blocks:
                files[view].write(block.astype("<f4", copy=False).data)
                good[view].append(finite_rows(block))
                done += len(block)
                told("decode vectors", done, total)
        digests = {f"{view}.npy": file.sha256.hexdigest() for view, file in files.items()}
        for view, rows in _positions(good).items():
            if len(rows) < shapes[view][0]:
                np.save(staging / f"{view}.rows.npy", rows)
        np.save(staging / "ids.npy", content.ids)
        write_table(staging / "catalog.parquet", content.catalog, {})
        written = {
            path.name: [path.stat().st_size, digests.get(path.name) or file_sha256(path)]
            for path in sorted(staging.iterdir())
        }
        views = {v: list(s) for v, s in shapes.items()}
        record = {"views": views, "notes": list(content.notes), "files": written}
        publish_json(_key(staging), record)
        if folder.exists() and kept(folder) is None:
            shutil.rmtree(folder)


class _Digested:
    """A stream that keeps the digest of what is written to it: no second pass over gigabytes."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self.sha256 = stream, hashlib.sha256()

    def write(self, data: Any) -> int:
        self.sha256.update(data)
        return self._stream.write(data)


@contextmanager
def _begun(folder: Path, view: str, shape: tuple[int, int]) -> Iterator[_Digested]:
    """The npy file of a view, of which only the head is written."""
    with (folder / f"{view}.npy").open("wb") as stream:
        digested = _Digested(stream)
        head = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(digested, head)
        yield digested


def kept(folder: Path) -> Gathered | None:
    """What was decoded into a folder, mapped; None where nothing was, or is not as it was.

    Of large files only the size is looked at; `damaged` compares their bytes.
    """
    try:
        record = read_record(_key(folder))
        if any((folder / name).stat().st_size != size for name, (size, _) in _files(record)):
            return None
        views, rows = {}, {}
        for view, shape in record["views"].items():
            views[view] = [np.load(folder / f"{view}.npy", mmap_mode="r")]
            listed = folder / f"{view}.rows.npy"
            rows[view] = np.load(listed) if listed.name in record["files"] else np.arange(shape[0])
        ids = np.load(folder / "ids.npy")
        catalog = read_table(folder / "catalog.parquet")
        return Gathered(ids, catalog, views, rows, record["notes"])
    except (StoreError, *DAMAGE):
        return None


def damaged(folder: Path) -> list[Path]:
    """Files of a folder of decoded vectors whose bytes are not those that were written."""
    try:
        files = [(folder / name, digest) for name, (_, digest) in _files(read_record(_key(folder)))]
    except (StoreError, *DAMAGE):
        return [_key(folder)]
    return [path for path, digest in files if not path.is_file() or file_sha256(path) != digest]


def _key(folder: Path) -> Path:
    return folder / "key.json"


def _files(record: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Name of each file, and its size and digest."""
    return list(record["files"].items())
