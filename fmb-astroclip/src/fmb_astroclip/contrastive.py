"""What AstroCLIP learns from: which spectrum of a batch belongs to which image."""

import logging
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fmb import Array, Batch, ConfigError, Inputs
from fmb_astroclip.encoding import image_vectors, keep_tokens, spectrum_vectors
from fmb_astroclip.network import DROPOUT, AstroCLIP
from fmb_astroclip.recipes import Architecture, SpectrumRecipe

if TYPE_CHECKING:
    import pandas as pd

    from fmb_astroclip.training import AstroCLIPTraining

__all__ = ["Contrastive", "choose_trained", "pair_losses"]

logger = logging.getLogger(__name__)

_EPS = 1e-3
"""Shortest vector that is made a unit vector. Source: the loss of the code of arXiv:2310.03024."""
_HOTTEST = 100.0
"""Largest factor that is learned. Source: arXiv:2103.00020, section 2.5."""


def pair_losses(
    image: Tensor, spectrum: Tensor, temperature: Tensor | float
) -> tuple[Tensor, Tensor]:
    """How surprising each object's own spectrum is given its image, and the reverse.

    With s_ij = temperature * cosine of image i and spectrum j: log sum_j exp(s_ij) - s_ii, and
    log sum_j exp(s_ji) - s_ii, in float32 whatever autocast does around it.

    Args:
        image: (n, d), of any length.
        spectrum: (n, d), row i of the same object.
        temperature: factor of the cosine.

    Returns:
        Two tensors (n,), in nats: log n when nothing is known, 0 for a pair alone.

    Source: arXiv:1807.03748, eq. 4, both ways as in the code of arXiv:2310.03024.
    """
    with torch.autocast(image.device.type, enabled=False):
        a, b = (F.normalize(x.float(), dim=1, eps=_EPS) for x in (image, spectrum))
        similar = temperature * (a @ b.T)
        own = similar.diagonal()
        return similar.logsumexp(1) - own, similar.logsumexp(0) - own


def choose_trained(network: AstroCLIP, sizes: Architecture, blocks: int | Literal["all"]) -> None:
    """Let the heads and the end of both towers learn, freeze the rest.

    Nothing in front of the first trained part asks for a gradient, so torch keeps no graph of it:
    a frozen tower costs what it costs in embedding. What checkpoints hold and nothing uses (class
    token, position embedding of images, reconstruction head) stays frozen always.

    Args:
        network: changed in place.
        sizes: of the network.
        blocks: the last blocks of each tower, with the norm after them; 0 = none and no norm.

    Raises:
        ConfigError: no tower has so many.
    """
    depths = (sizes.image.depth, sizes.spectrum.depth)
    if blocks != "all" and blocks > max(depths):
        raise ConfigError(
            f"train.blocks = {blocks}: the towers have {depths[0]} and {depths[1]} blocks; take"
            " fewer, or all"
        )
    network.requires_grad_(False)
    image, spectrum = network.image_encoder, network.spectrum_encoder
    towers = (image.backbone.parts(), spectrum.backbone.parts())
    for parts, depth in zip(towers, depths, strict=True):
        kept = len(parts) if blocks == "all" else min(blocks, depth) + 1 if blocks else 0
        for part in parts[len(parts) - kept :]:
            part.requires_grad_(True)
    for head in (image.cross_attention, image.mlp, spectrum.cross_attention, spectrum.mlp):
        head.requires_grad_(True)


class _Learner(nn.Module):
    """The network, and the temperature where it is learned."""

    def __init__(self, network: AstroCLIP, temperature: float, *, learn: bool) -> None:
        super().__init__()
        self.network = network
        self._fixed = temperature
        device = next(network.parameters()).device
        start = torch.tensor(math.log(temperature), device=device)
        self.log_temperature = nn.Parameter(start) if learn else None

    def temperature(self) -> Tensor | float:
        """Factor of the cosine."""
        if self.log_temperature is None:
            return self._fixed
        return self.log_temperature.exp().clamp(max=_HOTTEST)


