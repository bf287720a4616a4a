"""Upstream's encoder without its decoder: drawn from a seed, or empty until it is filled."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from aion import AION
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from fmb_aion.recipes import EncoderSizes

__all__ = ["DECODER_SIDE", "DOMAINS", "build_encoder", "without_values"]

DOMAINS = ("tok_image_hsc", "tok_image", "tok_spectrum_desi", "tok_spectrum_sdss")
"""The token domains that FMB feeds; upstream has 40."""
DECODER_SIDE = ("decoder.", "decoder_embeddings.", "decoder_norm.", "mask_token")
"""Beginnings of the names of tensors that only decoding needs."""


def build_encoder(sizes: EncoderSizes) -> AION:
    """An AION whose `encode` works and that has no decoder, with upstream's initialisation.

    Values come from torch's global generator; inside `without_values()` there are none.
    """
    config = {**sizes.model_dump(), "decoder_depth": 0}
    model = AION({**config, "domains_in": list(DOMAINS), "domains_out": []})
    del model.decoder_norm, model.mask_token
    for block in model.encoder:
        block.attn = FusedAttention(block.attn)
    return model.eval()


class FusedAttention(nn.Module):
    """Upstream's attention in one kernel; the parameters keep their names.

    Upstream's own forms the matrix of all pairs of tokens: 849 x 849 for each head and object.
    """

    def __init__(self, upstream: nn.Module) -> None:
        super().__init__()
        self.num_heads: int = upstream.num_heads  # type: ignore[assignment]
        self.qkv, self.proj = upstream.qkv, upstream.proj
        # Absent in models without qk_norm.
        self.q_norm = getattr(upstream, "q_norm", nn.Identity())
        self.k_norm = getattr(upstream, "k_norm", nn.Identity())

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(n, t, d) for tokens (n, t, d); `mask`, upstream's, hides nothing in our calls."""
        n, t, d = x.shape
        parts: Tensor = self.qkv(x)  # type: ignore[operator]
        shape = (n, t, 3, self.num_heads, d // self.num_heads)
        q, k, v = parts.reshape(shape).permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(self.q_norm(q), self.k_norm(k), v)
        projected: Tensor = self.proj(mixed.transpose(1, 2).reshape(n, t, d))  # type: ignore[operator]
        return projected


@contextlib.contextmanager
def without_values() -> Iterator[None]:
    """A context in which modules are built without memory for their tensors."""
    with torch.device("meta"), _LinspaceHasValues():
        yield


class _LinspaceHasValues(TorchFunctionMode):
    """Upstream reads the values of a `linspace` while it builds its blocks."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func is torch.linspace:
            kwargs = {**kwargs, "device": "cpu"}
        return func(*args, **kwargs)
