"""What a detector is given: the objects a list can judge, put together from views and lists."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from fmb.blocks.stored import Stored, StoredPairs
from fmb.contract.arrays import Array
from fmb.contract.names import ListName, VectorName
from fmb.contract.vector_view import VectorView
from fmb.contract.vectors import Judged, Members, Vectors
from fmb.crossfit.given import Given
from fmb.datasets.copies import changed_copies
from fmb.datasets.objects import role_columns, role_matrix
from fmb.lists.nuisances import Nuisances
from fmb.messages.errors import DataError
from fmb.plan.records import ListPlan
from fmb.runs.reference import Reference
from fmb.scoring.folds import group_codes
from fmb.scoring.ranking import rank_survey
from fmb.store.keys import array_key, content_key

__all__ = ["Survey"]


@dataclass(frozen=True)
class Survey:
    """The objects of a run with all that lists are made from."""

    objects: pd.DataFrame
    groups: Array
    """(n,), of the kind of the ids: rows of one source share a key."""
    views: Mapping[VectorName, VectorView]
    scores: Callable[[ListName], pd.DataFrame]
    """A list that was made before, aligned with `objects`."""
    reference: Reference | None = None

    @cached_property
    def ids(self) -> Array:
        """(n,) ids in canonical order."""
        ids = self.objects["object_id"].to_numpy()
        return ids if ids.dtype.kind in "iu" else ids.astype(np.str_)

    @cached_property
    def digest(self) -> str:
        """Digest of the objects, of which of them are one source, and of which are copies."""
        held_out = [array_key(self.copies)] if self.copies.any() else []
        return content_key([array_key(self.ids), array_key(self.groups), *held_out])

    @cached_property
    def copies(self) -> Array:
        """(n,) bool: changed copies of other objects, which no fit sees and no list ranks."""
        return changed_copies(self.objects)

    @cached_property
    def places(self) -> str:
        """Digest of the objects' positions, which folds of the sky are made of; "" = unknown."""
        if not {"ra", "dec"} <= set(self.objects):
            return ""
        return content_key([array_key(self.objects[c].to_numpy(float)) for c in ("ra", "dec")])

    @cached_property
    def nuisances(self) -> Nuisances:
        """What its lists are held against."""
        return Nuisances.of(self.objects)

    def judged(self, one: ListPlan) -> tuple[Judged | Stored | StoredPairs | Given, Array]:
        """What the detector of a list is given, and the rows (m,) of `objects` it stands for."""
        if one.detector.spec.scope == "fusion":
            tables = {name: self.scores(name) for name in one.name.of if isinstance(name, ListName)}
            common = [table["score"].notna().to_numpy() for table in tables.values()]
            rows = np.flatnonzero(np.logical_and.reduce(common))
            return self.members(one, tables, rows), rows
        columns = role_columns(self.objects, one.detector.spec.columns)
        if one.detector.spec.scope == "catalogue":
            return _rows_of_roles(one, self.objects, self.ids, columns)
        views = [self.views[name] for name in one.name.vectors]
        x, rows = _side_by_side(one, views, self.ids, columns)
        return _given(one, x, self.objects, rows), rows

    def ordinary(self, one: ListPlan) -> Judged | Stored | StoredPairs | Given | None:
        """The same of the reference; None where there is none, or the list is made of lists."""
        if self.reference is None or one.detector.spec.scope == "fusion":
            return None
        objects = self.reference.objects(self.objects)
        columns = role_columns(objects, one.detector.spec.columns)
        ids = objects["object_id"].to_numpy()
        x: Judged | Stored | StoredPairs | Given
        if one.detector.spec.scope == "catalogue":
            x, rows = _rows_of_roles(one, objects, ids, columns)
        else:
            views = [self.reference.vectors(self.views[name]) for name in one.name.vectors]
            plain, rows = _side_by_side(one, views, ids, columns)
            x = _given(one, plain, objects, rows)
        self._require_known(one, x)
        if self.reference.run is not None:
            return x.take(~changed_copies(objects)[rows])
        return x.take((self.reference.rows & ~self.copies)[rows])

    def _require_known(self, one: ListPlan, x: Judged | Stored | StoredPairs | Given) -> None:
        """Refuse a reference that cannot be given what the list is.

        Raises:
            DataError: none of its objects knows a role.
        """
        unknown = [] if len(x) else list(one.roles)
        if isinstance(x, Given):
            some = np.isfinite(x.roles).any(axis=0)
            unknown = [x.names[i] for i in np.flatnonzero(~some)]
        if unknown and self.reference is not None:
            raise DataError(
                f"{one.name}: no object of --reference {self.reference.text} knows its"
                f" {', '.join(unknown)}; take another reference, or leave it out of given"
            )

    def members(
        self, one: ListPlan, tables: Mapping[ListName, pd.DataFrame], rows: Array
    ) -> Members:
        """Standing of the objects at `rows` among each other, in lists that all of them are in.

        Args:
            one: the list made of these.
            tables: its members, or some of them, aligned with `objects`.
            rows: (m,), rising.
        """
        codes, keys = group_codes(self.groups[rows])
        copies = self.copies[rows]
        percentiles = {
            name: rank_survey(rows, table["score"].to_numpy()[rows], codes, copies).percentile
            for name, table in tables.items()
        }
        p_values = {
            name: table["p_value"].to_numpy(dtype=np.float64, na_value=np.nan)[rows]
            for name, table in tables.items()
        }
        columns = role_columns(self.objects, one.detector.spec.columns)
        own = {role: values[rows] for role, values in columns.items()}
        known = None if self.reference is None else p_values
        return Members(self.ids[rows], percentiles, known, own, len(keys))


