"""A run: plan, embed, detect, plot, each step resumable, and the record of it written last."""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fmb.contract.progress import Progress, quiet
from fmb.datasets.groups import group_keys
from fmb.datasets.vector_file import OwnSurvey, OwnVectors, read_own_vectors
from fmb.plan.make import make_plan
from fmb.plan.records import Plan
from fmb.plan.request import Request
from fmb.plugins.loading import load_plugins
from fmb.runs.folder import RunFolder, new_folder, write_request
from fmb.runs.names import ScoreName
from fmb.runs.results import Run
from fmb.steps.detect import Survey, ViewVectors, detect
from fmb.steps.embed import Embedded, embed_model, model_key, read_embeddings
from fmb.steps.manifest import _manifest
from fmb.steps.objects import _objects, _reference
from fmb.steps.plot import RunView, draw, keep_cutouts
from fmb.steps.resume import resumed_request
from fmb.store.atomic import ensure_folder, publish_json
from fmb.store.workspace import workspace

__all__ = ["execute", "resumed_request", "run", "run_request"]

logger = logging.getLogger("fmb")


def run_request(
    request: Request,
    *,
    resume: bool = False,
    draw_plots: bool = True,
    progress: Progress = quiet,
) -> Run:
    """Plan and execute a request.

    Raises:
        FmbError: the request cannot be met, or a step fails; what was finished stays.
    """
    home = ensure_folder(workspace())
    if resume:
        request = resumed_request(request, home)
    plan = make_plan(request, load_plugins().registry, home, draw=draw_plots, progress=progress)
    return execute(plan, resume=resume, progress=progress)


def execute(plan: Plan, *, resume: bool = False, progress: Progress = quiet) -> Run:
    """Carry out a plan in a run folder of its own.

    Raises:
        FmbError: a step fails; what was finished stays and `resume` goes on from there.
    """
    folder = _folder(plan, resume)
    with _logged(folder):
        logger.info("run %s", folder.name)
        write_request(folder, plan.request)
        clock = _Clock()
        views, embedded = _embed(plan, progress)
        clock.lap("embed")
        objects = _objects(plan, embedded, folder)
        groups = group_keys(objects)
        survey = Survey(objects, groups, _reference(plan, objects, groups))
        records = detect(folder, survey, views, plan.detectors, plan.request.run, progress)
        clock.lap("detect")
        names = [ScoreName(**record["name"]) for record in records]
        vectors = {(v.model, v.embedder, v.view): v.vectors for v in views}
        shown = RunView(folder, objects, names, plan.notes, vectors)
        if plan.dataset is not None:
            keep_cutouts(shown, plan.dataset, plan.request.run.top)
        figures = draw(shown, plan.plots, progress)
        clock.lap("plot")
        manifest = _manifest(plan, embedded, records, figures, clock.seconds)
        publish_json(folder.manifest, manifest)
        logger.info("finished %s", folder.name)
    return Run(folder)


def _folder(plan: Plan, resume: bool) -> RunFolder:
    options = plan.request.run
    if not resume:
        return new_folder(plan.workspace, options.name, _default_name(plan))
    assert options.name is not None
    return RunFolder(plan.workspace / "runs" / options.name)


def _default_name(plan: Plan) -> str:
    request = plan.request
    if request.embeddings is not None:
        survey = Path(request.embeddings.file).stem
    else:
        assert plan.dataset is not None
        source = request.data.source
        is_file = Path(source).exists()
        survey = str(plan.dataset.identity.get("name", source)) if is_file else source
    parts = [survey, *request.model, *request.detector]
    return "-".join("".join(c if c.isalnum() or c in "._-" else "-" for c in p) for p in parts)


@contextmanager
def _logged(folder: RunFolder) -> Iterator[None]:
    """Append what is said to the run's log, with times."""
    handler = logging.FileHandler(folder.log, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger("fmb")
    level = root.level
    root.addHandler(handler)
    root.setLevel(min(level or logging.INFO, logging.INFO))
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        handler.close()


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


def _embed(plan: Plan, progress: Progress) -> tuple[list[ViewVectors], Embedded | OwnSurvey]:
    if plan.request.embeddings is not None:
        return _own(plan.request.embeddings)
    assert plan.dataset is not None
    embedded: Embedded = {}
    views: list[ViewVectors] = []
    for model in plan.models:
        embedded[model.label] = done = embed_model(plan, model, progress)
        for name in model.embedders:
            chosen = [item for item in done if item.embedder == name]
            held = read_embeddings(plan.dataset, chosen)
            views.extend(
                ViewVectors(
                    model.label,
                    name,
                    v.view,
                    held.vectors(v.view),
                    v.store.key,
                    model_key(model, name, v.view),
                )
                for v in chosen
            )
    return views, embedded


def _own(request: OwnVectors) -> tuple[list[ViewVectors], OwnSurvey]:
    survey = read_own_vectors(request)
    views = [
        ViewVectors("own", "given", view, vectors, survey.identity, "")
        for view, vectors in survey.views.items()
    ]
    return views, survey


def run(
    *,
    model: str | Sequence[str] = (),
    detector: str | Sequence[str] = (),
    data: str = "demo",
    **options: Any,
) -> Run:
    """Do what `fmb run` does and return the finished run.

    Args:
        model: one `[label=]name` or several.
        detector: one `[label=]name` or several.
        data: a dataset's name or a survey file.
        options: as on the command line, with underscores: `weights`, `view`, `where`, `limit`,
            `out`, `seed`, `set=["detector.flow.epochs=5"]` ...

    Raises:
        FmbError: as on the command line.
    """
    # Imported here: opening a run must not load the pipeline.
    from fmb.plan.options import options_request
    from fmb.steps.execute import run_request

    return run_request(
        options_request({"model": model, "detector": detector, "data": data, **options})
    )
