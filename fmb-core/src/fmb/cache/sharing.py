"""Stored vectors between workspaces: checked, and taken over from another one."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fmb.contract.arrays import Array
from fmb.messages.errors import DataError, StoreError
from fmb.store.atomic import read_record
from fmb.store.keys import content_key, file_sha256
from fmb.store.parts import Part
from fmb.store.row_index import RowIndex, as_words
from fmb.store.tensors import pack_ids, unpack_ids
from fmb.store.vector_store import VectorStore

__all__ = ["Checked", "Merged", "check", "merge", "store_folders"]

SAME = 1e-5
"""Largest difference of equal vectors, in units of the largest component: float32 elsewhere."""
NAMED = 3
"""Objects that a message names."""


@dataclass(frozen=True)
class Checked:
    """What is in a folder of vectors."""

    name: str
    parts: int
    vectors: int
    without: int
    """Objects of which is kept why they have none."""
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Merged:
    """What came from a folder of another workspace."""

    name: str
    new: int
    """Vectors that were not here."""
    there: int
    """Objects that were here, with the same vector."""
    differ: tuple[str, ...]
    """Ids of objects that have another vector here, which stays."""


def store_folders(home: Path) -> list[Path]:
    """Folders of vectors of a workspace, by survey and name."""
    return sorted(path.parent for path in (home / "embeddings").glob("*/*/key.json"))


def check(folder: Path) -> Checked:
    """Read all of a folder: every byte against its digest, every count against its record."""
    problems: list[str] = []
    vectors = without = 0
    key = content_key(read_record(folder / "key.json"))
    sidecars = sorted(folder.glob("part-*.json"))
    for sidecar in sidecars:
        try:
            problems += [f"{sidecar.stem}: {text}" for text in _wrong(sidecar, key)]
            record = read_record(sidecar)
            vectors += int(record.get("vectors", 0))
            without += int(record.get("rows", 0)) - int(record.get("vectors", 0))
        except StoreError as error:
            problems.append(str(error))
    name = f"{folder.parent.name}/{folder.name}"
    return Checked(name, len(sidecars), vectors, without, tuple(problems))


def _wrong(sidecar: Path, key: str) -> Iterator[str]:
    record, body = read_record(sidecar), sidecar.with_suffix(".safetensors")
    if record.get("key") != key:
        yield "belongs to another key.json"
    if not body.exists():
        yield "its safetensors file is gone"
        return
    if file_sha256(body) != record.get("sha256"):
        yield "its bytes are not those that were written"
        return
    arrays = Part(body, record).arrays
    rows, made = len(arrays["input"]), int((np.asarray(arrays["state"]) == 0).sum())
    if (rows, made) != (record["rows"], record["vectors"]) or made != len(arrays["embedding"]):
        yield f"{rows} rows and {made} vectors, recorded {record['rows']} and {record['vectors']}"
    elif not np.isfinite(arrays["embedding"]).all():
        yield "some vectors are not finite"


def merge(
    home: Path, other: Path, tell: Callable[[str, int, int], None] = lambda what, n, of: None
) -> list[Merged]:
    """Take over vectors that another workspace has under the same key; what is here stays.

    Args:
        home: the workspace that gets them.
        other: the one that has them; it is read only.
        tell: progress.

    Raises:
        DataError: `other` is no workspace with vectors, is `home`, or holds damaged parts; nothing
            is taken.
        FailedError: `home` cannot be written to.
    """
    folders = store_folders(other)
    if not folders:
        raise DataError(f"{other}: no embeddings/SURVEY/NAME/key.json; name a workspace of FMB")
    if other.resolve() == home.resolve():
        raise DataError(f"{other}: is this workspace itself")
    for n, folder in enumerate(folders):
        tell("check", n, 2 * len(folders))
        if problems := check(folder).problems:
            more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
            raise DataError(f"{folder}: {problems[0]}{more}; nothing was taken")
    merged = []
    for n, folder in enumerate(folders):
        tell("merge", len(folders) + n, 2 * len(folders))
        merged.append(_merge(home / "embeddings" / folder.parent.name, folder))
    tell("merge", 1, 1)
    return merged


def _merge(survey: Path, folder: Path) -> Merged:
    key = read_record(folder / "key.json")
    # A folder ends in the first digits of its key, whatever stands before them.
    there = sorted(survey.glob(f"*-{content_key(key)[:8]}"))
    target = there[0] if there else survey / folder.name
    VectorStore(target, key, {}).open()
    new = same = 0
    differ: list[str] = []
    for part in VectorStore(folder, key, {}).parts():
        mine = VectorStore(target, key, part.record["versions"])
        stored = mine.find(np.asarray(part.arrays["input"]))
        state = np.asarray(part.arrays["state"])
        theirs = np.cumsum(state == 0) - 1
        both = (stored.at >= 0) & (state == 0)
        ours = _gathered(stored.matrices, stored.at[both])
        apart = _apart(ours, part.arrays["embedding"][theirs[both]])
        ids = unpack_ids(part.arrays)
        differ += ids[both][apart].astype(str).tolist()
        same += int(both.sum()) - int(apart.sum())
        new += _take(mine, part, ~stored.there | ((stored.at < 0) & (state == 0)))
    return Merged(f"{survey.name}/{target.name}", new, same, tuple(differ))


def _take(mine: VectorStore, part: Part, wanted: Array) -> int:
    """Publish the wanted rows of another's part after all that is here; vectors among them."""
    # One row of those that a part holds twice.
    words = as_words(np.asarray(part.arrays["input"]))
    wanted = wanted & (RowIndex([words]).find(words) == np.arange(len(words)))
    if not wanted.any():
        return 0
    state = np.asarray(part.arrays["state"])
    chosen = part.arrays["embedding"][wanted[state == 0]]
    arrays = {
        "input": np.asarray(part.arrays["input"])[wanted],
        "state": state[wanted],
        "embedding": chosen,
        **pack_ids(unpack_ids(part.arrays)[wanted]),
    }
    kept = {key: part.record[key] for key in ("reasons", "versions", "batches")}
    mine.add(arrays, {**kept, "vectors": len(chosen), "merged": part.record["sha256"]})
    return len(chosen)


def _gathered(matrices: Sequence[Array], at: Array) -> Array:
    """(m, d): rows of matrices laid end to end."""
    starts = np.cumsum([0, *map(len, matrices)])
    which = np.searchsorted(starts, at, side="right") - 1
    rows = np.empty((len(at), matrices[0].shape[1] if matrices else 0), dtype=np.float32)
    for n, part in enumerate(matrices):
        rows[which == n] = part[at[which == n] - starts[n]]
    return rows


def _apart(ours: Array, theirs: Array) -> Array:
    """(m,), bool: which rows differ by more than rounding on another machine."""
    if not len(ours):
        return np.zeros(0, dtype=bool)
    scale = float(np.abs(theirs).max()) or 1.0
    differ: Array = np.abs(ours - theirs).max(axis=1) > SAME * scale
    return differ
