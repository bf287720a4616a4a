"""What lists are held against: nuisances that may have made them, and who owns their head."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from fmb.contract.arrays import Array
from fmb.datasets.objects import role_columns
from fmb.scoring.alike import NEIGHBOURS, percentile_among_alike
from fmb.scoring.folds import group_codes
from fmb.scoring.owners import owners
from fmb.scoring.ranking import Ranking
from fmb.store.keys import array_key

__all__ = ["Nuisances"]

NUISANCES = ("magnitude", "size", "snr", "depth", "psf", "ebv")
"""Roles that objects are alike in: what is known of their light and of how they were observed."""
STRATUM = "survey"
"""Objects are compared within it. Not within the known class: what is looked for may have one."""
OWNERS = ("field", "survey")
"""Roles that may own a list."""


@dataclass(frozen=True)
class Nuisances:
    """The roles of a survey that lists are held against."""

    columns: Mapping[str, Array]
    """Role -> (n,), float64, NaN where unknown: those that vary."""
    texts: Mapping[str, Array]
    """Role -> (n,), text, "" where unknown."""

    @classmethod
    def of(cls, objects: pd.DataFrame) -> "Nuisances":
        """Those that a catalogue has, by the roles of its columns."""
        columns = role_columns(objects, NUISANCES)
        varying = {role: values for role, values in columns.items() if _varies(values)}
        return cls(varying, role_columns(objects, sorted({STRATUM, *OWNERS})))

    def with_given(self, objects: pd.DataFrame, roles: Sequence[str]) -> "Nuisances":
        """These and the roles that a list is given."""
        own = {r: values for r, values in role_columns(objects, roles).items() if _varies(values)}
        return replace(self, columns={**self.columns, **own})

    @property
    def key(self) -> dict[str, str]:
        """Role -> digest: what the numbers beside a list depend on."""
        return {role: array_key(values) for role, values in {**self.columns, **self.texts}.items()}

    def among_alike(self, rows: Array, ranking: Ranking, groups: Array) -> Array:
        """Percentile of the objects of a list among their like; see `percentile_among_alike`.

        Repeats are nobody's like, and have the number of their source.

        Args:
            rows: (m,), which objects of the survey are in the list.
            ranking: of them.
            groups: (m,), equal for repeats of one source.

        Returns:
            (m,), float64, in (0, 1]; NaN where it cannot be said.
        """
        if not self.columns:
            return np.full(len(rows), np.nan)
        roles = np.column_stack([values[rows] for values in self.columns.values()])
        once, (codes, keys) = np.sort(ranking.order), group_codes(groups)
        of_source = np.full(len(keys), np.nan)
        of_source[codes[once]] = percentile_among_alike(
            ranking.rank[once], roles[once], self.texts[STRATUM][rows[once]]
        )
        return np.asarray(of_source[codes])

    def record(self, rows: Array, ranking: Ranking, among: Array) -> dict[str, Any]:
        """What is said of a list: the roles of those alike, and who owns its head."""
        first = rows[ranking.order]
        told = {role: owners(self.texts[role][first]) for role in OWNERS}
        few = bool(self.columns) and not np.isfinite(among).any()
        why = f"fewer than {NEIGHBOURS} objects know a role" if few else ""
        return {
            "alike": {"roles": list(self.columns), "neighbours": NEIGHBOURS, "why_not": why},
            "owners": [f"{role} {one}" for role, some in told.items() for one in some],
        }


def _varies(values: Array) -> bool:
    known = values[np.isfinite(values)]
    return bool(len(known)) and bool((known != known[0]).any())
