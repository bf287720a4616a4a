"""The spectrum tower: SpecFormer, a transformer over overlapping sections of a spectrum."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fmb_astroclip.attention import Mlp, attend
from fmb_astroclip.recipes import SpectrumRecipe, SpectrumTower

__all__ = ["SpecFormer", "cut_sections"]

LEVEL_NUMBERS = 2
"""Numbers in front of each token's pixels: mean and deviation in the first token, else 0."""


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention = nn.Linear(width, 3 * width)
        self.projection = nn.Linear(width, width)
        self._heads = heads

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.projection(attend(self.attention(x), self._heads))
        return found


class _Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.layernorm1 = nn.LayerNorm(width)
        self.attention = _Attention(width, heads)
        self.layernorm2 = nn.LayerNorm(width)
        self.mlp = Mlp(width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.layernorm1(x))
        found: Tensor = x + self.mlp(self.layernorm2(x))
        return found


class SpecFormer(nn.Module):
    """Tokens of spectra: sections of the standardised flux, after one token of its level.

    `head`, which reconstructs masked sections in training, is kept because checkpoints hold it.

    Source: arXiv:2310.03024, section 4.2.
    """

    def __init__(self, sizes: SpectrumTower, recipe: SpectrumRecipe) -> None:
        super().__init__()
        numbers = recipe.section_px + LEVEL_NUMBERS
        self.data_embed = nn.Linear(numbers, sizes.width)
        self.position_embed = nn.Embedding(sizes.max_tokens, sizes.width)
        self.blocks = nn.ModuleList(_Block(sizes.width, sizes.heads) for _ in range(sizes.depth))
        self.final_layernorm = nn.LayerNorm(sizes.width)
        self.head = nn.Linear(sizes.width, numbers)
        self._recipe = recipe

    def parts(self) -> list[nn.Module]:
        """What a spectrum passes through, in that order: embeddings, blocks, norm."""
        return [self.data_embed, self.position_embed, *self.blocks, self.final_layernorm]

    def forward(self, flux: Tensor) -> Tensor:
        """(n, t, width): tokens of spectra (n, pixels) in the recipe's unit."""
        tokens = cut_sections(flux, self._recipe)
        x: Tensor = self.data_embed(tokens) + self.position_embed.weight[: tokens.shape[1]]
        for block in self.blocks:
            x = block(x)
        found: Tensor = self.final_layernorm(x)
        return found


def cut_sections(flux: Tensor, recipe: SpectrumRecipe) -> Tensor:
    """What enters the network, (n, t, 2 + section), t = ceil((pixels - overlap) / step).

    Token 0 holds ((mean - 2)/2, (std - 2)/8, 0 ...), the others (0, 0, flux - mean over std). The
    last section that would fit is left out, whole or not: upstream tests the wrong axis for its
    length, and the weights were trained so.

    Args:
        flux: (n, pixels), float32, at least `recipe.min_pixels`.
        recipe: section, overlap, and the floor of the standard deviation.

    Source: `SpecFormer.preprocess` of the code of arXiv:2310.03024.
    """
    mean = flux.mean(1, keepdim=True)
    std = flux.std(1, keepdim=True).clamp(min=recipe.min_std)  # of a sample: divided by n - 1
    kept = recipe.tokens(flux.shape[1]) - 1
    sections = ((flux - mean) / std).unfold(1, recipe.section_px, recipe.step_px)[:, :kept]
    tokens = F.pad(sections, (LEVEL_NUMBERS, 0, 1, 0))
    tokens[:, 0, :LEVEL_NUMBERS] = torch.cat([(mean - 2) / 2, (std - 2) / 8], dim=1)
    return tokens
