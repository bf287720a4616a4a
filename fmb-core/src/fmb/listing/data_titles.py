"""What the data of runs are called side by side: surveys of one name by where they lie."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

__all__ = ["told_apart"]

PARTS = 2
"""Parts of a path that tell one survey from another, more where these are alike too."""


def told_apart(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, of which `data` is another where `source` is: "field-1/as_shipped".

    A survey is called by its name; where runs of one name have data of several places, each is
    called by the last parts of its path.

    Args:
        rows: a run each; `data` is what a survey calls itself, `source` a path, "" where none is.
    """
    told = list(rows)
    places = defaultdict[str, set[str]](set)
    for row in told:
        places[row["data"]].add(row["source"])
    return [{**row, "data": _title(row, places[row["data"]] - {""})} for row in told]


def _title(row: dict[str, Any], places: set[str]) -> str:
    if len(places) < 2 or not row["source"]:
        return str(row["data"])
    paths = [Path(place).parts for place in places]
    most = max(map(len, paths))
    enough = next(n for n in range(PARTS, most + 1) if len({p[-n:] for p in paths}) == len(paths))
    return "/".join(Path(row["source"]).parts[-enough:])
