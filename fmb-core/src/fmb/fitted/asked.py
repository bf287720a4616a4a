"""What is asked of new objects: what the run asked whose fits score them, with other data."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fmb.messages.errors import ConfigError
from fmb.plugins.settings import build, leaves, merge
from fmb.request.record import Request, build_request, request_toml
from fmb.runs.folder import find_run
from fmb.runs.run import Run, load_run

__all__ = ["base_run", "request_of_base"]

DECIDING = (*("seed", "fit", "folds", "fold_by", "given", "reference", "companions", "precision"),)
"""Options of `[run]` that the fits, or vectors that compare, depend on."""
INHERITED = (*DECIDING, "allow_out_of_domain")
"""Options of `[run]` that are those of the run whose fits are asked for, unless said otherwise."""
FREE = ("data", "embeddings", "analysis", "plot", "engine", "train")
"""Tables that are those of the new run alone."""
OF_VECTORS = ("input", "view", "weights")
"""Keys of a model that may be said otherwise: whether vectors compare, they tell themselves."""


def base_run(request: Request, home: Path) -> Run | None:
    """The run whose fits a request takes; None where it makes its own.

    Raises:
        UnknownNameError: there is none of that name.
        StoreError: it is not finished, or of another version.
        ConfigError: it has no fits of its own.
    """
    name = request.run.fitted
    if name is None:
        return None
    base = load_run(find_run(name, home))
    if theirs := base.manifest["request"]["run"].get("fitted"):
        raise ConfigError(
            f"run {name!r} was made by the fits of {theirs!r}, and has none: --fitted {theirs}"
        )
    return base


def request_of_base(request: Request, base: Run) -> Request:
    """The request of a run, with the data and harmless options of another request.

    Args:
        request: what is asked now: data, and what changes no fit.
        base: the run whose fits are asked for.

    Raises:
        ConfigError: no data are named, others than the fits can judge, or an option that would
            make other fits.
    """
    now = request_toml(request, given=True)
    theirs = request_toml(build(Request, dict(base.manifest["request"]), base.name))
    _refuse_other_fits(now, theirs, base.name)
    own = request.embeddings is not None
    if own != ("embeddings" in theirs):
        wants, option = ("vectors of your own", "--embeddings")
        if own:
            wants, option = (f"vectors of {', '.join(theirs['model'])}", "--data")
        raise ConfigError(f"run {base.name!r} judges {wants}: name the new ones with {option}")
    if not own and request.data.source is None:
        raise ConfigError(f"--fitted {base.name}: name the new objects with --data")
    run = {key: value for key, value in theirs["run"].items() if key in INHERITED}
    # Its reference is where its scores are kept: as a condition it would choose new objects.
    run = {**run, **now.get("run", {}), "reference": None}
    tables = {kind: theirs[kind] for kind in ("embedder", "detector")}
    tables |= {kind: now[kind] for kind in FREE if kind in now}
    if own:
        tables["embeddings"] = {**_read_alike(theirs["embeddings"]), **now["embeddings"]}
    models = merge(_with_weights(theirs["model"], base), now.get("model", {}))
    return build_request({**tables, "model": models, "run": run})


def _with_weights(models: Mapping[str, Any], base: Run) -> dict[str, Any]:
    """The models of a run with the weights that it took where none were named, by their name."""
    took = {label: one["weights"]["name"] for label, one in base.manifest["models"].items()}
    return {
        label: {**one, "weights": one.get("weights") or took.get(label)}
        for label, one in models.items()
    }


def _refuse_other_fits(now: Mapping[str, Any], theirs: Mapping[str, Any], name: str) -> None:
    """Refuse what would make other fits than there are.

    Raises:
        ConfigError: names the first such setting.
    """
    for path, given in leaves(now):
        if _is_free(path):
            continue
        asked: Any = given
        for key in reversed(path):
            asked = {key: asked}
        if merge(theirs, asked) != theirs:
            raise ConfigError(
                f"--fitted {name}: its fits were made with another {'.'.join(path)}; leave it out,"
                " or make a run with fits of its own without --fitted"
            )


def _is_free(path: tuple[str, ...]) -> bool:
    """True for a setting that changes no fit."""
    table, *keys = path
    if table == "run":
        return keys[0] not in DECIDING
    return table in FREE or (table == "model" and keys[1] in OF_VECTORS)


def _read_alike(theirs: Mapping[str, Any]) -> dict[str, Any]:
    """What was said of a file of vectors that goes for another of its kind."""
    said = {key: theirs[key] for key in ("vector_columns", "ids") if key in theirs}
    if "ids" in said and Path(said["ids"]).is_file():
        del said["ids"]  # the ids of those objects
    return said
