"""What a workspace holds besides its runs, what it fills of the disk, and which runs use it."""

import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fmb.messages.errors import FailedError, StoreError, UnknownNameError, did_you_mean
from fmb.own.decoding import damaged as damaged_decoded
from fmb.runs.folder import list_runs
from fmb.store.atomic import read_json, read_record
from fmb.store.parts import PartStore
from fmb.store.workspace import workspace
from fmb.terminal.values import counted

__all__ = ["Holding", "bytes_of", "damaged", "freed_by", "holdings", "remove", "select_holdings"]

LEFT_SECONDS = 3600.0
"""What looks unfinished and was not touched for so long is of killed work."""
UNFINISHED = (".*.tmp", ".*.partial", ".*.gone", "*.part")


@dataclass(frozen=True)
class Holding:
    """Something that is kept so that it need not be made again."""

    kind: str
    """vectors, inputs, lists, figures, decoded, copies, survey, weights or leftovers."""
    name: str
    """As it is removed by."""
    paths: Sequence[Path]
    about: str
    """What it is, in a few words."""
    used_by: Sequence[str] = field(default=())
    """Runs that read it."""
    removable: bool = True

    @property
    def bytes(self) -> int:
        """What it fills of the disk."""
        return bytes_of(self.paths)


def bytes_of(paths: Iterable[Path]) -> int:
    """Bytes of files and of all in folders; a file with several names counts once."""
    seen = {}
    for path in paths:
        for file in (path, *path.rglob("*")) if path.is_dir() else (path,):
            if file.is_file() and not file.is_symlink():
                status = file.stat()
                seen[status.st_dev, status.st_ino] = status.st_size
    return sum(seen.values())


