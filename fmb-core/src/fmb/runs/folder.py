"""The folder of a run: where its parts are, and which runs there are."""

import re
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from fmb.contract.errors import ConfigError, UnknownNameError, did_you_mean
from fmb.plan.request import Request, request_toml
from fmb.runs.names import ScoreName
from fmb.store.atomic import ensure_folder, publish
from fmb.store.workspace import workspace

__all__ = ["RunFolder", "find_run", "list_runs", "new_folder", "write_request"]


_RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


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
