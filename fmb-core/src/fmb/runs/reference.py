"""The reference a user names: objects asserted to be ordinary, which never enter the ranking."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fmb.conditions.where import Where
from fmb.contract.arrays import Array
from fmb.contract.vector_view import VectorView
from fmb.files.ids import locate, read_id_file
from fmb.messages.errors import DataError, StoreError
from fmb.runs.folder import RunFolder
from fmb.runs.run import Run, load_run
from fmb.store.keys import array_key, content_key

__all__ = ["Reference", "find_reference"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reference:
    """Which objects are asserted to be ordinary."""

    text: str
    """What the user wrote."""
    rows: Array
    """(n,), bool: which objects of this survey they are; these are not ranked."""
    run: Run | None
    """Another run whose objects they are."""
    identity: Mapping[str, Any]
    """What a content key holds of it: the objects, never the text."""

    def vectors(self, view: VectorView) -> VectorView:
        """Vectors of the reference that can be compared with those of `view`.

        Raises:
            StoreError: the other run has none made with the same weights and configuration.
        """
        if self.run is None:
            return view
        if view.name in self.run.vector_names:
            other = self.run.vectors(view.name)
            if other.comparable and other.comparable == view.comparable:
                return other
        raise StoreError(
            f"--reference {self.text}: it has no {view.name.view} vectors of {view.name.model} made"
            " with the same weights and configuration"
        )

    def objects(self, here: pd.DataFrame) -> pd.DataFrame:
        """The table that rows of `vectors` are positions in."""
        return here if self.run is None else self.run.objects


def find_reference(text: str, objects: pd.DataFrame, groups: Array, home: Path) -> Reference:
    """The reference that `text` names: a run, a file of ids, or a condition on the catalogue.

    A source is ranked or is a reference, never both: the repeats of a reference row are one too.

    Args:
        text: what the user wrote.
        objects: the objects of this survey.
        groups: (n,) keys of their sources.
        home: the workspace that holds the runs.

    Raises:
        DataError: it names no object, or all of them, or shares objects with this survey.
        StoreError: the run is not finished, or of another version.
    """
    ids = objects["object_id"].to_numpy()
    folder = RunFolder(home / "runs" / text)
    if folder.request.exists():
        return _of_run(text, ids, load_run(folder))
    path = Path(text)
    if path.is_file():
        named = np.unique(read_id_file(path))
        lost = int((locate(named, ids) < 0).sum())
        if 0 < lost < len(named):
            logger.warning("%s: %d of its %d ids are not in the survey", path, lost, len(named))
        rows = locate(ids, named) >= 0
    else:
        rows, _ = Where(text, "--reference (no run, no file)").evaluate(objects, ids)
    rows = np.isin(groups, groups[rows])
    if not rows.any():
        raise DataError(f"--reference {text!r} names no object of this survey")
    if rows.all():
        raise DataError(f"--reference {text!r} names every object: nothing is left to rank")
    return Reference(text, rows, None, {"ids": array_key(ids[rows])})


def _of_run(text: str, ids: Array, run: Run) -> Reference:
    other = run.objects["object_id"].to_numpy()
    shared = locate(other, ids) >= 0
    if shared.any():
        raise DataError(
            f"--reference {text}: {int(shared.sum())} of its objects are also ranked here,"
            f" for instance {other[shared][0]}; a reference must be disjoint"
        )
    identity = {
        "ids": array_key(other),
        "vectors": content_key(list(run.manifest["vectors"])),
    }
    return Reference(text, np.zeros(len(ids), dtype=bool), run, identity)
