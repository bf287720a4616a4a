"""Embedders: the tokens of a view reduced to one vector an object."""

from typing import TYPE_CHECKING, ClassVar, Protocol

from fmb.contract.spec import ComponentSpec

if TYPE_CHECKING:
    import torch

    from fmb.contract.model import Tokens

__all__ = ["Embedder", "EmbedderSpec"]


class EmbedderSpec(ComponentSpec):
    """A reduction of a view's tokens to one vector an object."""

    kind: ClassVar[str] = "embedder"
    plural: ClassVar[str] = "embedders"
    example: ClassVar[str] = """\
yield EmbedderSpec(name="largest", summary="Largest token in each component",
                   target="mypkg.pooling:Largest", config="mypkg.pooling:LargestConfig",
                   any_model=True)"""

    any_model: bool = False
    """True when it fits the tokens of models that do not name it too."""


class Embedder(Protocol):
    """A pure reduction of tokens. Constructed `(config)`."""

    def reduce(self, tokens: "Tokens") -> "torch.Tensor":
        """(n, d), float32: one vector an object."""