def _given(
    one: ListPlan, x: Stored | StoredPairs, objects: pd.DataFrame, rows: Array
) -> Stored | StoredPairs | Given:
    """The vectors with the roles that the list is given."""
    names = one.name.given
    if not names:
        return x
    of = x.pairs() if isinstance(x, StoredPairs) else x
    return Given(of, names, role_matrix(objects, names)[rows])


def _rows_of_roles(
    one: ListPlan, objects: pd.DataFrame, ids: Array, columns: Mapping[str, Array]
) -> tuple[Vectors, Array]:
    """The roles of the objects that know all of them, as vectors.

    Raises:
        DataError: a value is beyond float32; names the role and an object.
    """
    roles = role_matrix(objects, one.roles)
    rows = np.flatnonzero(np.isfinite(roles).all(axis=1))
    beyond = np.argwhere(np.abs(roles[rows]) > np.finfo(np.float32).max)
    for row, role in beyond[:1]:
        value = f"{one.roles[role]} of {ids[rows[row]]} is {roles[rows[row], role]:g}"
        raise DataError(
            f"{one.name}: {value}, which no such quantity can be; leave the value empty, or the"
            " object out with --where"
        )
    own = {role: values[rows] for role, values in columns.items()}
    return Vectors(ids[rows], roles[rows].astype(np.float32), own), rows


def _side_by_side(
    one: ListPlan, views: list[VectorView], ids: Array, columns: Mapping[str, Array]
) -> tuple[Stored | StoredPairs, Array]:
    """The vectors of one view, or of the objects that two views share."""
    if len(views) == 1:
        rows = views[0].rows
        own = {role: values[rows] for role, values in columns.items()}
        return Stored(ids[rows], views[0].select(rows), own), rows
    a, b = views
    rows = np.intersect1d(a.rows, b.rows, assume_unique=True)
    own = {role: values[rows] for role, values in columns.items()}
    of_a, of_b = a.select(rows), b.select(rows)
    return StoredPairs(ids[rows], of_a, of_b, one.aligned, (a.name, b.name), own), rows
