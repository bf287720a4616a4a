"""Lists kept by what they are made from: made once, and shown in every run that asks for them."""

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fmb.contract.names import ListName
from fmb.messages.errors import StoreError
from fmb.runs.folder import RunFolder
from fmb.store.atomic import ensure_folder, place, publish_json, read_record, staged_folder

__all__ = ["KeptList", "KeptLists"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class KeptList:
    """Where the parts of one list are kept."""

    folder: Path

    @property
    def scores(self) -> Path:
        """Its table, aligned with the objects."""
        return self.folder / "scores.parquet"

    @property
    def details(self) -> Path:
        """What the detector tells of each object; absent where it tells nothing."""
        return self.folder / "details.parquet"

    @property
    def fits(self) -> Path:
        """The fitted detectors, a folder a fold; absent where they cannot be kept."""
        return self.folder / "fits"

    @property
    def reference(self) -> Path:
        """Scores of the reference, a row an object and a column a fit; absent without one."""
        return self.folder / "reference.parquet"

    @property
    def record(self) -> Path:
        """What the manifest of a run says of it, besides its name."""
        return self.folder / "record.json"


@dataclass(frozen=True)
class KeptLists:
    """The lists of a workspace, by key."""

    workspace: Path

    def of(self, key: str) -> KeptList:
        """Where the list of a key is, or would be."""
        return KeptList(self.workspace / "lists" / key[:24])

    def holds(self, key: str) -> bool:
        """True when the list is there as it was made; one that was damaged since is removed."""
        kept = self.of(key)
        if not kept.folder.exists():
            return False
        try:
            whole = bool(read_record(kept.record)["files"] == _sizes(kept.folder))
        except (StoreError, KeyError):
            whole = False
        if not whole:
            logger.warning("%s was damaged: this list is made anew", kept.folder)
            shutil.rmtree(kept.folder)
        return whole

    def record(self, key: str) -> dict[str, Any]:
        """What is known of the list.

        Raises:
            StoreError: it is not there, or damaged.
        """
        record = read_record(self.of(key).record)
        return {name: value for name, value in record.items() if name != "files"}

    @contextmanager
    def making(self, key: str) -> Iterator[KeptList]:
        """A place for a new list, which is kept when the block ends well.

        Raises:
            FailedError: the disk is full or the workspace cannot be written to.
        """
        with staged_folder(self.of(key).folder) as staging:
            kept = KeptList(staging)
            yield kept
            publish_json(kept.record, {**read_record(kept.record), "files": _sizes(staging)})

    def put(self, key: str, run: RunFolder, name: ListName) -> None:
        """Show a list in a run under a name, without a second copy on the disk.

        Raises:
            FailedError: the run folder cannot be written to.
        """
        kept = self.of(key)
        place(kept.scores, run.scores(name))
        if kept.details.exists():
            place(kept.details, run.details(name))
        target = run.detectors(name)
        shutil.rmtree(target, ignore_errors=True)  # fits of another list of that name
        for file in sorted(path for path in kept.fits.rglob("*") if path.is_file()):
            shown = target / file.relative_to(kept.fits)
            ensure_folder(shown.parent)
            place(file, shown)


def _sizes(folder: Path) -> dict[str, int]:
    """Bytes of the files of a list besides its record, by name."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "record.json"]
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}
