"""The reference a user names: objects asserted to be ordinary, which never enter the ranking."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from fmb.contract.arrays import Array
from fmb.contract.errors import DataError, StoreError
from fmb.contract.vectors import Vectors
from fmb.datasets.ids import locate, read_id_file
from fmb.datasets.where import Where
from fmb.runs.folder import RunFolder
from fmb.runs.names import ScoreName
from fmb.runs.results import Run

__all__ = ["Reference", "find_reference"]


@dataclass(frozen=True)
class Reference:
    """Where reference vectors come from."""

    text: str
    """What the user wrote."""
    rows: Array
    """(n,), bool: which objects of this survey are the reference; they are not ranked."""
    run: Run | None
    """Another run whose objects are the reference."""

    def vectors(self, x: Vectors, name: ScoreName, ids: Array, model_key: str) -> Vectors:
        """Reference vectors in the view of `name`.

        Args:
            x: this survey's vectors.
            name: list of scores they are for.
            ids: (n,) ids of this survey.
            model_key: what vectors of another run must have been made with.

        Raises:
            DataError: the other run shares objects with this one.
            StoreError: it has no vectors made with the same weights and configuration.
        """
        if self.run is None:
            return x.take(locate(x.ids, ids[self.rows]) >= 0)
        other = self.run.objects["object_id"].to_numpy()
        shared = locate(other, ids) >= 0
        if shared.any():
            raise DataError(
                f"--reference {self.text}: {int(shared.sum())} of its objects are also ranked here,"
                f" for instance {other[shared][0]}; a reference must be disjoint"
            )
        for entry in self.run.manifest["embeddings"]:
            view = (entry["model"], entry["embedder"], entry["view"])
            if view == (name.model, name.embedder, name.view) and entry["model_key"] == model_key:
                valid, values = self.run.embeddings.read(view)
                return Vectors(other[valid], values[valid])
        raise StoreError(
            f"--reference {self.text}: it has no {name.view} vectors of {name.model} made with the"
            " same weights and configuration"
        )


def find_reference(text: str, objects: pd.DataFrame, groups: Array, home: Path) -> Reference:
    """The reference that `text` names: a run, a file of ids, or a condition on the catalogue.

    A source is ranked or is a reference, never both: the repeats of a reference row are one too.

    Args:
        text: what the user wrote.
        objects: the objects of this survey.
        groups: (n,) keys of their sources.
        home: the workspace that holds the runs.

    Raises:
        DataError: it names no object, or all of them.
    """
    run_folder = RunFolder(home / "runs" / text)
    none = np.zeros(len(objects), dtype=bool)
    if run_folder.request.exists():
        return Reference(text, none, Run(run_folder))
    path = Path(text)
    if path.is_file():
        rows = locate(objects["object_id"].to_numpy(), read_id_file(path)) >= 0
    else:
        rows, _ = Where(text).evaluate(objects, objects["object_id"].to_numpy())
    rows = np.isin(groups, groups[rows])
    if not rows.any():
        raise DataError(f"--reference {text!r} names no object of this survey")
    if rows.all():
        raise DataError(f"--reference {text!r} names every object: nothing is left to rank")
    return Reference(text, rows, None)
