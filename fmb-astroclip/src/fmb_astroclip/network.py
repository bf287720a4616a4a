"""The network: two towers, each with a head that makes one vector of its tokens."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from fmb.torch import fill
from fmb_astroclip.attention import Mlp
from fmb_astroclip.recipes import Architecture, Recipe
from fmb_astroclip.specformer import SpecFormer
from fmb_astroclip.vision import VisionTransformer

__all__ = ["DROPOUT", "AstroCLIP", "build_empty", "fill_network"]

DROPOUT = 0.1
"""Of both heads in training, none of the towers. Source: the code of arXiv:2310.03024."""


class CrossAttention(nn.Module):
    """One learned query that looks at all tokens of a tower.

    Source: arXiv:2310.03024, section 4.3.
    """

    def __init__(self, embed: int, heads: int, tokens_width: int) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.randn(1, 1, embed))
        self.multihead_attn = nn.MultiheadAttention(
            embed, heads, batch_first=True, kdim=tokens_width, vdim=tokens_width
        )
        self.dropout = nn.Dropout(DROPOUT)
        self.layernorm = nn.LayerNorm(embed)

    def forward(self, tokens: Tensor) -> Tensor:
        """(n, embed) from (n, t, tokens_width)."""
        query = self.query.expand(len(tokens), -1, -1)
        found, _ = self.multihead_attn(query, tokens, tokens, need_weights=False)
        normed: Tensor = self.layernorm(self.dropout(found[:, 0]))
        return normed


class ImageEncoder(nn.Module):
    """Vectors of pictures."""

    def __init__(self, sizes: Architecture) -> None:
        super().__init__()
        self.backbone = VisionTransformer(sizes.image)
        self.cross_attention = CrossAttention(sizes.embed, sizes.cross_heads, sizes.image.width)
        self.mlp = Mlp(sizes.embed, DROPOUT)

    def forward(self, pictures: Tensor) -> Tensor:
        """(n, embed) from (n, 3, height, width) in [0, 1]; not of unit length."""
        return self.head(self.backbone(pictures))

    def head(self, tokens: Tensor) -> Tensor:
        """(n, embed) from the tower's tokens (n, t, width).

        Nothing is added to what the MLP gives, unlike for spectra: so is upstream's image head.
        """
        found: Tensor = self.mlp(self.cross_attention(tokens))
        return found


class SpectrumEncoder(nn.Module):
    """Vectors of spectra."""

    def __init__(self, sizes: Architecture, recipe: Recipe) -> None:
        super().__init__()
        self.backbone = SpecFormer(sizes.spectrum, recipe.spectrum)
        self.cross_attention = CrossAttention(sizes.embed, sizes.cross_heads, sizes.spectrum.width)
        self.mlp = Mlp(sizes.embed, DROPOUT)

    def forward(self, flux: Tensor) -> Tensor:
        """(n, embed) from (n, pixels) in the recipe's unit; not of unit length."""
        return self.head(self.backbone(flux))

    def head(self, tokens: Tensor) -> Tensor:
        """(n, embed) from the tower's tokens (n, t, width)."""
        x = self.cross_attention(tokens)
        found: Tensor = x + self.mlp(x)
        return found


class AstroCLIP(nn.Module):
    """Both encoders; parameters have the names of the state dict in `astroclip.ckpt`."""

    def __init__(self, sizes: Architecture, recipe: Recipe) -> None:
        super().__init__()
        self.image_encoder = ImageEncoder(sizes)
        self.spectrum_encoder = SpectrumEncoder(sizes, recipe)


def build_empty(sizes: Architecture, recipe: Recipe) -> AstroCLIP:
    """A network that has shapes and no memory."""
    with torch.device("meta"):
        return AstroCLIP(sizes, recipe)


def fill_network(
    sizes: Architecture, recipe: Recipe, state: Mapping[str, Tensor], where: str
) -> AstroCLIP:
    """A network with the tensors of `state`, all of them and no others.

    Args:
        sizes: of the network.
        recipe: how spectra are cut.
        state: tensors by upstream's names.
        where: names the weights in messages.

    Raises:
        WeightsError: missing, unexpected or differently sized tensors, listed in one line.
    """
    network = build_empty(sizes, recipe)
    fill(network, state, where)
    return network.eval()
