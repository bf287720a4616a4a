"""Attention of all tokens to all others, and the two-layer network that follows it."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["MLP_RATIO", "Mlp", "attend"]

MLP_RATIO = 4
"""Width of every hidden layer over the width around it."""


class Mlp(nn.Module):
    """Linear, GELU (the exact one), linear; in training, a share of what comes out is dropped."""

    def __init__(self, width: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.encoder = nn.Linear(width, MLP_RATIO * width)
        self.decoder = nn.Linear(MLP_RATIO * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """The same shape, (..., width)."""
        found: Tensor = self.dropout(self.decoder(F.gelu(self.encoder(x))))
        return found


def attend(qkv: Tensor, heads: int) -> Tensor:
    """Softmax attention, scaled by the root of the head's width.

    Args:
        qkv: (n, t, 3 width): query, key and value of each token, each split into heads.
        heads: their number; divides the width.

    Returns:
        (n, t, width).
    """
    n, t, _ = qkv.shape
    q, k, v = qkv.view(n, t, 3, heads, -1).permute(2, 0, 3, 1, 4)
    mixed = F.scaled_dot_product_attention(q, k, v)
    return torch.reshape(mixed.transpose(1, 2), (n, t, -1))
