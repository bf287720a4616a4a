"""Random weights with upstream's initialisation: where training would start."""

import torch
from torch import nn

from fmb.torch import refuse_huge
from fmb_astroclip.network import AstroCLIP, build_empty
from fmb_astroclip.recipes import Architecture, Recipe
from fmb_astroclip.specformer import SpecFormer
from fmb_astroclip.vision import VisionTransformer

__all__ = ["draw_network"]

_VISION_STD = 0.02


def draw_network(
    sizes: Architecture, recipe: Recipe, seed: int, where: str = "the card"
) -> AstroCLIP:
    """A network drawn on the CPU from `seed`; torch's global generator is left as it was.

    Layers that upstream leaves to torch (heads, patch embedding) have torch's initialisation.

    Source: `init_weights` of DINOv2, `_reset_parameters_datapt` and `_init_by_depth` of the code of
    arXiv:2310.03024.

    Raises:
        WeightsError: it is too large to be drawn; `where` names the card.
    """
    refuse_huge(build_empty(sizes, recipe), where)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        network = AstroCLIP(sizes, recipe)
        _draw_vision(network.image_encoder.backbone)
        _draw_specformer(network.spectrum_encoder.backbone, sizes.spectrum.depth)
    return network.eval()


def _draw_vision(tower: VisionTransformer) -> None:
    nn.init.trunc_normal_(tower.pos_embed, std=_VISION_STD)
    nn.init.normal_(tower.cls_token, std=1e-6)
    for linear in _linears(tower):
        nn.init.trunc_normal_(linear.weight, std=_VISION_STD)
        nn.init.zeros_(linear.bias)


def _draw_specformer(tower: SpecFormer, depth: int) -> None:
    width = tower.position_embed.embedding_dim
    _truncated(tower.data_embed.weight, width**-0.5)
    _truncated(tower.position_embed.weight, width**-0.5)
    for linear in _linears(tower.blocks):
        _truncated(linear.weight, (2 * linear.in_features * depth) ** -0.5)
        nn.init.zeros_(linear.bias)
    _truncated(tower.head.weight, tower.head.in_features**-0.5)
    nn.init.zeros_(tower.head.bias)


def _truncated(weight: torch.Tensor, std: float) -> None:
    nn.init.trunc_normal_(weight, std=std, a=-3 * std, b=3 * std)


def _linears(module: nn.Module) -> list[nn.Linear]:
    return [part for part in module.modules() if isinstance(part, nn.Linear)]
