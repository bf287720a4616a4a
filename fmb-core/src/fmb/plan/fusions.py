"""Lists made of lists: which are fused, which of their objects, and what each must reach."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fmb.contract.detector import DetectorSpec
from fmb.contract.names import ListName
from fmb.messages.errors import ConfigError, UnknownNameError, did_you_mean
from fmb.plan.choice import Chosen
from fmb.plan.records import ListPlan
from fmb.request.record import DetectorRequest

__all__ = ["FusionTerms", "fuse_lists", "terms_of", "thresholds_of"]

_JUDGES = {"single": "vectors of one view", "pair": "two views side by side"}


@dataclass(frozen=True)
class FusionTerms:
    """What a fusion was told besides its options."""

    apart: bool = True
    """Objects that are in some of the lists only are ranked among their like, else left out."""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """Words of a list -> the percentile that an object must reach in it."""


def terms_of(asked: DetectorRequest, detector: Chosen[DetectorSpec]) -> FusionTerms:
    """The terms of a detector's table.

    Raises:
        ConfigError: they do not go with the detector.
    """
    spec, label = detector.spec, detector.label
    if spec.scope != "fusion":
        if asked.scope is not None:
            raise ConfigError(
                f"--fusion {label}: {spec.name!r} fuses no lists, it judges"
                f" {_JUDGES.get(spec.scope, spec.scope)}; name it with --detector"
            )
        for key in ("missing", "thresholds"):
            if getattr(asked, key) is not None:
                raise ConfigError(f"detector.{label}.{key} goes with a fusion of lists")
    elif spec.fitted and (asked.missing == "apart" or asked.thresholds):
        key = "thresholds" if asked.thresholds else "missing"
        raise ConfigError(
            f"detector.{label}.{key}: {spec.name!r} is fitted to the objects that are in all"
            " lists; leave it out, or fuse with a rule"
        )
    return FusionTerms(not spec.fitted and asked.missing != "common", asked.thresholds or {})


def fuse_lists(
    detector: Chosen[DetectorSpec],
    of: Sequence[str],
    terms: FusionTerms,
    lists: Sequence[ListPlan],
    joint: Sequence[str],
) -> Iterator[ListPlan]:
    """The fusions that a detector makes: one a model and embedder that has two lists to fuse.

    Left alone it takes lists of one view that is not joint and of pairs of views, by detectors
    whose lists are fused; any other list has to be named.

    Args:
        detector: of scope "fusion".
        of: labels of detectors and views, which narrow what is fused; () = all of them.
        terms: what it was told besides.
        lists: those that were planned before.
        joint: views made of several inputs.

    Raises:
        ConfigError: it is to fuse itself.
        UnknownNameError: `of` or a threshold names nothing.
    """
    labels = dict.fromkeys(one.detector.label for one in lists)
    views = dict.fromkeys(one.name.view for one in lists)
    _require_known(detector.label, of, [*labels, *views])
    of_labels = [name for name in of if name in labels]
    of_views = [name for name in of if name not in labels]
    groups: dict[tuple[str, str], list[ListName]] = {}
    for one in lists:
        spec = one.detector.spec
        usual = (spec.scope in _JUDGES and spec.fused) or one.detector.label in of_labels
        separate = one.name.view not in joint or one.name.view in of_views
        chosen = one.detector.label in (of_labels or labels) and _within(one.name, of_views)
        if usual and separate and chosen:
            groups.setdefault((one.name.model, one.name.embedder), []).append(one.name)
    fused = [tuple(names) for names in groups.values() if len(names) > 1]
    for words in terms.thresholds:
        if fused and not any(name.is_called(words) for names in fused for name in names):
            known = dict.fromkeys(word for names in fused for n in names for word in _words(n))
            raise UnknownNameError(
                f"detector.{detector.label}.thresholds: no list is called {words!r}"
                f"{did_you_mean(words, known)}"
            )
    for names in fused:
        name = ListName(detector.label, names)
        least = thresholds_of(name, terms)
        yield ListPlan(name, detector, apart=terms.apart, thresholds=least)


def thresholds_of(name: ListName, terms: FusionTerms) -> dict[ListName, float]:
    """List that a fusion takes -> the percentile to be reached in it, of those that have one."""
    return {
        part: max(reached)
        for part in name.of
        if isinstance(part, ListName)
        and (reached := [t for words, t in terms.thresholds.items() if part.is_called(words)])
    }


def _within(name: ListName, views: Sequence[str]) -> bool:
    """True when a list judges nothing but `views`; () = any."""
    return not views or name.view in views or {v.view for v in name.vectors} <= set(views)


def _words(name: ListName) -> tuple[str, str]:
    return name.detector, name.view


def _require_known(label: str, of: Sequence[str], known: Sequence[str]) -> None:
    for name in of:
        if name == label:
            raise ConfigError(
                f"detector.{label}.of names {name!r}, which is this fusion itself: a fusion takes"
                " the lists of other detectors"
            )
        if name not in known:
            raise UnknownNameError(
                f"detector.{label}.of names {name!r}{did_you_mean(name, dict.fromkeys(known))}"
            )
