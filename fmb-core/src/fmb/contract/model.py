"""Models: what feeds a foundation model, what it gives and which weights it can load."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

from fmb.contract.spec import ComponentSpec, Record

if TYPE_CHECKING:
    import torch

    from fmb.contract.inputs import Batch, Inputs

__all__ = ["Accepts", "Model", "ModelSpec", "Tokens", "WeightsSpec"]


@dataclass(frozen=True, kw_only=True)
class Accepts:
    """One slot of a model and what may feed it; empty or None means "any".

    A slot is the model's name for an input (`image`, `spectrum`); the planner binds one
    instrument of the survey to each. The same record, as JSON, stands in a weights card, where
    it states what those weights were made for and replaces the model's general one.
    """

    slot: str
    """The model's name for the input."""
    kind: Literal["images", "spectra", "columns"]
    """Of the instrument's data."""
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
    """Least height and width of an image; 0 = any."""
    max_pixels: int = 0
    """Longest spectrum, in pixels; 0 = any."""
    wavelength_aa: tuple[float, float] | None = None
    """Range of the model's grid, Angstrom; an input that does not overlap it is refused."""
    calibrated: bool = False
    """True when display-stretched images or uncalibrated spectra cannot be used."""


class WeightsSpec(Record):
    """Weights that can be asked for by name; exactly one of `card` and `location` is given."""

    name: str
    """As users type it after `--weights`."""
    summary: str
    """One line."""
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


class ModelSpec(ComponentSpec):
    """A foundation model: what feeds it, the views it gives and the weights it can load."""

    kind: ClassVar[str] = "model"
    plural: ClassVar[str] = "models"
    example: ClassVar[str] = """\
yield ModelSpec(name="mymodel", summary="My image encoder", target="mypkg.model:MyModel",
                config="mypkg.config:MyConfig", embedders=("mean",),
                accepts=(Accepts(slot="image", kind="images", bands=("VIS",)),),
                views={"image": ("image",)})"""

    accepts: tuple[Accepts, ...]
    """What may feed each slot; several of one slot are alternatives."""
    views: Mapping[str, tuple[str, ...]]
    """View -> the slots it needs, for instance {"joint": ("image", "spectrum")}."""
    embedders: tuple[str, ...]
    """Embedders that fit this model's tokens; the first serves weights whose card names none."""
    weights: tuple[WeightsSpec, ...] = ()
    """The first is what simulated surveys take; real data have no default."""
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
    """"module:Class" of the options of a training; "" = it cannot be trained."""
    retrain_accepts: tuple[Accepts, ...] = ()
    """What a training learns to read, where that is not what its starting weights accept."""

    def problem(self) -> str:
        """Weights without a place, or views that need what nothing feeds."""
        for weights in self.weights:
            if bool(weights.card) == bool(weights.location):
                both = "both" if weights.card else "neither"
                return f"weights {weights.name!r} have {both} of card and location, expected one"
        slots = [accepts.slot for accepts in (*self.accepts, *self.retrain_accepts)]
        for view, needs in self.views.items():
            for slot in needs:
                if slot not in slots:
                    return f"view {view!r} needs {slot!r}, which no Accepts names"
        return "" if self.embedders else "embedders names none"


@dataclass(frozen=True, eq=False, repr=False)
class Tokens:
    """Tokens of one view, on the device, as a model gives them to an embedder."""

    values: "torch.Tensor"
    """(n, t, d)."""
    mask: "torch.Tensor | None" = None
    """(n, t), bool, True = the token carries data; None = all do."""
    segment: "torch.Tensor | None" = None
    """(t,), int64: which input a token comes from (0 image, 1 spectrum); None = one input."""


class Model(Protocol):
    """A foundation model. Constructed `(config, *, seed, device, precision)`.

    One that can be trained has `task(config, sources) -> TrainTask` too, for its spec's
    `retrain_config` and slot -> instrument; it starts from the weights that were loaded.
    """

    def load(self, folder: Path) -> None:
        """Take the weights of `folder` (card.json and safetensors), strictly."""

    def preparer(self, sources: Mapping[str, str]) -> "Callable[[Batch], Inputs]":
        """A picklable function without weight tensors, run in loader workers.

        `sources` is slot -> instrument; every object of its batches has all of these.
        """

    def encode(self, inputs: "Inputs", views: Sequence[str]) -> Mapping[str, Tokens]:
        """Tokens of each of `views` for objects that are valid in all slots those views need."""
