"""All runs of a workspace in a table, whatever state they are in."""

from typing import TYPE_CHECKING, Any

from fmb.listing.data_titles import told_apart
from fmb.messages.errors import FmbError
from fmb.plugins.settings import read_toml
from fmb.request.record import FORMAT
from fmb.runs.folder import RunFolder, list_runs
from fmb.store.atomic import read_record

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["run_row", "runs"]

COLUMNS = ["run", "made", "state", "data", "models", "detectors", "seconds"]


def runs() -> "pd.DataFrame":
    """What was run, a row a run, oldest first, as `fmb runs` lists it.

    Columns: run (its name), made (local time, without zone), state ("finished", "unfinished" or
    "damaged"), data, models and detectors (as labelled), seconds (NaN where it is not finished).
    """
    import pandas as pd  # `fmb runs` does without

    table = pd.DataFrame(told_apart(map(run_row, list_runs())), columns=COLUMNS)
    return table.assign(made=pd.to_datetime(table["made"]), seconds=table["seconds"].astype(float))


def run_row(folder: RunFolder) -> dict[str, Any]:
    """What is told of a run, whatever state it is in; seconds are None where it is unfinished."""
    request: dict[str, Any] = {}
    manifest: dict[str, Any] = {}
    state = "finished" if folder.finished else "unfinished"
    try:
        request = read_toml(folder.request)
        manifest = read_record(folder.manifest) if folder.finished else {}
    except FmbError:
        state = "damaged"
    if request and request.get("format") != FORMAT:
        state = f"{state}, by another version"
    own, source = "embeddings" in request, request.get("data", {}).get("source", "")
    survey = manifest.get("dataset", {}).get("name") or source
    return {
        "run": folder.name,
        "made": folder.made.strftime("%Y-%m-%d %H:%M"),
        "state": state,
        "data": "own vectors" if own else survey,
        "source": "" if own else source,
        "models": " ".join(request.get("model", {})),
        "detectors": " ".join(request.get("detector", {})),
        "seconds": sum(manifest["seconds"].values()) if manifest.get("seconds") else None,
    }
