"""Lists of a plan: which detector judges which vectors, or which other lists."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

from fmb.contract.detector import DetectorSpec
from fmb.contract.names import ListName, VectorName
from fmb.messages.errors import ConfigError, UnknownNameError, did_you_mean
from fmb.plan.choice import Chosen, choose
from fmb.plan.fusions import FusionTerms, fuse_lists, terms_of
from fmb.plan.records import ListPlan, ModelPlan
from fmb.plugins.registry import Registry
from fmb.request.record import Request

__all__ = ["Judge", "Judged", "choose_judges", "plan_lists"]

logger = logging.getLogger(__name__)


ROWS = VectorName("catalogue", "roles", "catalogue")
"""What rows of the catalogue are called where a list is made of them."""


@dataclass(frozen=True)
class Judged:
    """Vectors as detectors choose among them."""

    name: VectorName
    joint: bool = False
    """True when it is made of several inputs, so that it is half of no pair."""
    aligned: bool = False
    """True when it shares a space with the other views of its model."""
    inputs: tuple[str, ...] = ()
    """Instruments that it is made of."""

    @classmethod
    def of_model(cls, model: ModelPlan) -> "Iterator[Judged]":
        """All that a model gives."""
        for name in model.vector_names:
            slots = model.spec.views[name.view]
            inputs = tuple(model.bindings.slots[slot] for slot in slots)
            yield cls(name, len(slots) > 1, model.spec.aligned, inputs)


@dataclass(frozen=True)
class Judge:
    """A detector and what it was told to judge."""

    detector: Chosen[DetectorSpec]
    of: tuple[str, ...] = ()
    """Views, for a fusion labels of other detectors too; () = all it can."""
    companion: bool = False
    """True when nobody named it: it comes along where there is something for it."""
    given: tuple[str, ...] = ()
    """Roles that its lists are given, measured ones as "light@euclid", to those whose inputs have
    it; of scope "catalogue" those that it judges."""
    terms: FusionTerms = field(default_factory=FusionTerms)
    """Of a fusion: what else it was told."""


def choose_judges(request: Request, registry: Registry) -> tuple[Judge, ...]:
    """The detectors that are asked for, and those that come along.

    Raises:
        ConfigError: none is named.
        FmbError: a name or option does not work.
    """
    if not request.detector:
        known = ", ".join(c.spec.name for c in registry.all(DetectorSpec))
        raise ConfigError(f"name a detector with --detector; installed: {known or 'none'}")
    asked = []
    for label, one in request.detector.items():
        detector = choose(registry, DetectorSpec, label, one.use, one.settings)
        asked.append(Judge(detector, one.of or (), terms=terms_of(one, detector)))
    if request.run.companions:
        if all(judge.detector.spec.scope == "fusion" for judge in asked):
            asked.extend(_members(registry, asked))
        asked.extend(_companions(registry, asked))
    return tuple(asked)


def _members(registry: Registry, fusions: Sequence[Judge]) -> Iterator[Judge]:
    """Whose lists fusions take where nobody else is named: what `of` names, else their own."""
    named = {name for c in registry.all(DetectorSpec) for name in c.spec.names}
    labels = {judge.detector.label for judge in fusions}
    wanted: dict[str, str] = {}  # member -> the first that wants it
    for fusion in fusions:
        spec, of = fusion.detector.spec, [name for name in fusion.of if name in named]
        wanted.update({name: spec.name for name in of or spec.members if name not in wanted})
    for name, fusion_name in wanted.items():
        if name not in named:
            logger.warning("%s goes without %s, which is not installed", fusion_name, name)
        elif name not in labels:
            yield Judge(choose(registry, DetectorSpec, name, name, {}), companion=True)


def _companions(registry: Registry, asked: Sequence[Judge]) -> list[Judge]:
    named = {judge.detector.component.qualified for judge in asked}
    labels = {judge.detector.label for judge in asked}
    return [
        Judge(choose(registry, DetectorSpec, c.spec.name, c.qualified, {}), companion=True)
        for c in registry.all(DetectorSpec)
        if c.spec.companion and c.qualified not in named and c.spec.name not in labels
    ]


def plan_lists(judges: Sequence[Judge], judged: Sequence[Judged]) -> tuple[ListPlan, ...]:
    """The lists that detectors make: of one view, then of two, then of other lists.

    A pair is two views of one model and embedder, neither of them joint; a fusion takes the lists
    of one model and embedder, see `fuse_lists`. `of` in a detector's table narrows either.

    Args:
        judges: the detectors.
        judged: the vectors there will be.

    Raises:
        ConfigError: a detector that was asked for has nothing to judge.
        UnknownNameError: `of` names nothing.
    """
    lists: list[ListPlan] = []
    places = {one.name: place for place, one in enumerate(judged)}
    for scope, make in _MAKERS.items():
        made = []
        for judge in judges:
            if judge.detector.spec.scope == scope:
                own = list(make(judge, judged, lists))
                if not own and not judge.companion:
                    raise ConfigError(_nothing(judge, judged))
                made.extend(own)
        # By vectors first: the lists of one view stand together, whoever made them.
        lists.extend(sorted(made, key=lambda one: places.get(one.name.vectors[0], len(places))))
    return tuple(lists)


Made = Iterator[ListPlan]
Views = Sequence[Judged]
Lists = Sequence[ListPlan]


def _singles(judge: Judge, judged: Views, lists: Lists) -> Made:
    for one in _views(judge, judged):
        name = ListName(judge.detector.label, (one.name,), _given(judge, one))
        yield ListPlan(name, judge.detector, companion=judge.companion)


def _pairs(judge: Judge, judged: Views, lists: Lists) -> Made:
    parts = [one for one in _views(judge, judged) if not one.joint]
    for a, b in combinations(parts, 2):
        if (a.name.model, a.name.embedder) == (b.name.model, b.name.embedder):
            name = ListName(judge.detector.label, (a.name, b.name), _given(judge, a, b))
            yield ListPlan(name, judge.detector, a.aligned and b.aligned, judge.companion)


def _given(judge: Judge, *judged: Judged) -> tuple[str, ...]:
    """The roles of a list: those of the catalogue, and what is measured on its own instruments."""
    own = {"", *(name for one in judged for name in one.inputs)}
    return tuple(role for role in judge.given if role.partition("@")[2] in own)


def _catalogues(judge: Judge, judged: Views, lists: Lists) -> Made:
    if judge.given:
        yield ListPlan(ListName(judge.detector.label, (ROWS,)), judge.detector, roles=judge.given)


def _fusions(judge: Judge, judged: Views, lists: Lists) -> Made:
    joint = [one.name.view for one in judged if one.joint]
    for one in fuse_lists(judge.detector, judge.of, judge.terms, lists, joint):
        # Unasked for, it is there for what views say of each other, not detectors of one view.
        if not judge.companion or len({of.view for of in one.name.of}) > 1:
            yield replace(one, companion=judge.companion)


def _views(judge: Judge, judged: Views) -> Views:
    _require_known(judge, dict.fromkeys(one.name.view for one in judged))
    return [one for one in judged if not judge.of or one.name.view in judge.of]


def _require_known(judge: Judge, known: Mapping[str, object]) -> None:
    for name in judge.of:
        if name not in known:
            raise UnknownNameError(
                f"detector.{judge.detector.label}.of names {name!r}{did_you_mean(name, known)}"
            )


_MAKERS: Mapping[str, Callable[[Judge, Views, Lists], Made]] = {
    "single": _singles,
    "pair": _pairs,
    "catalogue": _catalogues,
    "fusion": _fusions,
}
"""Scope -> what makes its lists; a later scope may take what the earlier ones made."""


def _nothing(judge: Judge, judged: Views) -> str:
    label = judge.detector.label
    if judge.detector.spec.scope == "catalogue":
        return (
            f"detector {label!r} judges roles of the catalogue, and there is none to judge: say"
            f" which with detector.{label}.given, or in survey.toml which columns play one"
        )
    if not judged:
        return f"detector {label!r} has no vectors to judge: no view has all its inputs here"
    if judge.detector.spec.scope == "pair":
        views = ", ".join(dict.fromkeys(one.name.view for one in _views(judge, judged)))
        return (
            f"detector {label!r} compares two views of a model; there is only {views}: take a"
            " survey with more inputs, or leave the detector out"
        )
    return (
        f"detector {label!r} fuses the lists of others, and there are not two: name more detectors"
        " with --detector, or more views"
    )
