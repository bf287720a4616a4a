"""Vectors of prepared objects, with gradients where parameters want them."""

import numpy as np
import torch
from torch import Tensor

from fmb.data import Inputs
from fmb_astroclip.network import AstroCLIP

__all__ = ["image_vectors", "spectrum_vectors"]


def image_vectors(network: AstroCLIP, inputs: Inputs, device: torch.device) -> Tensor:
    """(n, embed) from the array `image` of n objects."""
    vectors: Tensor = network.image_encoder(torch.as_tensor(inputs.arrays["image"]).to(device))
    return vectors


def spectrum_vectors(network: AstroCLIP, inputs: Inputs, device: torch.device) -> Tensor:
    """(n, embed) from the arrays `spectrum` and `spectrum_pixels` of n objects.

    The spectra of one length at a time: padding would move their mean and deviation.
    """
    flux = torch.as_tensor(inputs.arrays["spectrum"])
    lengths = np.asarray(inputs.arrays["spectrum_pixels"])
    parts, order = [], []
    for length in np.unique(lengths).tolist():
        at = np.flatnonzero(lengths == length)
        rows = flux[torch.from_numpy(at), :length].to(device)
        parts.append(network.spectrum_encoder(rows))
        order.append(at)
    back = torch.from_numpy(np.argsort(np.concatenate(order)))
    return torch.cat(parts)[back.to(device)]
