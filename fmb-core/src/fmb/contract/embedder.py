"""Embedders: the tokens of a view reduced to one vector an object."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from fmb.contract.model import Tokens
from fmb.contract.spec import Spec

if TYPE_CHECKING:
    import torch

__all__ = ["Embedder", "EmbedderSpec"]


@dataclass(frozen=True, kw_only=True)
class EmbedderSpec(Spec):
    """A reduction of a view's tokens to one vector an object."""

    kind: ClassVar[str] = "embedder"


class Embedder(Protocol):
    """A pure reduction of tokens. Constructed `(config)`."""

    def reduce(self, tokens: Tokens) -> "torch.Tensor":
        """(n, d), float32: one vector an object."""
        ...
