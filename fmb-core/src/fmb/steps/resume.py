"""Going on with a run: which one, what may change and what may not."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from fmb.fitted.asked import base_run, request_of_base
from fmb.fitted.planned import plan_fitted
from fmb.messages.errors import ConfigError, StoreError, UnknownNameError, did_you_mean
from fmb.plan.records import Plan
from fmb.plan.session import Session
from fmb.plugins.settings import build, merge, read_toml
from fmb.request.record import FORMAT, Request, request_toml
from fmb.runs.folder import RunFolder, list_runs

__all__ = ["plan_run", "resumed"]

HARMLESS = {
    ("run", key)
    for key in (
        *("name", "batch_size", "workers", "device", "verify", "retry"),
        *("top", "figures", "figure_formats"),
    )
}
"""What a resumed run may change, besides its engine and figures: it does not change results."""


def plan_run(
    session: Session, request: Request, steps: Collection[str], *, resume: bool
) -> tuple[Plan, RunFolder | None]:
    """The plan of a request, and the folder of the run that it goes on with.

    Args:
        session: the installed components.
        request: what the user asks for.
        steps: as for `Session.plan`.
        resume: go on with the run it names, or the latest that was made by this request.

    Raises:
        FmbError: a name, key, file, input or weights that do not work, or no such run.
    """
    folder = None
    if base := base_run(request, session.workspace):
        request = request_of_base(request, base)
    if resume:
        request, folder = resumed(request, session.workspace)
    made = plan_fitted if request.run.fitted else Session.plan
    return made(session, request, steps), folder


def resumed(request: Request, home: Path) -> tuple[Request, RunFolder]:
    """The run to go on with, and its request with the harmless options given now.

    Raises:
        ConfigError: something else is asked for than it was made with.
        UnknownNameError: there is no such run.
        StoreError: another version wrote it.
    """
    name = request.run.name
    folder = _latest(request, home) if name is None else RunFolder(home / "runs" / name)
    if not folder.request.exists():
        hint = did_you_mean(str(name), [one.name for one in list_runs(home)])
        raise UnknownNameError(f"there is no run {name!r} to resume{hint or '; see `fmb runs`'}")
    kept = _recorded(folder)
    for table, values in request_toml(request, given=True).items():
        if not isinstance(values, dict):
            continue  # the version, which both are of
        if table in ("engine", "plot"):
            kept[table] = values if table == "engine" else {**kept.get(table, {}), **values}
            continue
        for key, value in values.items():
            if (table, key) in HARMLESS:
                kept[table][key] = value
            elif merge(kept, {table: {key: value}}) != kept:
                raise ConfigError(
                    f"run {folder.name!r} was made with another {table}.{key}; resume it with"
                    f" --resume --out {folder.name} alone, or choose another --out"
                )
    return build(Request, kept, "run.toml"), folder


def _recorded(folder: RunFolder) -> dict[str, Any]:
    """The request that a run was made with.

    Raises:
        StoreError: another version wrote it.
    """
    values = read_toml(folder.request)
    if values.get("format") != FORMAT:
        raise folder.other_version()
    return request_toml(build(Request, values, "run.toml"))


def _latest(request: Request, home: Path) -> RunFolder:
    """The latest run that was made by this request, but for harmless options.

    Raises:
        UnknownNameError: there is none.
    """
    if not (request.model or request.detector or request.embeddings):  # --resume alone
        for folder in reversed(list_runs(home)):
            if not folder.finished:
                return folder
        raise UnknownNameError("no run is unfinished: there is nothing to go on with")
    wanted = _results(request_toml(request))
    for folder in reversed(list_runs(home)):
        try:
            made = _results(_recorded(folder))
        except (ConfigError, StoreError):
            continue  # of another version, or damaged
        if "source" not in wanted["data"]:  # that which is taken when none is named
            made["data"].pop("source", None)
        if made == wanted:
            return folder
    raise UnknownNameError(
        "no run was made by this request: name the one to go on with, --out NAME; see `fmb runs`"
    )


def _results(recorded: dict[str, Any]) -> dict[str, Any]:
    """What decides the results of a run."""
    own = {key: value for key, value in recorded["run"].items() if ("run", key) not in HARMLESS}
    rest = {key: value for key, value in recorded.items() if key not in ("engine", "plot")}
    return {**rest, "data": dict(recorded["data"]), "run": own}
