"""Two small networks: Euclid's bands to HSC's, for the image codec, and back, for training."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fmb_aion.fluxes import MAGGY_JY
from fmb_aion.recipes import AdapterSizes

__all__ = ["HSC_PER_UJY", "Adapter", "UNet"]

HSC_PER_UJY = 10 ** ((27.0 - 22.5) / 2.5) * 1e3 / MAGGY_JY
"""HSC's flux unit (zero point 27) in a microjansky: 63.0957 a nanomaggy, which is 3.631 uJy."""
HSC_SOFTENING = 0.01 * 10 ** ((27.0 - 22.5) / 2.5)
"""Where the codec's own scale turns logarithmic, 0.01 nmgy, in HSC's unit. Source: the default
`range_compression_factor` of polymathic-aion 0.0.2."""
_LIMIT = 8.0
"""Largest stretched HSC flux, 940 in HSC's unit: beyond every clamp of the codec (at most 500)."""
_GROUPS = 8
_HSC_FROM = (0, 0, 0, 1, 1)
"""HSC-G, R, I start as VIS, HSC-Z, Y as NISP-Y: the neighbour in wavelength."""
_EUCLID_FROM = (2, 4, 4, 4)
"""VIS starts as HSC-I, the NISP bands as HSC-Y."""


class Adapter(nn.Module):
    """Euclid images as HSC images that the frozen codec can read, and back.

    Both ways a network corrects, in a scale that is linear in the noise and logarithmic above it,
    the flux of the neighbouring band; untrained it corrects nothing. What comes out has HSC's unit
    and bands but is no photometry: training asks only that Euclid's image can be had back.
    """

    def __init__(self, sizes: AdapterSizes) -> None:
        """Networks with torch's initialisation from its global generator."""
        super().__init__()
        self._softening = sizes.softening_ujy
        self.to_hsc = UNet(4, 5, sizes.hidden)
        self.to_euclid = UNet(5, 4, sizes.hidden)

    def forward(self, flux: Tensor) -> Tensor:
        """(n, 5, h, w) in HSC's unit of Euclid's (n, 4, h, w) in microjansky, h, w multiples of 4.

        Each image on its own: nothing depends on the batch.
        """
        start = torch.asinh(flux[:, _HSC_FROM] * (HSC_PER_UJY / HSC_SOFTENING))
        correction: Tensor = self.to_hsc(self.stretched(flux))
        return HSC_SOFTENING * torch.sinh((start + correction).clamp(-_LIMIT, _LIMIT))

    def back(self, hsc: Tensor) -> Tensor:
        """(n, 4, h, w), as `stretched`, of the other one's (n, 5, h, w)."""
        start = self.stretched(hsc[:, _EUCLID_FROM] / HSC_PER_UJY)
        correction: Tensor = self.to_euclid(torch.asinh(hsc / HSC_SOFTENING))
        return start + correction

    def stretched(self, flux: Tensor) -> Tensor:
        """asinh(flux / softening) of Euclid's bands, (n, 4, h, w) in microjansky."""
        return torch.asinh(flux / flux.new_tensor(self._softening)[:, None, None])


class UNet(nn.Module):
    """(n, d_in, h, w) to (n, d_out, h, w); 0 before it is trained.

    Source: Ronneberger et al. 2015, arXiv:1505.04597, with two levels, bilinear upsampling, and
    normalisation within an image (Wu & He 2018, arXiv:1803.08494) in place of none: statistics over
    a batch would make an object's vector depend on its neighbours in the training.
    """

    def __init__(self, d_in: int, d_out: int, hidden: int) -> None:
        super().__init__()
        self.inc = _double(d_in, hidden)
        self.down1 = _double(hidden, 2 * hidden)
        self.down2 = _double(2 * hidden, 4 * hidden)
        self.up1 = _double(4 * hidden + 2 * hidden, 2 * hidden)
        self.up2 = _double(2 * hidden + hidden, hidden)
        self.out = nn.Conv2d(hidden, d_out, 1)
        for parameter in self.out.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        full = self.inc(x)
        half = self.down1(F.max_pool2d(full, 2))
        quarter = self.down2(F.max_pool2d(half, 2))
        half = self.up1(torch.cat([_doubled(quarter), half], dim=1))
        full = self.up2(torch.cat([_doubled(half), full], dim=1))
        out: Tensor = self.out(full)
        return out


def _double(d_in: int, d_out: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in (d_in, d_out):
        layers += [
            nn.Conv2d(width, d_out, 3, padding=1, bias=False),
            nn.GroupNorm(_GROUPS, d_out),
            nn.SiLU(),
        ]
    return nn.Sequential(*layers)


def _doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
