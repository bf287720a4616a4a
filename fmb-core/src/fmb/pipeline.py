"""A run: plan, embed, detect, plot, each step resumable, and the record of it written last."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from fmb.contract.arrays import Array
from fmb.contract.config import build, read_toml
from fmb.contract.errors import ConfigError, UnknownNameError
from fmb.contract.progress import Progress, quiet
from fmb.datasets.groups import group_keys
from fmb.datasets.ids import canonical_order
from fmb.datasets.vector_file import OwnSurvey, OwnVectors, read_own_vectors
from fmb.detecting import Survey, ViewVectors, detect
from fmb.drawing import RunView, draw, keep_cutouts
from fmb.embedding import EmbeddedView, embed_model, model_key, read_embeddings
from fmb.plan import Plan, make_plan
from fmb.plugins.environment import environment
from fmb.plugins.loading import load_plugins
from fmb.reference import Reference, find_reference
from fmb.request import Request, request_toml
from fmb.runs import Run, RunFolder, ScoreName, new_folder, write_request
from fmb.scoring.calibration import NO_REFERENCE, reference_lines
from fmb.store.atomic import ensure_folder, publish_json
from fmb.store.keys import content_key
from fmb.store.tables import read_meta, write_table
from fmb.store.workspace import workspace

__all__ = ["execute", "resumed_request", "run_request"]

logger = logging.getLogger("fmb")

HARMLESS = {("run", key) for key in ("name", "batch_size", "workers", "device", "top")}
"""What a resumed run may change: it does not change results."""


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


def resumed_request(request: Request, home: Path) -> Request:
    """The request of the run named by `request.run.name`, with the harmless options given now.

    Raises:
        ConfigError: no run is named, or something else is asked for than it was made with.
        UnknownNameError: there is no such run.
    """
    name = request.run.name
    if name is None:
        raise ConfigError("--resume goes with --out NAME: which run to go on with")
    folder = RunFolder(home / "runs" / name)
    if not folder.request.exists():
        raise UnknownNameError(f"there is no run {name!r} to resume; see `fmb runs`")
    kept = request_toml(build(Request, read_toml(folder.request), "run.toml"))
    asked = request_toml(request, given=True)
    for table, values in asked.items():
        for key, value in values.items():
            if (table, key) in HARMLESS:
                kept[table][key] = value
            elif kept.get(table, {}).get(key) != value:
                raise ConfigError(
                    f"run {name!r} was made with another {table}.{key}; resume it with"
                    " --resume --out NAME alone, or choose another --out"
                )
    return build(Request, kept, "run.toml")


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


Embedded = dict[str, list[EmbeddedView]]


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


def _objects(plan: Plan, embedded: Embedded | OwnSurvey, folder: RunFolder) -> pd.DataFrame:
    """The table of objects, in canonical order, kept in the run folder."""
    if isinstance(embedded, OwnSurvey):
        objects = embedded.objects
        key = content_key(dict(embedded.identity))
    else:
        dataset = plan.dataset
        assert dataset is not None
        catalog = dataset.catalog.drop(columns="object_id", errors="ignore").reset_index(drop=True)
        objects = pd.concat([pd.DataFrame({"object_id": dataset.ids}), catalog], axis=1)
        objects.attrs["units"] = dataset.catalog.attrs.get("units", {})
        key = content_key(dict(dataset.identity))
    ids = objects["object_id"].to_numpy()
    assert (canonical_order(ids) == range(len(ids))).all()
    if read_meta(folder.objects).get("key") != key:
        write_table(folder.objects, objects, {"key": key})
    return objects


def _reference(plan: Plan, objects: pd.DataFrame, groups: Array) -> Reference | None:
    text = plan.request.run.reference
    return None if text is None else find_reference(text, objects, groups, plan.workspace)


def _manifest(
    plan: Plan,
    embedded: Embedded | OwnSurvey,
    records: Sequence[Mapping[str, Any]],
    figures: Sequence[str],
    seconds: Mapping[str, float],
) -> dict[str, Any]:
    own = isinstance(embedded, OwnSurvey)
    return {
        "request": request_toml(plan.request),
        "environment": environment(),
        "dataset": dict(embedded.identity) if own else dict(plan.dataset.identity),  # type: ignore[union-attr]
        "notes": list(plan.notes),
        "models": {} if own else {m.label: _model_record(m) for m in plan.models},
        "embeddings": [] if own else _embedding_records(plan, embedded),  # type: ignore[arg-type]
        "quality": [] if own else _quality(embedded),  # type: ignore[arg-type]
        "scores": list(records),
        "calibration": _calibration(records),
        "figures": list(figures),
        "seconds": dict(seconds),
    }


def _calibration(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """What to know of p and q values, once a size of reference."""
    lines: dict[str, None] = {}
    for record in records:
        m = record["reference_objects"]
        found = reference_lines(record["ranked"], m) if m else (NO_REFERENCE,)
        lines.update(dict.fromkeys(found))
    return list(lines)


def _model_record(model: Any) -> dict[str, Any]:
    return {
        "component": model.component.qualified,
        "version": model.component.version,
        "config": model.config.model_dump(mode="json"),
        "weights": model.weights.identity,
        "weights_state": model.weights_state,
        "sources": dict(model.sources.slots),
        "out_of_domain": list(model.sources.out_of_domain),
    }


def _embedding_records(plan: Plan, embedded: Embedded) -> list[dict[str, Any]]:
    models = {model.label: model for model in plan.models}
    return [
        {
            "model": label,
            "embedder": item.embedder,
            "view": item.view,
            "folder": item.store.folder.name,
            "shards": item.shards,
            "valid": item.valid,
            "unusable": dict(item.unusable),
            "model_key": model_key(models[label], item.embedder, item.view),
        }
        for label, items in embedded.items()
        for item in items
    ]


def _quality(embedded: Embedded) -> list[Mapping[str, Any]]:
    """Findings about the data, each once."""
    unique = {
        content_key(dict(finding)): finding
        for items in embedded.values()
        for item in items
        for finding in item.findings
    }
    return list(unique.values())
