"""What vectors and lists are called, everywhere: in the store, in a plan, in a run, in figures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["ListName", "VectorName"]


@dataclass(frozen=True, order=True)
class VectorName:
    """Which vectors: label of the model, label of the embedder, view."""

    model: str
    embedder: str
    view: str

    @property
    def stem(self) -> str:
        """Its file name without an ending."""
        return f"{self.model}.{self.embedder}.{self.view}"

    def as_dict(self) -> dict[str, str]:
        """Plain values."""
        return {"model": self.model, "embedder": self.embedder, "view": self.view}

    def __str__(self) -> str:
        return f"{self.model} {self.view} ({self.embedder})"

    def __repr__(self) -> str:
        return self.stem


@dataclass(frozen=True)
class ListName:
    """Which list of scores: the detector's label and what it judged, vectors or other lists."""

    detector: str
    of: "tuple[VectorName | ListName, ...]"
    given: tuple[str, ...] = ()
    """Roles whose effect was taken out before the detector saw the vectors."""

    @property
    def vectors(self) -> tuple[VectorName, ...]:
        """The vectors it goes back to, each once, in order."""
        return tuple(dict.fromkeys(self._leaves()))

    def _leaves(self) -> Iterator[VectorName]:
        for one in self.of:
            yield from one._leaves() if isinstance(one, ListName) else (one,)

    @property
    def model(self) -> str:
        """Label of the model; "a+b" where it goes back to several."""
        return "+".join(dict.fromkeys(v.model for v in self.vectors))

    @property
    def embedder(self) -> str:
        """Label of the embedder, as `model`."""
        return "+".join(dict.fromkeys(v.embedder for v in self.vectors))

    @property
    def view(self) -> str:
        """The view; "image+spectrum" for a list that goes back to both."""
        return "+".join(dict.fromkeys(v.view for v in self.vectors))

    @property
    def is_fusion(self) -> bool:
        """True for a list made of lists."""
        return any(isinstance(one, ListName) for one in self.of)

    @property
    def stem(self) -> str:
        """Its file name without an ending."""
        name = f"{self.model}.{self.embedder}.{self.view}.{self.detector}"
        return f"{name}.given" if self.given else name

    def is_called(self, words: str) -> bool:
        """True when each of `words` is the label of its detector or its view."""
        return bool(words.split()) and {self.detector, self.view}.issuperset(words.split())

    def as_dict(self) -> dict[str, Any]:
        """Plain values, which `from_dict` takes back."""
        return {
            "detector": self.detector,
            "of": [one.as_dict() for one in self.of],
            "given": list(self.given),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "ListName":
        """The name whose plain values these are."""
        of = (cls.from_dict(one) if "of" in one else VectorName(**one) for one in values["of"])
        return cls(values["detector"], tuple(of), tuple(values["given"]))

    def __str__(self) -> str:
        lists = f", {len(self.of)} lists" if self.is_fusion else ""
        given = f" given {', '.join(self.given)}" if self.given else ""
        views = " x ".join(self.view.split("+")) if not self.is_fusion else self.view
        # Of rows of the catalogue model and view are one word.
        what = views if views == self.model else f"{self.model} {views}"
        return f"{what} ({self.embedder}{lists}), {self.detector}{given}"

    def __repr__(self) -> str:
        return self.stem
