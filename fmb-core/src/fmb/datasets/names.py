"""Names that a dataset brings: of folders of the workspace, and of parts of files' names."""

import re

from fmb.contract.dataset import Dataset, WithVectors
from fmb.messages.errors import DataError

__all__ = ["refuse_names"]

LONGEST = 100
"""Letters of a survey's name, or of a part of a file's."""
_PART = r"\w[\w.-]*"


def refuse_names(dataset: Dataset, source: str) -> None:
    """Check what a dataset calls itself, its instruments and its vectors.

    Args:
        dataset: as a reader gives it.
        source: what the user named, for messages.

    Raises:
        DataError: a name is too long, cannot be printed, or could be a path.
    """
    name = str(dataset.identity.get("name", ""))
    if len(name) > LONGEST or not name.isprintable():
        raise DataError(
            f"{source}: {_short(name)} cannot be the name of a survey: take up to {LONGEST}"
            " letters, digits and signs that can be printed"
        )
    brought = dataset.vectors if isinstance(dataset, WithVectors) else {}
    parts = [part for vector in brought for part in (vector.model, vector.embedder, vector.view)]
    for part in (*dataset.inputs, *parts):
        if len(part) > LONGEST or not re.fullmatch(_PART, part):
            raise DataError(
                f"{source}: {_short(part)} cannot be the name of an instrument or of vectors: take"
                f" up to {LONGEST} letters, digits, dots, hyphens and underscores"
            )


def _short(name: str) -> str:
    return repr(name if len(name) <= LONGEST else f"{name[:40]}...")
