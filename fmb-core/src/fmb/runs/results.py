"""The run folder, and the object a notebook holds of it."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fmb.contract.arrays import Array
from fmb.contract.errors import StoreError, UnknownNameError
from fmb.contract.vectors import Vectors
from fmb.datasets.ids import locate
from fmb.runs.folder import RunFolder, find_run
from fmb.runs.names import ScoreName
from fmb.store.atomic import read_json
from fmb.store.shards import ShardStore
from fmb.store.tables import read_table

__all__ = ["Run", "RunFolder", "ScoreName", "open_run", "open_view"]


class _Views(Mapping[str, Any]):
    """`run.embeddings`: by view, or by (model, view) where several models ran."""

    def __init__(self, folder: RunFolder, manifest: Mapping[str, Any], ids: Any) -> None:
        self._entries = {
            (entry["model"], entry["embedder"], entry["view"]): entry
            for entry in manifest["embeddings"]
        }
        self._home = folder.path.parent.parent
        self._ids = ids

    def __getitem__(self, key: str | tuple[str, ...]) -> Any:
        """The vectors of one view, (n, d) float32; NaN where an object has none."""
        return self.read(key)[1]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def read(self, key: str | tuple[str, ...]) -> tuple[Any, Any]:
        """(valid (n,) bool, vectors (n, d) float32) of one view."""
        from fmb.runs.results import open_view  # loads numpy and the store only when asked

        wanted = (key,) if isinstance(key, str) else tuple(key)
        found = [name for name in self._entries if set(wanted) <= set(name)]
        if len(found) != 1:
            names = "; ".join(str(name) for name in self._entries)
            problem = "is not" if not found else "is ambiguous among"
            raise UnknownNameError(f"{key!r} {problem} an embedding of this run: {names}")
        return open_view(self._home, self._entries[found[0]], self._ids)


class Run:
    """A finished run: its objects, scores and vectors.

    Example:
        >>> run = fmb.open_run("demo-astropt-flow")  # doctest: +SKIP
        >>> run.top(20)                              # doctest: +SKIP
    """

    def __init__(self, folder: RunFolder) -> None:
        if not folder.finished:
            raise StoreError(
                f"run {folder.name!r} is not finished; `fmb run --resume --out {folder.name}`"
                " goes on with it"
            )
        self.folder = folder
        self.name = folder.name
        self.manifest: dict[str, Any] = read_json(folder.manifest)

    @cached_property
    def objects(self) -> pd.DataFrame:
        """One row an object, in canonical id order: object_id, ra, dec, catalogue columns."""
        return read_table(self.folder.objects)

    @cached_property
    def score_names(self) -> list[ScoreName]:
        """The lists of scores of this run."""
        return [ScoreName(**entry["name"]) for entry in self.manifest["scores"]]

    def score_table(self, name: ScoreName) -> pd.DataFrame:
        """One list of scores, aligned with `objects`; NaN where an object has no vector."""
        return read_table(self.folder.scores(name))

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Tidy table: one row an object and list, with model, embedder, view and detector."""
        parts = []
        for name in self.score_names:
            table = self.score_table(name)
            table.insert(0, "object_id", self.objects["object_id"].to_numpy())
            for column in ("detector", "view", "embedder", "model"):
                table.insert(1, column, getattr(name, column))
            parts.append(table[table["score"].notna()])
        return pd.concat(parts, ignore_index=True)

    def top(self, k: int = 20, *, name: ScoreName | None = None) -> pd.DataFrame:
        """The k strangest objects of one list, or of each list, strangest first."""
        parts = []
        for chosen in [name] if name is not None else self.score_names:
            table = strangest(self.objects, self.score_table(chosen)).head(k)
            for column in ("detector", "view", "embedder", "model"):
                table.insert(0, column, getattr(chosen, column))
            parts.append(table)
        return pd.concat(parts, ignore_index=True)

    @property
    def embeddings(self) -> "_Views":
        """Vectors by view: `run.embeddings["image"]`, (n, d) float32 aligned with `objects`."""
        return _Views(self.folder, self.manifest, self.objects["object_id"].to_numpy())

    @property
    def vectors(self) -> dict[tuple[str, str, str], Vectors]:
        """(model, embedder, view) -> the valid vectors with their ids."""
        views = _Views(self.folder, self.manifest, self.objects["object_id"].to_numpy())
        found = {}
        for key in views:
            valid, values = views.read(key)
            found[key] = Vectors(self.objects["object_id"].to_numpy()[valid], values[valid])
        return found

    def __repr__(self) -> str:
        return f"<Run {self.name!r}: {len(self.objects)} objects, {len(self.score_names)} lists>"


def strangest(objects: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Objects that have a score with their scores, strangest first; ties in order of id.

    Rows of a group that is ranked once come once, as its strangest member.
    """
    joined = pd.concat([objects.reset_index(drop=True), scores.reset_index(drop=True)], axis=1)
    joined = joined[joined["score"].notna() & ~joined["is_repeat"].fillna(False).astype(bool)]
    return joined.sort_values(["rank", "object_id"], kind="stable", ignore_index=True)


def open_run(name: str | None = None) -> Run:
    """The run called `name`, or the latest.

    Raises:
        UnknownNameError: there is none.
        StoreError: it is not finished.
    """
    return Run(find_run(name))


def open_view(home: Path, entry: Mapping[str, Any], ids: Array) -> tuple[Array, Array]:
    """Vectors of a finished run.

    Args:
        home: the workspace.
        entry: the view's record in the run's manifest.
        ids: (n,) ids of the run's objects.

    Returns:
        valid (n,) bool, and vectors (n, d) float32 with NaN where an object has none.

    Raises:
        StoreError: the vectors have been removed or are damaged.
    """
    folder = home / "embeddings" / entry["folder"]
    found, _, vectors = ShardStore(folder, read_json(folder / "key.json")).read(entry["shards"])
    at = locate(found, ids)
    aligned = np.full((len(ids), vectors.shape[1]), np.nan, dtype=np.float32)
    aligned[at] = vectors
    valid = np.zeros(len(ids), dtype=bool)
    valid[at] = True
    return valid, aligned
