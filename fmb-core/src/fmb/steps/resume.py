"""Going on with a run: what may change and what may not."""

from pathlib import Path

from fmb.contract.config import build, read_toml
from fmb.contract.errors import ConfigError, UnknownNameError
from fmb.plan.request import Request, request_toml
from fmb.runs.folder import RunFolder

__all__ = ["HARMLESS", "resumed_request"]


HARMLESS = {("run", key) for key in ("name", "batch_size", "workers", "device", "top")}
"""What a resumed run may change: it does not change results."""


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
