"""Floor rows: what lists find without trained weights, made by the detectors of a run.

Random weights of the same models, 100 principal components of what was observed, and features of
the catalogue. Each is a run of its own with the request of the first: same objects, folds,
detectors and settings. A model that is no better has learnt nothing that matters here.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import tomli_w

from fmb import (
    ConfigError,
    DataError,
    ListName,
    ModelSpec,
    Note,
    Progress,
    Run,
    Session,
    StoreError,
    UnknownNameError,
    build,
    detect,
    open_run,
    quiet,
)
from fmb.store import content_key, ensure_folder, publish
from fmb_analyses.floor_vectors import catalogue_vectors, component_vectors, write_vectors

__all__ = ["FLOORS", "floor_runs"]

FLOORS = ("random", "pca-100", "catalogue")
"""In the order in which they are made."""
TABLES = ("run", "data", "detector", "embedder", "model", "engine")


def floor_runs(run: Run, progress: Progress = quiet) -> Iterator[tuple[str, Run | Note]]:
    """Each floor with its run, made where it was not before; a note where there can be none.

    Args:
        run: a finished run of models on a survey.
        progress: told how far work is.

    Raises:
        DataError: the run has no model: its vectors came with it.
    """
    if not run.manifest["models"]:
        raise DataError(f"run {run.name!r} has vectors only; floors need what was observed")
    for floor in FLOORS:
        try:
            yield floor, _made(run, floor, progress)
        except (DataError, UnknownNameError) as error:
            yield floor, Note("floor", f"no floor {floor}: {error}")


def _made(run: Run, floor: str, progress: Progress) -> Run:
    """The run of a floor, which is called by what it is made from."""
    asked = _request(run, floor)
    weights = {label: model["weights"] for label, model in run.manifest["models"].items()}
    recipe = [asked, dict(run.manifest["dataset"]), weights if floor == "random" else None]
    name = f"floor-{floor}-{content_key(recipe)[:8]}"
    asked["run"]["name"] = name
    folder = ensure_folder(run.home / "floors" / name)
    begun = False
    try:
        return open_run(name)
    except UnknownNameError:
        pass
    except StoreError:
        begun = True
    if floor != "random":
        file = folder / "vectors.npz"
        if not file.exists():
            make = component_vectors if floor == "pca-100" else catalogue_vectors
            write_vectors(file, *make(run, progress))
        asked["embeddings"] = {"file": [str(file)]}
    return detect(config=str(_written(folder, asked)), resume=begun, progress=progress)


def _written(folder: Path, asked: Mapping[str, Any]) -> Path:
    path = folder / "request.toml"
    publish(path, tomli_w.dumps(_without_none(asked)).encode())
    return path


def _request(run: Run, floor: str) -> dict[str, Any]:
    """What the run was asked for, with other vectors."""
    kept = run.manifest["request"]
    asked: dict[str, Any] = {table: dict(kept.get(table, {})) for table in TABLES}
    asked["format"] = kept["format"]
    if floor == "random":
        asked["model"] = {
            label: _drawn(model, run.manifest["models"][label])
            for label, model in asked["model"].items()
        }
        return asked
    del asked["model"], asked["embedder"]
    if floor == "catalogue":  # one view, and nothing to hold it against
        alone = {name.detector for name in run.lists if _of_one(name)}
        chosen = {label: table for label, table in asked["detector"].items() if label in alone}
        asked["detector"] = {label: {**table, "of": None} for label, table in chosen.items()}
        asked["run"] = {**asked["run"], "companions": False}
    return asked


def _of_one(name: ListName) -> bool:
    return len(name.of) == 1 and not name.is_fusion


def _drawn(asked: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, Any]:
    """A model with random weights, of the sizes of its own where these are a preset's."""
    if "random" in made["weights"]["name"]:
        raise DataError("the weights of the run are random already")
    table = {**asked, "weights": "random"}
    return {**table, "preset": made["weights"]["name"]} if _is_preset(made) else table


def _is_preset(made: Mapping[str, Any]) -> bool:
    """True when the weights are called like sizes that the model can be drawn with."""
    config = Session.open(quiet).registry.get(ModelSpec, made["component"]).load_config()
    try:
        build(config, {"preset": made["weights"]["name"]}, "random weights")
    except ConfigError:
        return False
    return True


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_none(v) for key, v in value.items() if v is not None}
    return list(value) if isinstance(value, tuple) else value
