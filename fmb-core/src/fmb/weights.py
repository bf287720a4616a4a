"""Weights: what a card says of them, and how a reference becomes a folder."""

from typing import Any, Literal

from fmb.config import Config
from fmb.specs import Accepts

__all__ = ["Card"]


class Card(Config):
    """`card.json` of a weights folder: everything a model needs besides the tensors.

    The folder holds this card and, unless `random_seed` is set, `model.safetensors`.
    """

    format: Literal["fmb-weights/1"] = "fmb-weights/1"
    model: str
    """Name of the model spec these weights are for."""
    name: str
    """Short name used in folder names: "random", "tiny", a checkpoint's name."""
    summary: str = ""
    architecture: dict[str, Any]
    """Sizes; what the model needs to build the network."""
    preprocessing: dict[str, Any]
    """The tokenisation preset: resampling, scaling, patches."""
    accepts: tuple[Accepts, ...]
    """What these weights can be fed; replaces the model's general list."""
    random_seed: int | None = None
    """Set when the weights are drawn from this seed, not trained."""
    training: dict[str, Any] | None = None
    """Data identity and digest, recipe, base weights."""
    licence: str = ""
    source: str = ""
