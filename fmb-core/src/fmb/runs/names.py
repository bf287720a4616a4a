"""What a list of scores is called."""

from dataclasses import dataclass

__all__ = ["ScoreName"]


@dataclass(frozen=True, order=True)
class ScoreName:
    """Which list of scores: model label, embedder, view and detector label."""

    model: str
    embedder: str
    view: str
    detector: str

    @property
    def stem(self) -> str:
        """The list's file name without its ending."""
        return ".".join((self.model, self.embedder, self.view, self.detector))

    def __str__(self) -> str:
        return f"{self.model} {self.view} ({self.embedder}), {self.detector}"

    @classmethod
    def from_stem(cls, stem: str) -> "ScoreName":
        """The name whose stem this is."""
        return cls(*stem.split("."))
