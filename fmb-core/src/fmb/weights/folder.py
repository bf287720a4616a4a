"""Weights that were found: a folder whose card was read and whose files were digested."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fmb.weights.card import Card

__all__ = ["Weights"]


@dataclass(frozen=True)
class Weights:
    """Weights that were found and whose card was read."""

    name: str
    folder: Path
    card: Card
    sha256: Mapping[str, str]
    """File name -> digest."""
    reference: str = ""
    """What the user called them."""
    origin: str = ""
    """Where they were published, "hf:REPO@COMMIT" or "package:FOLDER"; "" for a user's own."""

    @property
    def identity(self) -> dict[str, Any]:
        """What a content key holds of them."""
        return {"name": self.name, "sha256": dict(self.sha256)}
