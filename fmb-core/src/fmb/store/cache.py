"""The stored vectors of a workspace, for listing, checking and removing."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fmb.contract.errors import UnknownNameError, did_you_mean
from fmb.store.atomic import read_json
from fmb.store.parts import PartStore
from fmb.store.workspace import workspace

__all__ = ["Stored", "remove", "stored"]


@dataclass(frozen=True)
class Stored:
    """Vectors of one model, embedder and view."""

    name: str
    """Survey and folder."""
    store: PartStore
    vectors: int
    parts: int
    bytes: int


def stored(home: Path | None = None) -> Iterator[Stored]:
    """All stored vectors, by survey, then folder."""
    for path in sorted(((home or workspace()) / "embeddings").glob("*/*/key.json")):
        folder = path.parent
        store = PartStore(folder, read_json(path))
        records = [part.record for part in store.parts()]
        yield Stored(
            f"{folder.parent.name}/{folder.name}",
            store,
            sum(r["vectors"] for r in records),
            len(records),
            sum(r["bytes"] for r in records),
        )


def remove(name: str, home: Path | None = None) -> Path:
    """Delete one folder of vectors and return its path.

    Raises:
        UnknownNameError: there is none of that name.
    """
    known = [one.name for one in stored(home)]
    if name not in known:
        raise UnknownNameError(f"no vectors are stored in {name!r}{did_you_mean(name, known)}")
    folder = (home or workspace()) / "embeddings" / name
    (folder / "key.json").unlink()  # first: half-removed vectors must not look whole
    shutil.rmtree(folder)
    return folder