class Contrastive:
    """Symmetric InfoNCE of the images and spectra of a batch.

    The loss of an object is the mean of both directions of `pair_losses`. The others it is told
    from are those of the same forward pass: with `micro_batch`, or in several processes, each part
    of a batch is a contrast of its own, and their gradients are averaged. A pair alone in a part
    has a loss of zero and teaches nothing.

    Source: arXiv:2310.03024.
    """

    required: tuple[str, ...] = ("image", "spectrum")

    def __init__(
        self,
        network: AstroCLIP,
        sizes: Architecture,
        recipe: SpectrumRecipe,
        config: "AstroCLIPTraining",
        *,
        drawn: bool,
        prepare: Callable[[Mapping[str, str]], Callable[[Batch], Inputs]],
    ) -> None:
        """A task.

        Args:
            network: on the device it is trained on; what learns of it is chosen here.
            sizes: of the network, with the temperature of its weights.
            recipe: how spectra are cut.
            config: what learns, temperature, dropout, and how retrieval is measured.
            drawn: True when the weights are random. Then all blocks learn, unless told otherwise,
                and where towers learn nothing is dropped: their vectors are soon nearly alike, and
                dropout, a noise as large as what tells them apart, kept them so.
            prepare: gives the preparer for slot -> instrument.

        Raises:
            ConfigError: there are not so many blocks.
        """
        blocks = config.blocks if config.blocks is not None else "all" if drawn else 0
        dropout = 0.0 if drawn and blocks != 0 else DROPOUT
        if config.dropout is not None:
            dropout = config.dropout
        choose_trained(network, sizes, blocks)
        for part in (network.image_encoder, network.spectrum_encoder):
            part.cross_attention.dropout.p = part.mlp.dropout.p = dropout
        self._learner = _Learner(
            network, config.temperature or sizes.temperature, learn=config.learn_temperature
        )
        self.module: nn.Module = self._learner
        self.preparer = prepare
        self._towers_learn = blocks != 0
        self._sizes, self._recipe, self._config = sizes, recipe, config
        self._device = next(network.parameters()).device
        self._told = False

    def train(self, mode: bool) -> None:
        """Dropout of the heads on or off."""
        self.module.train(mode)

    def loss(self, inputs: Inputs) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss (n,) and its two directions (n,), in nats."""
        vectors = self.vectors(inputs)
        of_spectrum, of_image = pair_losses(
            vectors["image"], vectors["spectrum"], self._learner.temperature()
        )
        parts = {"spectrum_of_image": of_spectrum, "image_of_spectrum": of_image}
        found = {name: values.detach() for name, values in parts.items()}
        return (of_spectrum + of_image) / 2, found

    def vectors(self, inputs: Inputs) -> dict[str, Tensor]:
        """`image` and `spectrum`, (n, embed), as embedding gives them."""
        network = self._learner.network
        return {
            "image": image_vectors(network, inputs, self._device),
            "spectrum": spectrum_vectors(network, inputs, self._device),
        }

    def settled(self, inputs: Inputs) -> Inputs:
        """The tokens of both towers, when nothing of these is trained."""
        if self._towers_learn:
            return inputs
        return keep_tokens(self._learner.network, self._recipe, inputs, self._device)

    def judge(self, objects: "pd.DataFrame", vectors: Mapping[str, Array]) -> dict[str, float]:
        """How well partners are found among like objects; see `retrieval`.

        Raises:
            ConfigError: the survey lacks a column that was named.
            DataError: fewer than two sources are held out.
        """
        # Imported here: it brings pandas and scipy, which embedding does without.
        from fmb_astroclip.retrieval import match_columns, retrieval

        redshift, magnitude = match_columns(
            objects, self._config.redshift_column, self._config.magnitude_column
        )
        if not (redshift and magnitude) and not self._told:
            logger.warning(
                "the survey has no column for %s: partners are looked for among any held-out"
                " objects, which is easier than among like ones",
                "the magnitude" if redshift else "the redshift",
            )
            self._told = True
        return retrieval(
            objects,
            vectors["image"],
            vectors["spectrum"],
            redshift=redshift,
            magnitude=magnitude,
            k=self._config.decoys,
        )

    def weights(self) -> Mapping[str, Tensor]:
        """All tensors of the network, by upstream's names."""
        state: Mapping[str, Tensor] = self._learner.network.state_dict()
        return state

    def card_changes(self) -> Mapping[str, Any]:
        """The architecture with the temperature, which has no tensor in upstream's state dict."""
        with torch.no_grad():
            temperature = float(self._learner.temperature())
        sizes = self._sizes.model_copy(update={"temperature": temperature})
        return {"architecture": sizes.model_dump(mode="json")}
