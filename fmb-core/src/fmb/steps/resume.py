"""Going on with a run: what may change and what may not."""

from pathlib import Path

from fmb.contract.errors import ConfigError, UnknownNameError
from fmb.plan.request import FORMAT, Request, request_toml
from fmb.plugins.settings import build, merge, read_toml
from fmb.runs.folder import RunFolder

__all__ = ["resumed"]

HARMLESS = {("run", key) for key in ("name", "batch_size", "workers", "device", "top")}
"""What a resumed run may change, besides its engine and figures: it does not change results."""


def resumed(request: Request, home: Path) -> tuple[Request, RunFolder]:
    """The run named by `request.run.name`: its request, with the harmless options given now.

    Raises:
        ConfigError: no run is named, or something else is asked for than it was made with.
        UnknownNameError: there is no such run.
        StoreError: another version wrote it.
    """
    name = request.run.name
    if name is None:
        raise ConfigError("--resume goes with --out NAME: which run to go on with")
    folder = RunFolder(home / "runs" / name)
    if not folder.request.exists():
        raise UnknownNameError(f"there is no run {name!r} to resume; see `fmb runs`")
    values = read_toml(folder.request)
    if values.get("format") != FORMAT:
        raise folder.other_version()
    kept = request_toml(build(Request, values, "run.toml"))
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
                    f"run {name!r} was made with another {table}.{key}; resume it with"
                    " --resume --out NAME alone, or choose another --out"
                )
    return build(Request, kept, "run.toml"), folder
