"""What analyses and figures can ask for of a run: a closed vocabulary."""

import re
from collections.abc import Iterable

__all__ = ["NEEDS", "TABLE", "problem_of_needs"]

NEEDS = {
    "objects": "the table of objects, with their catalogue columns",
    "scores": "lists of scores",
    "details": "what detectors tell of each object besides the score",
    "vectors": "vectors, memory-mapped",
    "cutouts": "what was observed of the strangest objects",
}
"""Need -> what it gives; `table:ANALYSIS.NAME` is a table of an analysis besides."""

TABLE = r"table:([a-z0-9]+(?:-[a-z0-9]+)*)\.([a-z0-9_-]+)"


def problem_of_needs(needs: Iterable[str]) -> str:
    """Which of `needs` nothing answers to, "" when all are known."""
    for need in needs:
        if need not in NEEDS and not re.fullmatch(TABLE, need):
            return f"needs {need!r}, expected any of {', '.join(NEEDS)} or table:ANALYSIS.NAME"
    return ""
