"""The records a plugin yields: what a component is called, where it lives, what it takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar, Literal

__all__ = [
    "Accepts",
    "DatasetSpec",
    "DetectorSpec",
    "EmbedderSpec",
    "ModelSpec",
    "PlotSpec",
    "Spec",
    "WeightsSpec",
]


@dataclass(frozen=True, kw_only=True)
class Accepts:
    """One slot of a model and what may feed it; empty or None means "any".

    A slot is the model's name for an input (`image`, `spectrum`); the planner binds one
    instrument of the survey to each. The same record, as JSON, stands in a weights card, where
    it states what those weights were made for and replaces the model's general one.
    """

    slot: str
    kind: Literal["images", "spectra", "columns"]
    bands: tuple[str, ...] = ()
    """Bands that must all be there; the model takes them in this order."""
    subset: bool = False
    """True when one or more of `bands` will do, and no others: a model that takes any of them."""
    other_bands: str = ""
    """What to do about an input with other bands; ends the line that refuses it."""
    units: tuple[str, ...] = ()
    """Accepted units; an input unit convertible to one of them is accepted too."""
    instruments: tuple[str, ...] = ()
    """Instruments seen in training; another one is out of domain."""
    pixel_scale_arcsec: tuple[float, float] | None = None
    """Smallest and largest pixel scale seen in training; outside is out of domain."""
    min_size_px: int = 0
    max_pixels: int = 0
    """Longest spectrum, in pixels; 0 = any."""
    wavelength_aa: tuple[float, float] | None = None
    """Range of the model's grid, Angstrom; an input that does not overlap it is refused."""
    calibrated: bool = False
    """True when display-stretched images or uncalibrated spectra cannot be used."""


@dataclass(frozen=True, kw_only=True)
class WeightsSpec:
    """Weights that can be asked for by name.

    Exactly one of `card` and `location` is given.
    """

    name: str
    summary: str
    card: str = ""
    """"module:function" taking (config, seed) and returning a card: weights drawn, not loaded."""
    location: str = ""
    """"package:IMPORT/FOLDER" for bundled weights, "hf:REPO@REV" for published ones.

    REV is a commit of 40 hexadecimal digits; "hf:REPO" says that nobody has verified one.
    """
    parameters: int = 0
    """Numbers in the part of the network that embeds; 0 = not stated."""
    measured: str = ""
    """Memory and speed as measured, and on what: "2.1 GB, 1.7 s an object on one core"."""


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What every component declares; `target` and `config` are imported on first use."""

    kind: ClassVar[str] = ""

    name: str
    """As users type it: lower case, digits and hyphens."""
    summary: str
    """One line of at most 60 characters."""
    target: str
    """"module:Class" of the component."""
    config: str
    """"module:Class" of its configuration, a subclass of `fmb.config.Config`."""
    revision: int = 1
    """Raised when the component's numbers change; part of every content key."""
    aliases: tuple[str, ...] = ()
    source: str = ""
    """arXiv id or DOI of the method."""
    citation: str = ""
    """BibTeX."""
    licence: str = ""
    """SPDX identifier."""
    requires: tuple[str, ...] = ()
    """Top-level import names the component needs; looked up, never imported, by the core."""


@dataclass(frozen=True, kw_only=True)
class DatasetSpec(Spec):
    """A named dataset, or a reader of files when `suffixes` or `markers` are given."""

    kind: ClassVar[str] = "dataset"

    suffixes: tuple[str, ...] = ()
    """File endings this reader answers to, with the dot."""
    markers: tuple[str, ...] = ()
    """Files whose presence in a folder tells that this reader answers to it."""


@dataclass(frozen=True, kw_only=True)
class ModelSpec(Spec):
    """A foundation model: what feeds it, the views it gives and the weights it can load."""

    kind: ClassVar[str] = "model"

    accepts: tuple[Accepts, ...]
    views: Mapping[str, tuple[str, ...]]
    """View -> the slots it needs, for instance {"joint": ("image", "spectrum")}."""
    embedders: tuple[str, ...]
    """Embedders that fit this model's tokens; the first serves weights whose card names none."""
    weights: tuple[WeightsSpec, ...] = ()
    """The first is what the demo survey uses; real data have no default."""
    joint: Literal["native", "unit-mean"] | None = None
    """How `joint` is made: by the model, or by the core from the pooled views."""
    aligned: bool = False
    """True when the views live in one space, so that their cosine has a meaning."""
    importer: str = ""
    """"module:function" taking (path, folder, config): writes a weights folder from `path`.

    `path` is a checkpoint file, or a folder in the layout of the upstream (no `card.json`). Only
    what the model embeds with is kept. Nothing in `path` is executed.
    """
    converter: str = ""
    """"module:function" taking (tensors, folder, config, source), for pickles of whole modules.

    `tensors` is a safetensors file with the bare state dict, made by a process of its own in which
    nothing of the pickle could run; `source` is the name of the file it came from.
    """
    shaping_options: tuple[str, ...] = ()
    """Options that shape weights which are drawn or imported.

    Weights with a card of their own have their shape from it: naming one of these is an error.
    """
    retrain_config: str = ""
    retrain_accepts: tuple[Accepts, ...] = ()
    """What a training learns to read, where that is not what its starting weights accept."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "views", MappingProxyType(dict(self.views)))


@dataclass(frozen=True, kw_only=True)
class EmbedderSpec(Spec):
    """A reduction of a view's tokens to one vector an object."""

    kind: ClassVar[str] = "embedder"


@dataclass(frozen=True, kw_only=True)
class DetectorSpec(Spec):
    """A method that gives each object a score; higher is stranger."""

    kind: ClassVar[str] = "detector"

    scope: Literal["single", "pair", "fusion"] = "single"
    fitted: bool = True
    """False for a rule without parameters; such a detector is never cross-fitted."""


@dataclass(frozen=True, kw_only=True)
class PlotSpec(Spec):
    """A figure and what the core must resolve before it can be drawn."""

    kind: ClassVar[str] = "plot"

    needs: tuple[str, ...] = ("scores",)
    """Any of "scores", "objects", "cutouts", "embeddings"."""
    default: bool = field(default=False)
    """True when `fmb run` draws it without being asked."""
