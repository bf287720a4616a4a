"""The image tower: a DINOv2 vision transformer as AstroCLIP uses it."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fmb_astroclip.attention import MLP_RATIO, attend
from fmb_astroclip.recipes import ImageTower

__all__ = ["VisionTransformer"]

_EPS = 1e-6
_LAYER_SCALE = 1e-5
"""Initial gamma. Source: arXiv:2103.17239, eq. 3; DINOv2's configuration."""


class _LayerScale(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.full((width,), _LAYER_SCALE))


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self._heads = heads

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.proj(attend(self.qkv(x), self._heads))
        return found


class _Mlp(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, MLP_RATIO * width)
        self.fc2 = nn.Linear(MLP_RATIO * width, width)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.fc2(F.gelu(self.fc1(x)))
        return found


class _Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=_EPS)
        self.attn = _Attention(width, heads)
        self.ls1 = _LayerScale(width)
        self.norm2 = nn.LayerNorm(width, eps=_EPS)
        self.mlp = _Mlp(width)
        self.ls2 = _LayerScale(width)

    def forward(self, x: Tensor) -> Tensor:
        # One pass over memory for scale and sum, where upstream makes two.
        x = torch.addcmul(x, self.attn(self.norm1(x)), self.ls1.gamma)
        return torch.addcmul(x, self.mlp(self.norm2(x)), self.ls2.gamma)


class _PatchEmbed(nn.Module):
    def __init__(self, width: int, patch_px: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, kernel_size=patch_px, stride=patch_px)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.proj(x)
        # Sums keep the layout of their first operand: without this copy every norm makes one.
        return found.flatten(2).transpose(1, 2).contiguous()


class VisionTransformer(nn.Module):
    """Patches, blocks, norm: without class token and without position embedding.

    AstroCLIP's image head skips both, so the tokens do not know where they are, and an image of any
    multiple of the patch can be taken. `cls_token`, `pos_embed` and `mask_token` are kept because
    checkpoints hold them. A block's name counts it in its group and through the whole tower:
    `blocks.1.7` is the eighth block, in the second group.

    Source: arXiv:2304.07193; `ImageHead.forward` of the code of arXiv:2310.03024.
    """

    def __init__(self, sizes: ImageTower) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, sizes.width))
        self.pos_embed = nn.Parameter(torch.zeros(1, sizes.positions, sizes.width))
        self.mask_token = nn.Parameter(torch.zeros(1, sizes.width))
        self.patch_embed = _PatchEmbed(sizes.width, sizes.patch_px)
        self.blocks = nn.ModuleList(
            nn.ModuleDict(
                {
                    str(i): _Block(sizes.width, sizes.heads)
                    for i in range(first, min(first + sizes.chunk, sizes.depth))
                }
            )
            for first in range(0, sizes.depth, sizes.chunk)
        )
        self.norm = nn.LayerNorm(sizes.width, eps=_EPS)

    def parts(self) -> list[nn.Module]:
        """What a picture passes through, in that order: embedding, blocks, norm."""
        blocks = [block for group in self.blocks for block in group.children()]
        return [self.patch_embed, *blocks, self.norm]

    def forward(self, x: Tensor) -> Tensor:
        """(n, t, width): tokens of pictures (n, 3, height, width), multiples of the patch."""
        for part in self.parts():
            x = part(x)
        return x
