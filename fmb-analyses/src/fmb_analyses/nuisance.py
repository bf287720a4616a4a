"""How strongly the head of a list follows nuisances."""

from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from typing import Any

import numpy as np
import pandas as pd

from fmb import Array, ConfigError, DataError, ListName, Progress, RunData
from fmb.datasets import group_keys, role_columns
from fmb_analyses.bootstrap import interval
from fmb_analyses.config import NuisanceConfig
from fmb_analyses.logistic import out_of_fold, quadratic
from fmb_analyses.metrics import auroc

__all__ = ["Nuisance"]

ALL = "all"


class Nuisance:
    """AUROC of telling the head of each list from the rest by nuisances alone."""

    def __init__(self, config: NuisanceConfig, *, seed: int) -> None:
        self.config, self.seed = config, seed

    def analyze(self, runs: Sequence[RunData], progress: Progress) -> Mapping[str, pd.DataFrame]:
        """One row a list and role, "all" of them first.

        Columns: list, detector, view, given; role; auroc with low and high, out of fold, 0.5 =
        the list does not follow it; head, ranked: objects of the head and of the list.

        Raises:
            ConfigError: a role is none of numbers, or a list that is too short for a head.
            DataError: the catalogue has none of the roles.
        """
        (run,) = runs
        rows: list[dict[str, Any]] = []
        groups = group_keys(run.objects)
        for done, name in enumerate(run.lists):
            progress("nuisance", done, len(run.lists))
            rows += self._of_list(run, name, groups)
        progress("nuisance", len(run.lists), len(run.lists))
        return {"strength": pd.DataFrame(rows)}

    def _of_list(self, run: RunData, name: ListName, groups: Array) -> Iterator[dict[str, Any]]:
        roles = self._roles(run, name)
        scores = run.scores(name)
        ranked = scores["score"].notna() & ~scores["is_repeat"].fillna(False).astype(bool)
        rows = np.flatnonzero(ranked.to_numpy(dtype=bool))
        size = max(ceil(self.config.head * len(rows)), self.config.at_least)
        if 2 * size > len(rows):
            raise ConfigError(
                f"{name}: a head of {size} of {len(rows):,} objects has no rest to compare with;"
                " lower --set analysis.nuisance.at_least"
            )
        place = np.argsort(scores["rank"].to_numpy(dtype=float)[rows], kind="stable")
        head = np.zeros(len(rows), dtype=bool)
        head[place[:size]] = True
        told = {
            "list": str(name),
            "detector": name.detector,
            "view": name.view,
            "given": ", ".join(name.given),
        }
        for role, values in {ALL: np.column_stack([*roles.values()]), **roles}.items():
            columns = quadratic(values.reshape(len(values), -1)[rows])
            odds = out_of_fold(head, columns, groups[rows], self.config.folds, self.seed)
            found = interval(
                auroc, head, odds, groups[rows], n=self.config.resamples, seed=self.seed
            )
            values_of = {"auroc": found.value, "low": found.low, "high": found.high}
            yield {**told, "role": role, **values_of, "head": size, "ranked": len(rows)}

    def _roles(self, run: RunData, name: ListName) -> dict[str, Array]:
        """Role -> (n,) of those that vary: the nuisances, and what the list is given."""
        asked = dict.fromkeys((*self.config.roles, *name.given))
        found = role_columns(run.objects, [*asked])
        varying = {role: values for role, values in found.items() if _varies(values)}
        if not varying:
            raise DataError(
                f"run {run.name!r}: no column of its catalogue plays one of"
                f" {', '.join(asked)}: declare them in survey.toml as roles"
            )
        return varying


def _varies(values: Array) -> bool:
    known = values[np.isfinite(values)]
    return bool(len(known)) and bool(np.ptp(known) > 0)
