"""The plan of lists of new objects: those of a run whose fits are there, as far as these allow."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fmb.contract.names import ListName, VectorName
from fmb.contract.vector_view import VectorView
from fmb.datasets.copies import require_hosts
from fmb.datasets.objects import object_table, role_matrix
from fmb.datasets.unknown_values import unknown_lines
from fmb.embedding.places import comparable
from fmb.fitted.asked import base_run
from fmb.measured.roles import measured_on_kind
from fmb.messages.errors import ConfigError, StoreError, did_you_mean
from fmb.messages.notes import Note
from fmb.plan.fusions import thresholds_of
from fmb.plan.lists import ROWS, Judge, choose_judges
from fmb.plan.measured import is_measured, measured_instruments
from fmb.plan.records import ListPlan, ModelPlan, Plan
from fmb.plan.session import Session
from fmb.request.record import Request
from fmb.runs.run import Run
from fmb.runs.stored_vectors import shown_vectors

__all__ = ["plan_fitted"]


def plan_fitted(session: Session, request: Request, steps: Collection[str]) -> Plan:
    """The plan of a request for lists by the fits of another run.

    Args:
        session: the installed components.
        request: as `request_of_base` gives it.
        steps: as for `Session.plan`.

    Raises:
        FmbError: a name, file or input does not work, the vectors do not compare, or none of the
            lists can be made.
    """
    base = base_run(request, session.workspace)
    plan = session.plan(request, steps=[step for step in steps if step != "detect"])
    if base is None or "detect" not in steps:
        return plan
    models = tuple(one for model in plan.models if (one := _as_there(model, base)).views)
    plan = replace(plan, models=models)
    for model in models:
        _require_comparable(model, base)
    for view in plan.dataset.vectors.values():
        _require_width(view, base)
    judges = {one.detector.label: one for one in choose_judges(request, session.registry)}
    chosen = _Chosen(base, plan, judges, {}, {})
    for name in base.lists:
        chosen.take(name)
    unknown = _unknown_views(plan, base)
    if not chosen.lists:
        why = "; ".join([*unknown, *chosen.why])
        raise ConfigError(f"run {base.name!r} can make no list of these objects: {why}")
    used = dict.fromkeys(role for one in chosen.lists for role in one.given)
    wrong = [
        *require_hosts(object_table(plan.dataset), base.objects),
        *unknown_lines(plan.dataset.catalog, list(used)),
    ]
    about = (
        f"lists by the fits of run {base.name!r}: percentile_fitted, fitted on the screen, is the"
        " share of its objects that are no stranger"
    )
    left = [f"not made of these objects: {', '.join(some)}: {w}" for w, some in chosen.why.items()]
    lists = tuple(chosen.lists.values())
    return replace(
        plan,
        lists=lists,
        measured=measured_instruments(lists),
        notes=(*plan.notes, *(Note("fitted", text) for text in (about, *wrong, *unknown, *left))),
    )


def _unknown_views(plan: Plan, base: Run) -> list[str]:
    """A line on each of the new own vectors that no fit has seen the like of."""
    known = dict.fromkeys(name.view for name in base.vector_names)
    return [
        f"vectors {name.view!r} are of no view of run {base.name!r}{did_you_mean(name.view, known)}"
        for name in plan.dataset.vectors
        if name.view not in known
    ]


def _as_there(model: ModelPlan, base: Run) -> ModelPlan:
    """The model with those views that the run has."""
    known = {name.view for name in base.vector_names if name.model == model.label}
    return replace(model, views=tuple(view for view in model.views if view in known))


def _require_comparable(model: ModelPlan, base: Run) -> None:
    """Refuse vectors that are made otherwise than those that the fits have seen.

    Raises:
        StoreError: names the view and what differs.
    """
    entries = dict(zip(base.vector_names, base.manifest["vectors"], strict=True))
    weights = base.manifest["models"][model.label]["weights"]
    for name in model.vector_names:
        if name in entries and entries[name]["comparable"] == comparable(model, name):
            continue
        why = "the model or the embedder is of another version"
        if dict(weights) != dict(model.weights.identity):
            why = f"the weights are now others ({model.weights.name})"
        elif name not in entries:
            why = f"the embedder is now {name.embedder}"
        raise StoreError(
            f"{name.view} vectors of {model.label} do not compare with those of run {base.name!r}:"
            f" {why}; make a run with fits of its own without --fitted"
        )


def _require_width(view: VectorView, base: Run) -> None:
    """Refuse own vectors of another width than those that the fits have seen.

    Raises:
        StoreError: says both.
    """
    if view.name not in base.vector_names:
        return
    # The run keeps some of its vectors itself: its file may be gone.
    width = shown_vectors(view.name, base.folder.shown(view.name), "").width
    if view.width != width:
        raise StoreError(
            f"the new vectors {view.name.view} have {view.width} numbers each, those of run"
            f" {base.name!r} have {width}: embed both with the same model"
        )


@dataclass(frozen=True)
class _Chosen:
    """Lists of a run that can be made of other objects, and why others cannot."""

    base: Run
    plan: Plan
    judges: Mapping[str, Judge]
    lists: dict[ListName, ListPlan]
    why: dict[str, list[str]]
    """Reason -> the lists."""

    def take(self, name: ListName) -> None:
        """Plan a list, which comes after those it is made of, or say why it cannot be made."""
        judge, record = self.judges.get(name.detector), self.base.record(name)
        why = self._why_not(name, judge, record.get("judges", ()))
        if why or judge is None:
            self.why.setdefault(why, []).append(str(name))
            return
        aligned = {model.label: model.spec.aligned for model in self.plan.models}
        self.lists[name] = ListPlan(
            name,
            judge.detector,
            aligned=len(name.of) > 1 and aligned.get(name.model, False),
            apart=judge.terms.apart,
            thresholds=thresholds_of(name, judge.terms),
            roles=tuple(record.get("judges", ())),
        )

    def _why_not(self, name: ListName, judge: Judge | None, judges: Sequence[str]) -> str:
        if judge is None:
            return f"detector {name.detector!r} is not installed"
        spec = judge.detector.spec
        if spec.scope == "fusion":
            if spec.fitted:
                return f"{name.detector} is fitted to ranks, which are others here"
            gone = any(part not in self.lists for part in name.of)
            return "lists that it is made of are not" if gone else ""
        if not spec.persistent:
            return f"fits of {name.detector} cannot be kept"
        if spec.fitted and not any(self.base.folder.detectors(name).glob("fold-*")):
            return "the fits were removed"
        if lost := [part.view for part in name.vectors if part not in self._vectors]:
            return f"these objects have no {' and no '.join(lost)}"
        if unknown := [role for role in (*name.given, *judges) if not self._knows(role)]:
            return f"these objects have no {', '.join(unknown)}"
        return ""

    @property
    def _vectors(self) -> list[VectorName]:
        return [*self.plan.vector_names, ROWS]

    def _knows(self, role: str) -> bool:
        """True where some object may know a role."""
        plain, _, instrument = role.partition("@")
        if is_measured(role):
            there = self.plan.dataset.inputs.get(instrument)
            return there is not None and plain in measured_on_kind(there.kind)
        return bool(np.isfinite(role_matrix(self.plan.dataset.catalog, [role])).any())
