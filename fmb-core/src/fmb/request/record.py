"""What a user asks for, from all layers, as one validated record: the content of `run.toml`."""

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from fmb.contract.config import Config
from fmb.messages.errors import ConfigError
from fmb.plugins.registry import LABEL
from fmb.plugins.settings import Layer, build, merge, read_toml
from fmb.vectors.asked import OwnVectors

__all__ = [
    "FORMAT",
    "AskedRoles",
    "DataRequest",
    "DetectorRequest",
    "ModelRequest",
    "PlotRequest",
    "Request",
    "RunOptions",
    "build_request",
    "read_layers",
    "request_toml",
]

logger = logging.getLogger(__name__)

KINDS = ("model", "embedder", "detector", "analysis", "plot", "engine")
"""Tables whose keys are labels of components."""
FORMAT: Literal["fmb-run/2"] = "fmb-run/2"
"""Version of a run folder: of `run.toml`, `manifest.json` and what they describe."""
PROJECT_FILE = "fmb.toml"
"""Read from the current folder, below `--config` and the options."""


def _label(text: str) -> str:
    if not re.fullmatch(LABEL, text):
        raise ValueError("a label is lower case letters, digits, hyphens and underscores")
    return text


Label = Annotated[str, AfterValidator(_label)]
"""Key of a component's table: parts of file names are made of it."""


class _Component(Config):
    """A table whose own keys are below and whose other keys configure the component."""

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)

    @property
    def settings(self) -> dict[str, Any]:
        """The keys that belong to the component."""
        return dict(self.model_extra or {})


_WORDS = ("auto", "none")
"""What stands alone in the place of roles."""


def _roles(value: Any) -> Any:
    """Roles as on the command line, "magnitude,size", each once.

    Raises:
        ValueError: no names, or beside one stands a word for all of them.
    """
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise ValueError("write names of roles, or none or auto")
    named = list(dict.fromkeys(value))
    if not named:
        raise ValueError("names no role: name some, or write none or auto")
    word = next((one for one in named if one in _WORDS), "")
    if word and len(named) > 1:
        raise ValueError(f"{word!r} stands alone: write {word}, or roles and nothing else")
    return word or named


AskedRoles = Annotated[Literal["auto", "none"] | tuple[str, ...], BeforeValidator(_roles)]
"""Roles of the catalogue that lists are given: chosen for the survey, none, or these."""


class DataRequest(_Component):
    """Table `[data]`; other keys configure the dataset."""

    source: str | None = None
    """A dataset's name or a path; left out: the dataset that is taken when none is named."""
    reader: str | None = None
    where: str | None = None
    limit: int | None = Field(default=None, gt=0)
    include: str | None = None
    exclude: str | None = None
    split: str | None = None
    skip_bad: bool = False
    """Leave out objects whose file is broken, counted and listed; the reader does it."""

    @property
    def settings(self) -> dict[str, Any]:
        """Those of the dataset, `skip_bad` among them where it is asked for."""
        return {**super().settings, **({"skip_bad": True} if self.skip_bad else {})}


class ModelRequest(_Component):
    """Table `[model.LABEL]`; other keys configure the model."""

    use: str
    weights: str | None = None
    embedder: tuple[str, ...] = ()
    view: tuple[str, ...] = ()
    input: dict[str, str] = Field(default={})
    """Slot -> instrument, where the planner cannot choose alone."""


class EmbedderRequest(_Component):
    """Table `[embedder.LABEL]`; other keys configure the embedder."""

    use: str


class DetectorRequest(_Component):
    """Table `[detector.LABEL]`; other keys configure the detector."""

    use: str
    of: tuple[str, ...] | None = None
    """What it judges, left out: all it can. Views; for a fusion labels of detectors too."""
    scope: Literal["fusion"] | None = None
    """What it has to be; `--fusion` says so."""
    missing: Literal["apart", "common"] | None = None
    """Of a fusion: objects that some of its lists lack are ranked among their like, or not at all;
    left out: apart by a rule, not at all by one that is fitted."""
    thresholds: dict[str, Annotated[float, Field(gt=0, le=1)]] | None = None
    """Of a fusion: label, view or both of a list -> the percentile to be reached in it."""
    given: AskedRoles | None = None
    """Roles that its lists are given; left out: as `[run]` says, for lists of one view."""


class AnalysisRequest(_Component):
    """Table `[analysis.LABEL]`; other keys configure the analysis."""

    use: str


