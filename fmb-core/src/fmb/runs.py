"""The run folder, and the object a notebook holds of it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import tomli_w

from fmb.contract.errors import ConfigError, StoreError, UnknownNameError, did_you_mean
from fmb.contract.vectors import Vectors
from fmb.request import Request, request_toml
from fmb.store.atomic import ensure_folder, publish, read_json
from fmb.store.tables import read_table
from fmb.store.workspace import workspace

__all__ = ["Run", "RunFolder", "ScoreName", "list_runs", "open_run", "run"]

_RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, order=True)
class ScoreName:
    """Which list of scores: model label, embedder, view and detector label."""

    model: str
    embedder: str
    view: str
    detector: str

    @property
    def stem(self) -> str:
        """The list's file name without its ending."""
        return ".".join((self.model, self.embedder, self.view, self.detector))

    def __str__(self) -> str:
        return f"{self.model} {self.view} ({self.embedder}), {self.detector}"

    @classmethod
    def from_stem(cls, stem: str) -> "ScoreName":
        """The name whose stem this is."""
        return cls(*stem.split("."))


@dataclass(frozen=True)
class RunFolder:
    """Where the parts of a run are. `manifest.json` is written last: present = finished."""

    path: Path

    @property
    def name(self) -> str:
        """The run's name."""
        return self.path.name

    @property
    def request(self) -> Path:
        """The resolved configuration; it re-runs the run."""
        return self.path / "run.toml"

    @property
    def manifest(self) -> Path:
        """Provenance and results in brief."""
        return self.path / "manifest.json"

    @property
    def objects(self) -> Path:
        """Table of the objects."""
        return self.path / "objects.parquet"

    @property
    def log(self) -> Path:
        """What was said while it ran, with times and host."""
        return self.path / "run.log"

    def scores(self, name: ScoreName) -> Path:
        """Table of one list of scores, aligned with `objects`."""
        return self.path / "scores" / f"{name.stem}.parquet"

    def detectors(self, name: ScoreName) -> Path:
        """Folder of the fitted detectors of one list."""
        return self.path / "detectors" / name.stem

    @property
    def plots(self) -> Path:
        """Folder of the figures."""
        return self.path / "plots"

    @property
    def cutouts(self) -> Path:
        """A small survey of the objects shown."""
        return self.path / "cutouts"

    @property
    def finished(self) -> bool:
        """True when the run went to its end."""
        return self.manifest.exists()

    def score_names(self) -> list[ScoreName]:
        """The lists there are, in order."""
        stems = (path.stem for path in (self.path / "scores").glob("*.parquet"))
        return sorted(ScoreName.from_stem(stem) for stem in stems)


def new_folder(home: Path, wanted: str | None, default: str) -> RunFolder:
    """The folder of a new run: `wanted`, else `default` with a number when it is taken.

    Raises:
        ConfigError: the wanted name is taken or cannot be a folder name.
    """
    runs = home / "runs"
    if wanted is not None:
        if not _RUN_NAME.fullmatch(wanted):
            raise ConfigError(
                f"--out {wanted!r}: a run name has letters, digits, dots, hyphens, underscores"
            )
        if (runs / wanted).exists():
            raise ConfigError(
                f"run {wanted!r} exists; add --resume to go on with it or choose another --out"
            )
        return _made(runs / wanted)
    number = 1
    while (path := runs / (default if number == 1 else f"{default}-{number}")).exists():
        number += 1
    return _made(path)


def _made(path: Path) -> RunFolder:
    for folder in (path, path / "scores", path / "detectors", path / "plots"):
        ensure_folder(folder)
    return RunFolder(path)


def write_request(folder: RunFolder, request: Request) -> None:
    """Write `run.toml`."""
    publish(folder.request, tomli_w.dumps(request_toml(request)).encode())


def list_runs(home: Path | None = None) -> list[RunFolder]:
    """All runs of a workspace, oldest first."""
    runs = (home or workspace()) / "runs"
    found = [RunFolder(path.parent) for path in runs.glob("*/run.toml")]
    return sorted(found, key=lambda folder: (folder.request.stat().st_mtime_ns, folder.name))


def find_run(name: str | None, home: Path | None = None) -> RunFolder:
    """The run called `name`, or at that path; without a name the latest finished one.

    Raises:
        UnknownNameError: there is none.
    """
    known = list_runs(home)
    if name is None:
        done = [folder for folder in known if folder.finished]
        if not done:
            raise UnknownNameError("there is no finished run yet; make one with `fmb run`")
        return done[-1]
    for folder in known:
        if folder.name == name:
            return folder
    if (Path(name) / "run.toml").is_file():
        return RunFolder(Path(name))
    hint = did_you_mean(name, [folder.name for folder in known])
    raise UnknownNameError(f"no run is called {name!r}{hint or '; see `fmb runs`'}")


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
        from fmb.embedding import open_view  # loads numpy and the store only when asked

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


def run(
    *,
    model: str | Sequence[str] = (),
    detector: str | Sequence[str] = (),
    data: str = "demo",
    **options: Any,
) -> Run:
    """Do what `fmb run` does and return the finished run.

    Args:
        model: one `[label=]name` or several.
        detector: one `[label=]name` or several.
        data: a dataset's name or a survey file.
        options: as on the command line, with underscores: `weights`, `view`, `where`, `limit`,
            `out`, `seed`, `set=["detector.flow.epochs=5"]` ...

    Raises:
        FmbError: as on the command line.
    """
    # Imported here: opening a run must not load the pipeline.
    from fmb.options import options_request
    from fmb.pipeline import run_request

    return run_request(
        options_request({"model": model, "detector": detector, "data": data, **options})
    )
