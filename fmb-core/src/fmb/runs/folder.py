"""The folder of a run: where its parts are, and which runs there are."""

import errno
import logging
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import tomli_w

from fmb.contract.names import ListName, VectorName
from fmb.messages.errors import (
    ConfigError,
    FailedError,
    FmbError,
    StoreError,
    UnknownNameError,
    did_you_mean,
)
from fmb.store.atomic import ensure_folder, publish, sweep, write_failure
from fmb.store.folder_names import FOLDER_NAME
from fmb.store.workspace import workspace

__all__ = ["RunFolder", "find_run", "list_runs", "named_runs", "new_folder", "remove_run"]


PARTS = ("vectors", "scores", "details", "detectors", "analyses", "plots", "cutouts")


@dataclass(frozen=True)
class RunFolder:
    """Where the parts of a run are. `manifest.json` is written last: present = finished."""

    path: Path
    part: str = ""
    """Folder below that of the figures, of those that show a part of the objects."""

    @property
    def name(self) -> str:
        """The run's name."""
        return self.path.name

    def showing(self, part: str) -> "RunFolder":
        """The same folder, with a place of their own for figures that show a part."""
        return replace(self, part=part)

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

    def vectors(self, name: VectorName) -> Path:
        """Digests of what was read of each object, by which their vectors are found."""
        return self.path / "vectors" / f"{name.stem}.safetensors"

    def shown(self, name: VectorName) -> Path:
        """Vectors of the objects shown, which the run keeps with their cutouts."""
        return self.cutouts / f"{name.stem}.safetensors"

    def scores(self, name: ListName) -> Path:
        """Table of one list of scores, aligned with `objects`."""
        return self.path / "scores" / f"{name.stem}.parquet"

    def details(self, name: ListName) -> Path:
        """Table of what the detector tells of each object, aligned with `objects`."""
        return self.path / "details" / f"{name.stem}.parquet"

    def record(self, name: ListName) -> Path:
        """What the manifest says of one list; written when all of it is there."""
        return self.path / "scores" / f"{name.stem}.json"

    def detectors(self, name: ListName) -> Path:
        """Folder of the fitted detectors of one list."""
        return self.path / "detectors" / name.stem

    def table(self, label: str, name: str) -> Path:
        """A table of an analysis."""
        return self.path / "analyses" / f"{label}.{name}.parquet"

    @property
    def plots(self) -> Path:
        """Folder of the figures."""
        return self.path / "plots" / self.part

    @property
    def cutouts(self) -> Path:
        """Folder of what was observed of the objects shown."""
        return self.path / "cutouts"

    @property
    def made(self) -> datetime:
        """When it was begun, or gone on with."""
        return datetime.fromtimestamp(self.request.stat().st_mtime, UTC).astimezone()

    @property
    def finished(self) -> bool:
        """True when the run went to its end."""
        return self.manifest.exists()

    @contextmanager
    def writing(self, request: Mapping[str, Any], *, new: bool = False) -> Iterator[None]:
        """Write `run.toml`, and append what is said in the block to the log, with times.

        Args:
            request: the content of `run.toml`.
            new: a mistake that keeps the run from its first list removes it, and its name is free.

        Raises:
            FailedError: the disk is full or the workspace cannot be written to.
        """
        for part in PARTS:
            ensure_folder(self.path / part)
        publish(self.request, _toml(request))
        handler = logging.FileHandler(self.log, encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        root = logging.getLogger("fmb")
        level = root.level
        root.addHandler(handler)
        root.setLevel(min(level or logging.INFO, logging.INFO))
        mistaken = False
        try:
            yield
        except FmbError as error:
            mistaken = error.exit_code == 2
            raise
        finally:
            root.removeHandler(handler)
            root.setLevel(level)
            handler.close()
            if mistaken and new and not any((self.path / "scores").glob("*.json")):
                shutil.rmtree(self.path)

    def other_version(self) -> StoreError:
        """What to say of a run that another version wrote, with the command that makes it anew."""
        return StoreError(
            f"run {self.name!r} was written by another version of FMB; make it anew with"
            f" `fmb run --config {self.request} --out {self.name}-2`"
        )


def new_folder(
    home: Path, wanted: str | None, default: str, request: Mapping[str, Any]
) -> RunFolder:
    """The folder of a new run with its `run.toml`, which appear together.

    Args:
        home: the workspace.
        wanted: its name; None = `default`, with a number when it is taken.
        default: what runs of this kind are called.
        request: the content of `run.toml`.

    Raises:
        ConfigError: the wanted name is taken or cannot be a folder name.
        FailedError: the workspace cannot be written to.
    """
    if wanted is not None and not FOLDER_NAME.fullmatch(wanted):
        raise ConfigError(
            f"--out {wanted[:40]!r}: a run name has up to 200 letters, digits, dots, hyphens,"
            " underscores"
        )
    runs = ensure_folder(home / "runs")
    for number in count(1):
        path = runs / (wanted or (default if number == 1 else f"{default}-{number}"))
        try:
            if _made(path, request):
                return RunFolder(path)
        except OSError as error:
            raise write_failure(path, error) from error
        if wanted is not None:
            raise ConfigError(
                f"run {wanted!r} exists; add --resume to go on with it or choose another --out"
            )
    raise AssertionError("count() never ends")


def _made(path: Path, request: Mapping[str, Any]) -> bool:
    """Make a run folder with its `run.toml`, unless there is one: only one process gets it."""
    if (path / "run.toml").exists():
        return False
    staging = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.partial")
    sweep(path.parent, ".*.partial")
    staging.mkdir()
    try:
        (staging / "run.toml").write_bytes(_toml(request))
        staging.rename(path)  # also onto an empty folder, which somebody killed left behind
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            return False
        raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return True


def _toml(request: Mapping[str, Any]) -> bytes:
    return tomli_w.dumps(dict(request)).encode()


def remove_run(folder: RunFolder) -> None:
    """Delete a run; what the workspace keeps for it and others stays.

    Raises:
        FailedError: it cannot be deleted.
    """
    try:
        folder.manifest.unlink(missing_ok=True)  # first: a run removed in part is not finished
        shutil.rmtree(folder.path)
    except OSError as error:
        raise FailedError(f"cannot remove {folder.path}: {error.strerror or error}") from None


def list_runs(home: Path | None = None) -> list[RunFolder]:
    """All runs of a workspace, oldest first."""
    runs = (home or workspace()) / "runs"
    folders = [RunFolder(path.parent) for path in runs.glob("*/run.toml")]
    return sorted(folders, key=lambda folder: (folder.request.stat().st_mtime_ns, folder.name))


def named_runs(names: Sequence[str], home: Path | None = None) -> list[RunFolder]:
    """The runs of those names, each once, finished or not.

    Raises:
        UnknownNameError: there is none of a name.
    """
    known = {folder.name: folder for folder in list_runs(home)}
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known)
            raise UnknownNameError(f"no run is called {name!r}{hint or '; see `fmb runs`'}")
    return [known[name] for name in dict.fromkeys(names)]


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
    # A workspace has many runs: all their names would not fit a line.
    near = did_you_mean(name, [folder.name for folder in known], most=3)
    near = near if near.endswith("?") else ";"
    raise UnknownNameError(f"no run is called {name!r}{near} `fmb runs` lists them")
