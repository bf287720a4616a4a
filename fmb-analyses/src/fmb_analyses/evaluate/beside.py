"""The floors beside a run, against the same truth and under the same conditions."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from fmb import DataError, Progress, Run, quiet
from fmb_analyses.evaluate.evaluation import Evaluation, evaluate
from fmb_analyses.evaluate.question import Conditions
from fmb_analyses.evaluate.screen import Shown
from fmb_analyses.floors import floor_runs

__all__ = ["with_floors"]


def with_floors(
    run: Run,
    done: Evaluation,
    names: Mapping[str, Shown],
    conditions: Conditions,
    progress: Progress = quiet,
) -> tuple[Evaluation, dict[str, Shown]]:
    """What was measured of a run and of its floors.

    Args:
        run: whose floors they are.
        done: what was measured of it.
        names: digest of a list -> the list, of those of the run that are shown; of the floors those
            of the same detectors are.
        conditions: as for the run.
        progress: told how far work is.

    Raises:
        DataError: the run has no model.
        FmbError: a floor cannot be made.
    """
    detectors = {shown.name.detector for shown in names.values()}
    shown, results, told = dict(names), list(done.results), list(done.left_out)
    computed = done.computed
    ids = run.objects["object_id"].to_numpy()
    for floor, made in floor_runs(run, progress):
        if not isinstance(made, Run):
            told.append(str(made.text))
            continue
        if not np.array_equal(made.objects["object_id"].to_numpy(), ids):
            raise DataError(f"run {made.name!r} has other objects than {run.name!r}; remove it")
        lists = [name for name in made.lists if name.detector in detectors]
        beside = evaluate(made, done.truth, lists, conditions, progress, floor=floor)
        results.extend(beside.results)
        computed += beside.computed
        shown |= {made.record(name)["key"]: Shown(name, floor) for name in lists}
    return replace(done, results=results, computed=computed, left_out=told), shown
