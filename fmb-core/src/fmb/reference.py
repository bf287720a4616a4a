"""The reference a user names: objects asserted to be ordinary, which never enter the ranking."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from fmb.data import Array, Vectors
from fmb.datasets.ids import locate, read_id_file
from fmb.datasets.where import Where
from fmb.errors import DataError, StoreError
from fmb.runs import Run, RunFolder, ScoreName

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

    def vectors(self, x: Vectors, name: ScoreName, ids: Array) -> Vectors:
        """Reference vectors in the view of `name`.

        Args:
            x: this survey's vectors.
            name: list of scores they are for.
            ids: ids of this survey that may be ranked; the reference shares none.

        Raises:
            DataError: the other run has no such vectors, or shares objects with this one.
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
        key = (name.model, name.embedder, name.view)
        valid, values = self.run.embeddings.read(key)
        if values.shape[1] != x.values.shape[1]:
            raise DataError(
                f"--reference {self.text}: its {name.view} vectors have {values.shape[1]} columns,"
                f" these have {x.values.shape[1]}"
            )
        return Vectors(other[valid], values[valid])


def find_reference(text: str, objects: pd.DataFrame, home: Path) -> Reference:
    """The reference that `text` names: a run, a file of ids, or a condition on the catalogue.

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
    if not rows.any():
        raise DataError(f"--reference {text!r} names no object of this survey")
    if rows.all():
        raise DataError(f"--reference {text!r} names every object: nothing is left to rank")
    return Reference(text, rows, None)


def check_same_model(reference: Reference, name: ScoreName, key: object) -> None:
    """Refuse another run's vectors that came from other weights or another configuration.

    Raises:
        StoreError: they did.
    """
    if reference.run is None:
        return
    for entry in reference.run.manifest["embeddings"]:
        same = (entry["model"], entry["embedder"], entry["view"])
        if same == (name.model, name.embedder, name.view) and entry["model_key"] == key:
            return
    raise StoreError(
        f"--reference {reference.text}: it has no {name.view} vectors of {name.model} made with"
        " the same weights and configuration"
    )