def freed_by(folder: Path) -> int:
    """Bytes that deleting a folder frees: of files that have no other name elsewhere."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    states = [file.stat() for file in files]
    return sum(state.st_size for state in states if state.st_nlink == 1)


def holdings(home: Path | None = None) -> list[Holding]:
    """All that a workspace holds besides its runs, by kind and name."""
    home = home or workspace()
    users = _users(home)
    return [
        *_vectors(home, users),
        *_inputs(home),
        *_by_content(home, "lists", "list"),
        *_by_content(home, "figures", "figure"),
        *_own_vectors(home),
        *_surveys(home),
        *_weights(home),
        *_leftovers(home),
    ]


def _users(home: Path) -> dict[str, list[str]]:
    """Folder of vectors -> runs that were made from it; damaged runs count for nothing."""
    users: dict[str, list[str]] = {}
    for folder in list_runs(home):
        try:
            manifest: Mapping[str, Any] = read_record(folder.manifest)
        except StoreError:
            continue
        for entry in manifest.get("vectors", ()):
            if "folder" in entry:
                users.setdefault(entry["folder"], []).append(folder.name)
    return users


def _vectors(home: Path, users: Mapping[str, Sequence[str]]) -> Iterator[Holding]:
    for folder in _folders(home / "embeddings", "*/*/key.json"):
        name = f"{folder.parent.name}/{folder.name}"
        count = sum(part.get("vectors", 0) for part in _sidecars(folder))
        yield Holding("vectors", name, [folder], f"{count:,} vectors", users.get(name, ()))


def _inputs(home: Path) -> Iterator[Holding]:
    for folder in _folders(home / "inputs", "*/*/key.json"):
        parts = _sidecars(folder)
        count = sum(part.get("rows", 0) for part in parts)
        name = f"{folder.parent.name}/{folder.name}"
        what = "measures" if any("measures" in part for part in parts) else "digests"
        yield Holding("inputs", name, [folder], f"{what} of {counted(count)}")


def _sidecars(folder: Path) -> list[dict[str, Any]]:
    """What parts say of themselves; those that are damaged say nothing: `verify` names them."""
    records = []
    for path in sorted(folder.glob("part-*.json")):
        try:
            records.append(read_record(path))
        except StoreError:
            continue
    return records


def _by_content(home: Path, kind: str, what: str) -> Iterator[Holding]:
    found = [path for path in sorted((home / kind).glob("*")) if not path.name.startswith(".")]
    if found:
        plural = "" if len(found) == 1 else "s"
        yield Holding(kind, kind, found, f"{len(found):,} {what}{plural}, shared with runs")


def _own_vectors(home: Path) -> Iterator[Holding]:
    for folder in _decoded(home):
        try:
            shapes = read_record(folder / "key.json")["views"].values()
            views = " and ".join(f"{n:,} x {d}" for n, d in shapes)
        except (StoreError, LookupError):
            views = "damaged"
        yield Holding("decoded", folder.name, [folder], f"vectors of your own, {views}")
    for folder in sorted(path for path in (home / "copies").glob("[!.]*") if path.is_dir()):
        yield Holding("copies", f"copy-{folder.name}", [folder], "of a file from elsewhere")


def _decoded(home: Path) -> list[Path]:
    return sorted(path for path in (home / "own").glob("[!.]*") if path.is_dir())


def _surveys(home: Path) -> Iterator[Holding]:
    for folder in sorted(path for path in (home / "data").glob("[!.]*") if path.is_dir()):
        yield Holding("survey", folder.name, [folder], "simulated, or kept by a reader")


def _weights(home: Path) -> Iterator[Holding]:
    for folder in _folders(home / "weights", "**/card.json"):
        name = folder.relative_to(home / "weights").as_posix()
        yield Holding("weights", name, [folder], "weights", removable=False)


def _folders(root: Path, pattern: str) -> list[Path]:
    return sorted({path.parent for path in root.glob(pattern)})


def _leftovers(home: Path) -> Iterator[Holding]:
    limit = time.time() - LEFT_SECONDS
    old = [
        path
        for pattern in UNFINISHED
        for path in sorted(home.rglob(pattern))
        if path.lstat().st_mtime < limit
    ]
    earlier = _folders(home / "embeddings", "*/key.json")  # where an earlier version kept vectors
    empty = [
        path.parent
        for path in home.glob("embeddings/*/*/key.json")
        if not list(path.parent.glob("part-*")) and path.stat().st_mtime < limit
    ]
    if paths := [*old, *earlier, *empty]:
        about = f"{len(paths):,} of killed work or earlier versions"
        yield Holding("leftovers", "leftovers", paths, about)


def select_holdings(names: Sequence[str], home: Path | None = None) -> list[Holding]:
    """The holdings that names stand for: their own, a kind, or all of one survey.

    Raises:
        UnknownNameError: a name stands for none.
        FailedError: it names weights, which nobody may be able to make again.
    """
    every = holdings(home)
    chosen: dict[str, Holding] = {}
    for name in names:
        own = [h for h in every if name in (h.name, h.kind, h.name.partition("/")[0])]
        if not own:
            known = [h.name for h in every]
            raise UnknownNameError(f"nothing is kept as {name!r}{did_you_mean(name, known)}")
        for one in own:
            if not one.removable:
                raise FailedError(f"{one.name}: weights are not removed; delete {one.paths[0]}")
            chosen[f"{one.kind} {one.name}"] = one
    return list(chosen.values())


def remove(holding: Holding) -> None:
    """Delete what is kept; runs keep their lists, figures and the vectors of objects shown.

    Raises:
        FailedError: it cannot be deleted.
    """
    for path in holding.paths:
        try:
            if path.is_dir():
                (path / "key.json").unlink(missing_ok=True)  # first: half removed is not whole
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise FailedError(f"cannot remove {path}: {error.strerror or error}") from None


def damaged(home: Path | None = None) -> list[Path]:
    """Stored and decoded vectors, and digests, whose bytes are not those that were written."""
    home = home or workspace()
    folders = [
        folder
        for kind in ("embeddings", "inputs")
        for folder in _folders(home / kind, "*/*/key.json")
    ]
    parts = [
        path
        for folder in folders
        for path in PartStore(folder, read_json(folder / "key.json")).damaged()
    ]
    return [*parts, *(path for folder in _decoded(home) for path in damaged_decoded(folder))]
