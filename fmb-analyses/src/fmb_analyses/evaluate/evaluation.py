"""Every list of a run against what is known, and only what was not measured before."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from fmb import DataError, ListName, Progress, Run, quiet
from fmb_analyses.evaluate.question import Conditions, Question
from fmb_analyses.evaluate.truth import Truth
from fmb_analyses.results import Result

__all__ = ["Evaluation", "evaluate", "sees"]


@dataclass(frozen=True)
class Evaluation:
    """What was measured of a run."""

    truth: Truth
    results: Sequence[Result]
    """List by list, kind by kind."""
    computed: int
    """How many of them were not known before."""
    left_out: Sequence[str] = field(default=())
    """Kinds that a list has no object of, one line each."""


def sees(name: ListName, view: str) -> bool:
    """True when a list looks at what was declared to show a kind; "" = every list does.

    A kind that only image and spectrum together show is seen by lists that have both; a fusion and
    a catalogue have something of every view.
    """
    views = name.view.split("+")
    both = len(views) > 1 or "joint" in views
    everything = name.is_fusion or "catalogue" in views
    return everything or view in ("", *views) or (view in ("mismatch", "joint") and both)


def evaluate(
    run: Run,
    truth: Truth,
    lists: Sequence[ListName] | None = None,
    conditions: Conditions | None = None,
    progress: Progress = quiet,
    *,
    floor: str = "",
) -> Evaluation:
    """Measure lists of a run; what was measured before is read from `results/` of its workspace.

    Args:
        run: a finished run.
        truth: from `find_truth`.
        lists: those that are measured; None = all.
        conditions: None = 100 looks, and 1 in 100 for planted kinds.
        progress: told how many lists are done.
        floor: what stands in the place of a model, "" = one does.

    Raises:
        DataError: no list has an object of any kind.
        ConfigError: there are more looks than ranked objects.
    """
    asked = Question(run, truth, conditions or Conditions(), floor)
    names = list(run.lists if lists is None else lists)
    results: list[Result] = []
    left_out = []
    before = asked.computed
    for done, name in enumerate(names):
        progress("evaluate", done, len(names))
        for kind in truth.kinds:
            found = asked.of(name, kind)
            results.extend(found)
            if not found and sees(name, kind.view):
                left_out.append(f"{name} has no {kind.name} with something to compare it with")
    progress("evaluate", len(names), len(names))
    if not results:
        raise DataError(f"run {run.name!r}: none of its lists has an object of what is looked for")
    return Evaluation(truth, results, asked.computed - before, left_out)
