"""A run: embed, detect, analyze, plot, each step resumable, and the record of it written last."""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from fmb.contract.names import VectorName
from fmb.contract.vector_view import VectorView
from fmb.fitted.asked import base_run
from fmb.fitted.drift import drift_report
from fmb.fitted.new_lists import make_new_lists
from fmb.fitted.shared_objects import Shared
from fmb.lists.detection import make_lists
from fmb.lists.devices import detector_devices
from fmb.messages.errors import StoppedError
from fmb.messages.progress import Progress
from fmb.plan.records import Plan
from fmb.plan.session import STEPS, Session
from fmb.request.options import options_request
from fmb.runs.folder import RunFolder, new_folder
from fmb.runs.run import Run
from fmb.steps.analyze import analyze_run
from fmb.steps.cutouts import keep_cutouts
from fmb.steps.manifest import manifest_of
from fmb.steps.objects import survey_of
from fmb.steps.plot import draw, what_is_not_drawn
from fmb.steps.resume import plan_run
from fmb.steps.vectors import embed_all
from fmb.store.atomic import publish_json
from fmb.terminal.progress import progress as seen

__all__ = ["detect", "embed", "execute", "run"]

logger = logging.getLogger("fmb")


def run(
    *,
    model: str | Sequence[str] = (),
    detector: str | Sequence[str] = (),
    data: str | None = None,
    resume: bool = False,
    progress: Progress = seen,
    **options: Any,
) -> Run:
    """Do what `fmb run` does and return the finished run; figures that fail are logged.

    Args:
        model: one `[label=]name` or several.
        detector: one `[label=]name` or several.
        data: a dataset's name or a survey file; None = the dataset taken when none is named.
        resume: go on with the run named by `out`, or the latest that was made by this request.
        progress: told how far it is; by default a terminal, a notebook or an interactive Python
            shows it, and `fmb.quiet` switches that off.
        options: as on the command line, with underscores: `weights`, `view`, `where`, `limit`,
            `out`, `seed`, `set=["detector.LABEL.OPTION=5"]` ...

    Raises:
        FmbError: as on the command line.
    """
    asked = {"model": model, "detector": detector, "data": data, **options}
    return _run(asked, STEPS, resume=resume, progress=progress)


def detect(
    *,
    detector: str | Sequence[str] = (),
    model: str | Sequence[str] = (),
    embeddings: str | None = None,
    data: str | None = None,
    resume: bool = False,
    progress: Progress = seen,
    **options: Any,
) -> Run:
    """Do what `fmb detect` does, lists without figures, and return the finished run.

    Args:
        detector: one `[label=]name` or several.
        model: one `[label=]name` or several.
        embeddings: a file of vectors of your own, instead of a model.
        data: as for `run`.
        resume: as for `run`.
        progress: told how far it is.
        options: as on the command line, with underscores.

    Raises:
        FmbError: as on the command line.
    """
    asked = {"detector": detector, "model": model, "embeddings": embeddings, "data": data}
    return _run({**asked, **options}, STEPS[:2], resume=resume, progress=progress)


def embed(
    *,
    model: str | Sequence[str] = (),
    data: str | None = None,
    progress: Progress = seen,
    **options: Any,
) -> dict[VectorName, VectorView]:
    """Do what `fmb embed` does and return the vectors, mapped.

    Args:
        model: one `[label=]name` or several.
        data: as for `run`.
        progress: told how far it is.
        options: as on the command line, with underscores.

    Returns:
        The vectors of each model, embedder and view; their rows are positions among the selected
        objects in the order of their ids.

    Raises:
        FmbError: as on the command line.
    """
    request = options_request({"model": model, "data": data, **options})
    return dict(embed_all(Session.open(progress).plan(request, steps=STEPS[:1])).views)


def _run(
    asked: Mapping[str, Any], steps: Sequence[str], *, resume: bool, progress: Progress
) -> Run:
    session = Session.open(progress)
    plan, folder = plan_run(session, options_request(asked), steps, resume=resume)
    done = execute(plan, folder)
    if done.manifest["not_drawn"]:
        logger.error("%s", what_is_not_drawn(done.name, done.manifest["not_drawn"]))
    return done


def execute(plan: Plan, folder: RunFolder | None = None) -> Run:
    """Carry out a plan in a run folder of its own.

    Args:
        plan: what to do.
        folder: of a run to go on with; None = a new one.

    Raises:
        FmbError: a step fails; what was finished stays, to be gone on from, but for a new run
            that a mistake keeps from its first list.
    """
    devices = detector_devices(plan)  # before anything is made: the device may not be there
    new = folder is None
    if folder is None:
        folder = new_folder(plan.workspace, plan.request.run.name, plan.name, plan.recorded)
    try:
        with folder.writing(plan.recorded, new=new):
            return _carry_out(plan, folder, devices)
    except (KeyboardInterrupt, StoppedError) as stop:
        told = str(stop) or "interrupted; what was finished is kept"
        raise StoppedError(f"{told}: go on with fmb run --resume --out {folder.name}") from None


def _carry_out(plan: Plan, folder: RunFolder, devices: Mapping[str, str]) -> Run:
    """The steps, in order, and the record of them."""
    logger.info("run %s", folder.name)
    clock = _Clock()
    embedded = embed_all(plan)
    embedded.refuse_none(len(plan.dataset))
    embedded.keep(folder)
    clock.lap("embed")
    survey = survey_of(plan, embedded, folder)
    base = base_run(plan.request, plan.workspace)
    if base is None:
        records, drift = make_lists(folder, plan, survey, devices), None
    else:
        shared = Shared(base, survey, embedded.inputs)
        records = make_new_lists(folder, plan, survey, base, shared, devices)
        drift = drift_report(base, survey, records, shared.rows >= 0)
    clock.lap("detect")
    manifest = manifest_of(plan, embedded, survey, records, base, drift)
    done = Run(folder, manifest)
    keep_cutouts(done, plan, embedded.views)
    tables = analyze_run(done, plan.analyses, plan.request.run.seed, plan.progress)
    manifest["tables"] = [path.relative_to(folder.path).as_posix() for path in tables]
    clock.lap("analyze")
    formats = plan.request.run.figure_formats
    drawn = draw(done, plan.plots, formats, plan.progress, plan.broken_plots)
    manifest["figures"], manifest["not_drawn"] = list(drawn.files), drawn.not_drawn
    clock.lap("plot")
    manifest["seconds"] = clock.seconds
    publish_json(folder.manifest, manifest)
    for line in done.remarks():
        logger.info("note: %s", line)
    logger.info("finished %s", folder.name)
    return done


class _Clock:
    """Seconds of each step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.monotonic()

    def lap(self, step: str) -> None:
        now = time.monotonic()
        self.seconds[step] = round(now - self._last, 3)
        self._last = now
        logger.info("%s took %.1f s", step, self.seconds[step])
