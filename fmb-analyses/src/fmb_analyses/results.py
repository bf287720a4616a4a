"""Results: what was measured of a list, one immutable file a measurement."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fmb import StoreError, environment
from fmb.store import content_key, ensure_folder, publish_json, read_json

__all__ = ["FORMAT", "Measured", "Result", "ResultBook"]

FORMAT = "fmb-result/1"
WRITERS = 16
"""Files written at a time: each waits for the disk, not for the processor."""


@dataclass(frozen=True)
class Measured:
    """A value, its 95 % interval, and what chance gives."""

    value: float | None
    """None = not reached: no strength finds half of the copies."""
    low: float | None
    """None = not reached, or there are too few objects of the kind to tell an interval."""
    high: float | None
    chance: float
    n: int
    """Objects that were ranked."""
    n_positive: int
    """Those of the kind among them, or copies beside them."""


@dataclass(frozen=True)
class Result:
    """One measurement: what was measured, under which conditions, and what came out."""

    about: Mapping[str, Any]
    """Everything that the value depends on: survey, survey_digest, truth, truth_digest, kind,
    model, weights, embedder, view, detector, given, list (its digest), fit, folds, seed, metric,
    conditions."""
    measured: Measured
    versions: Mapping[str, str]

    @property
    def record(self) -> dict[str, Any]:
        """As it is kept."""
        told = {"format": FORMAT, **self.about, **asdict(self.measured)}
        return {**told, "versions": dict(self.versions)}


class ResultBook:
    """The results of a workspace, found by what was measured."""

    def __init__(self, home: Path) -> None:
        """Nothing is read or written.

        Args:
            home: the workspace.
        """
        self.folder = home / "results"
        self._versions = environment()["plugins"]

    def path(self, about: Mapping[str, Any]) -> Path:
        """Where the result of a measurement is, or would be."""
        return self.folder / f"{content_key(dict(about))[:24]}.json"

    def find(self, about: Mapping[str, Any]) -> Result | None:
        """A result that was measured before, None where it was not.

        Raises:
            StoreError: its file is damaged.
        """
        path = self.path(about)
        if not path.exists():
            return None
        return _result(path)

    def add(self, new: Sequence[tuple[Mapping[str, Any], Measured]]) -> list[Result]:
        """Keep new results: of each what it depends on, and what was measured.

        Raises:
            FailedError: the disk is full or the workspace cannot be written to.
        """
        results = [Result(about, measured, self._versions) for about, measured in new]
        ensure_folder(self.folder)
        with ThreadPoolExecutor(WRITERS) as pool:
            written = [pool.submit(self._write, result) for result in results]
        for one in written:
            one.result()
        return results

    def _write(self, result: Result) -> None:
        publish_json(self.path(result.about), result.record)

    def query(self, **wanted: Any) -> Iterator[Result]:
        """All results whose fields have the wanted values, in the order of their files.

        Raises:
            StoreError: a file is damaged.
        """
        for path in sorted(self.folder.glob("*.json")):
            result = _result(path)
            if all(result.about.get(name) == value for name, value in wanted.items()):
                yield result


def _result(path: Path) -> Result:
    try:
        record = dict(read_json(path))
        versions = record.pop("versions")
        if record.pop("format") != FORMAT:
            raise KeyError("format")
        values = {name: record.pop(name) for name in Measured.__dataclass_fields__}
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{path} is damaged; remove it, and it is measured anew") from error
    return Result(record, Measured(**values), versions)