class PlotRequest(_Component):
    """Table `[plot.LABEL]`; other keys configure the figure."""

    use: str


class EngineRequest(_Component):
    """Table `[engine.LABEL]`; other keys configure the engine."""

    use: str


class RunOptions(Config):
    """Table `[run]`."""

    name: str | None = None
    seed: int = Field(default=0, ge=0)
    fit: Literal["cross-fit", "in-sample"] = "cross-fit"
    folds: int | None = Field(default=None, ge=2)
    """Of the cross-fit, left out: "5"; 20 or none for fewer objects than four times the numbers in
    a vector."""
    fold_by: Literal["group", "sky"] = "group"
    given: AskedRoles = "auto"
    """Roles of the catalogue that lists of one view are given: what these tell is taken out."""
    reference: str | None = None
    fitted: str | None = None
    """Run by whose fits all objects are scored; nothing is fitted."""
    batch_size: int = Field(default=64, gt=0)
    workers: int = Field(default=0, ge=0)
    device: str = "auto"
    precision: Literal["float32", "bf16", "fp16"] = "float32"
    verify: bool = False
    """Read every input again, and compare a few vectors with what is encoded now."""
    retry: bool = False
    """Try again objects that a model could make no vector of."""
    allow_out_of_domain: bool = False
    companions: bool = True
    """Run detectors that go beside what was asked for."""
    top: int = Field(default=12, gt=0)
    """How many of the strangest objects of each list get cutouts in the run folder."""
    figures: tuple[Label, ...] | None = None
    """Labels of the figures to draw and no others; left out: those drawn unasked and `[plot]`'s."""
    figure_formats: tuple[Literal["png", "pdf", "svg"], ...] = Field(default=("png",), min_length=1)
    """Files that each figure is kept as."""


class Request(Config):
    """A whole request, as layers of TOML and options make it."""

    format: Literal["fmb-run/2"] = FORMAT
    """Of run folders: which version wrote them."""
    run: RunOptions = RunOptions()
    data: DataRequest = DataRequest()
    embeddings: OwnVectors | None = None
    model: dict[Label, ModelRequest] = Field(default={})
    embedder: dict[Label, EmbedderRequest] = Field(default={})
    detector: dict[Label, DetectorRequest] = Field(default={})
    analysis: dict[Label, AnalysisRequest] = Field(default={})
    engine: dict[Label, EngineRequest] = Field(default={})
    plot: dict[Label, PlotRequest] = Field(default={})
    train: dict[str, Any] = Field(default={})
    """Table `[train]`: settings of a training, checked against those of the model there."""


def read_layers(config: Path | None = None, *, folder: Path = Path()) -> list[Layer]:
    """What project file and `--config` file say, the latter winning, each with its name.

    A file that holds a whole request, as every run keeps, is not mixed with the project file: it
    would not repeat its run.

    Args:
        config: the file given by `--config`.
        folder: where `fmb.toml` is looked for.

    Raises:
        ConfigError: a file is missing or not TOML.
    """
    project = folder / PROJECT_FILE
    asked = [] if config is None else [(f"--config {config}", read_toml(config))]
    if not project.is_file():
        return list[Layer](asked)
    if asked and "format" in asked[0][1]:
        logger.warning("%s is left out: %s holds a whole request", project, config)
        return list[Layer](asked)
    return [(str(project), read_toml(project)), *asked]


def build_request(*layers: Mapping[str, Any]) -> Request:
    """The request that layers of nested plain values make, later ones winning.

    Raises:
        ConfigError: an unknown table or key, or a value of the wrong kind.
    """
    tables = merge(*layers)
    for kind in KINDS:
        labelled = tables.get(kind, {})
        if not isinstance(labelled, Mapping):
            raise ConfigError(f"{kind}: write a table [{kind}.LABEL] with use = NAME")
        for label, table in labelled.items():
            if not isinstance(table, Mapping):
                raise ConfigError(
                    f"{kind}.{label} = {table!r} is no table: write {kind}.LABEL.OPTION = VALUE"
                )
        tables[kind] = {label: {"use": label, **table} for label, table in labelled.items()}
    return build(Request, tables, "configuration")


def request_toml(request: Request, *, given: bool = False) -> dict[str, Any]:
    """The request as plain values ready for a TOML file, without unset keys.

    Args:
        request: any request.
        given: leave out what was not set by anybody.
    """
    dumped: dict[str, Any] = request.model_dump(mode="json", exclude_none=True, exclude_unset=given)
    return dumped
