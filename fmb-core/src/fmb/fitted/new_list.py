"""One list of new objects: scored by kept fits, and held against the list of the objects fitted."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from fmb.contract.arrays import Array
from fmb.crossfit.checked import Checked
from fmb.crossfit.fitted import judge_each
from fmb.crossfit.given import Given, strata
from fmb.crossfit.kept_fits import KeptFits, load_fits
from fmb.crossfit.scored import IN_SAMPLE
from fmb.datasets.copies import changed_copies
from fmb.datasets.objects import role_matrix
from fmb.fitted.shared_objects import Shared
from fmb.lists.judged import Survey
from fmb.lists.kept_lists import KeptList, KeptLists
from fmb.lists.kept_table import spread, write_scores
from fmb.messages.errors import DataError
from fmb.plan.records import ListPlan
from fmb.runs.run import Run
from fmb.scoring.calibration import p_values, q_values
from fmb.scoring.drift import shift_of, tail_of
from fmb.scoring.ranking import rank_survey
from fmb.scoring.strata import on_one_scale
from fmb.store.atomic import publish_json
from fmb.store.tables import read_table, write_table

__all__ = ["NewList"]


@dataclass(frozen=True, eq=False)
class NewList:
    """What a list of new objects is made from."""

    one: ListPlan
    survey: Survey
    base: Run
    """The run whose fits score them."""
    table: pd.DataFrame
    """Its list, aligned with its objects."""
    folds: Array
    """(n,), float64: see `Shared.folds`."""
    left_out: Array
    """(n,), float64: the score that `base` has of the same vector, by one fit to all but its
    source; NaN = there is none."""
    reference: pd.DataFrame | None
    """Scores of its reference, a column a fit after the ids; None = gone, or there was none."""

    @classmethod
    def of(
        cls, one: ListPlan, survey: Survey, base: Run, shared: Shared, shelf: KeptLists
    ) -> "NewList":
        """The list `one`, of which `base` has its own."""
        table, entry = base.scores(one.name), base.record(one.name)
        kept = shelf.of(entry["key"]).reference
        there = entry["reference_objects"] and kept.exists()
        reference = read_table(kept) if there else None
        left_out = np.full(len(survey.ids), np.nan)
        if entry["fit"] == "leave-one-out":
            same = shared.alike[one.name.vectors[0]]
            left_out = np.append(table["score"].to_numpy(float), np.nan)[same]
        return cls(one, survey, base, table, shared.folds(table), left_out, reference)

    @property
    def _entry(self) -> Mapping[str, Any]:
        return self.base.record(self.one.name)

    @property
    def _in_sample(self) -> bool:
        """True where the list of `base` is by a fit that had seen its objects."""
        return bool(self._entry["fit"] == "in-sample")

    def make(self, place: KeptList, new: Callable[[], Any]) -> None:
        """Score the objects and write what is kept of the list.

        Args:
            place: where it is kept.
            new: makes a detector that is never fitted.

        Raises:
            DataError: it can judge none of the objects.
            FmbError: as `load_fits` and `judge_each`.
        """
        x, rows = self.survey.judged(self.one)
        if not len(x):
            raise DataError(
                f"{self.one.name}: none of {len(self.survey.ids):,} new objects can be ranked: each"
                " lacks one of the vectors that it judges"
            )
        fits, columns = self._fits(new), tuple(self.one.detector.spec.details)
        by_fit, told = judge_each(fits.detectors, x, fits.given, columns)
        seen, left_out = self.folds[rows], self.left_out[rows]
        fold = np.where(seen >= 0, seen, IN_SAMPLE).astype(np.int64)
        scores = _by_folds(by_fit, fold, by_fit.mean(axis=0))
        scores = np.where(np.isnan(left_out), scores, left_out)
        stratum, usual, theirs = self._beside(x, fits, fold)
        groups, copies = self.survey.groups[rows], self.survey.copies[rows]
        ranked = on_one_scale(scores, stratum, copies)
        among = np.where(usual, np.searchsorted(theirs, scores, side="right") / len(theirs), np.nan)
        p, q = self._calibrated(place, scores, fold, rows)
        numbers, beside = (ranked, fold, p, q), {"percentile_fitted": among}
        standing = write_scores(place, self.survey, rows, numbers, self.one.name.given, beside)
        if told:
            self._write_details(place, told, fold, rows)
        once = ~rank_survey(x.ids, ranked, groups, copies).repeat & np.isnan(left_out)
        record = {
            "objects": len(x),
            "reference_objects": 0 if self.reference is None else len(self.reference),
            "fit": "fitted",
            "note": "",
            "notes": self._notes(seen, left_out, usual),
            "folds": len(by_fit),
            "shift": None,
            "given": {},
            "judges": list(self.one.roles),
            "reports": [],
            "drift": self._drift(by_fit, fold, usual & once & np.isnan(seen), theirs),
            **standing,
        }
        publish_json(place.record, record)

    def _write_details(
        self, place: KeptList, told: Mapping[str, Array], fold: Array, rows: Array
    ) -> None:
        """Keep what detectors tell of each object: the median over fits where all score it."""
        n = len(self.survey.objects)
        middle = {c: _by_folds(v, fold, np.median(v, axis=0)) for c, v in told.items()}
        details = pd.DataFrame({c: spread(v, rows, n) for c, v in middle.items()})
        details.attrs["units"] = dict(self.one.detector.spec.details)
        write_table(place.details, details, {})

    def _fits(self, new: Callable[[], Any]) -> KeptFits:
        """The fits of the list, on the scale that they shared."""
        label = f"detector {str(self.one.name)!r}"
        if not self.one.detector.spec.fitted:
            return KeptFits((Checked(new(), label).accept(),), (), ())
        load = self.one.detector.component.load().load
        fits = load_fits(self.base.folder.detectors(self.one.name), load, label)
        for detector, offset in zip(fits.detectors, self._entry.get("offsets", ()), strict=False):
            detector.offset = offset
        return fits

    def _beside(self, x: Any, fits: KeptFits, fold: Array) -> tuple[Array, Array, Array]:
        """What scores of new objects compare with.

        Returns:
            (n,) int64 the roles each is given; (n,) bool whether these are those of most objects of
            `base`, whose scores alone are kept as they are; (m,) float64, rising, scores of the
            latter, each source once.
        """
        theirs = self.table["score"].to_numpy(float)
        listed = np.isfinite(theirs)
        once = listed & ~self.table["is_repeat"].fillna(True).to_numpy(dtype=bool)
        if not isinstance(x, Given):
            every = np.ones(len(x), dtype=bool)
            return np.zeros(len(x), dtype=np.int64), every, np.sort(theirs[once])
        stratum = strata(x, fits.given, np.maximum(fold, 0))
        roles = role_matrix(self.base.objects, fits.names)[listed]
        by = np.maximum(self.table["fold"].to_numpy(float, na_value=-1)[listed], 0)
        codes = np.full(len(theirs), -1, dtype=np.int64)
        found = np.empty(len(roles), dtype=np.int64)
        for i, (transform, *_) in enumerate(fits.given):
            found[by == i] = transform.stratum(roles[by == i])
        codes[listed] = found
        keys, counts = np.unique(
            codes[listed & ~changed_copies(self.base.objects)], return_counts=True
        )
        most = keys[np.argmax(counts)]
        return stratum, stratum == most, np.sort(theirs[once & (codes == most)])

    def _calibrated(
        self, place: KeptList, scores: Array, fold: Array, rows: Array
    ) -> tuple[Array, Array]:
        """P- and q-values against the reference of `base`, by the same fits; NaN without one.

        An object that all fits score meets the mean of their scores of the reference.
        """
        p, q = np.full((2, len(rows)), np.nan)
        if self.reference is None:
            return p, q
        by_fit = self.reference.iloc[:, 1:].to_numpy(float)
        # The last is what fold -1 stands for, here and where fusions take their p-values from it.
        by_fit = np.column_stack([by_fit, by_fit.mean(axis=1)])
        for i in np.unique(fold):
            p[fold == i] = p_values(scores[fold == i], by_fit[:, i])
        own = np.flatnonzero(~self.survey.copies[rows])
        q[own] = q_values(p[own], self.survey.groups[rows][own])
        table = pd.DataFrame({f"fit_{i}": column for i, column in enumerate(by_fit.T)})
        table.insert(0, "object_id", self.reference.iloc[:, 0])
        write_table(place.reference, table, {})
        return p, q

    def _drift(
        self, by_fit: Array, fold: Array, which: Array, theirs: Array
    ) -> dict[str, Any] | None:
        """How far the scores of new objects lie from those of `base`; None = it cannot be told.

        Objects that `base` has too are not among `which`: they would hide what the new ones do.

        Each object is scored by one fit here, as those of `base` were: the mean over several has a
        narrower distribution.
        """
        if self._in_sample or not which.any():
            return None
        turns = np.where(fold >= 0, fold, np.arange(len(fold)) % len(by_fit))
        mine = _by_folds(by_fit, turns, by_fit[0])[which]
        return {"scores": asdict(shift_of(theirs, mine)), "top": asdict(tail_of(theirs, mine))}

    def _notes(self, seen: Array, left_out: Array, usual: Array) -> list[str]:
        """What a reader of the list must know."""
        base, notes = self.base.name, []
        own = ~np.isnan(left_out)
        by_one, shared = int((~own & (seen == IN_SAMPLE)).sum()), int((seen >= 0).sum())
        if own.any():
            notes.append(
                f"{int(own.sum()):,} of these objects are in run {base!r} too: each has the score"
                " that it has there, by a fit without it"
            )
        if by_one:
            notes.append(f"{by_one:,} of these objects were seen by the fit of run {base!r}")
        if shared:
            notes.append(
                f"{shared:,} of these objects are in run {base!r} too: each is scored by the fit"
                " that has not seen it, all others by the mean of all"
            )
        if self._in_sample:
            notes.append(
                f"run {base!r} was fitted in-sample, so its own scores run low: new objects stand"
                " too high among them, and drift of scores cannot be told"
            )
        if fewer := int((~usual).sum()):
            notes.append(
                f"{self.one.name}: {fewer:,} objects are not given the roles that most of run"
                f" {base!r} are: they have no place among these"
            )
        if self._entry["reference_objects"] and self.reference is None:
            notes.append(
                f"no p-values: the scores of the reference of run {base!r} are gone from the"
                " workspace; make the run anew"
            )
        return notes


def _by_folds(by_fit: Array, fold: Array, others: Array) -> Array:
    """(n,): of (fits, n) that of each object's fold, and of `others` where it is in none."""
    own = by_fit[np.maximum(fold, 0), np.arange(by_fit.shape[1])]
    return np.where(fold >= 0, own, others)
