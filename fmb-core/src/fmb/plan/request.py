"""What a user asks for, from all layers, as one validated record: the content of `run.toml`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field

from fmb.contract.config import Config, build, merge, read_toml
from fmb.contract.errors import ConfigError
from fmb.datasets.vector_file import OwnVectors

__all__ = ["DataRequest", "DetectorRequest", "ModelRequest", "PlotRequest", "Request", "RunOptions"]

PROJECT_FILE = "fmb.toml"
"""Read from the current folder, below `--config` and the options."""


class _Component(Config):
    """A table whose own keys are below and whose other keys configure the component."""

    model_config = ConfigDict(extra="allow", frozen=True)

    @property
    def settings(self) -> dict[str, Any]:
        """The keys that belong to the component."""
        return dict(self.model_extra or {})


class DataRequest(_Component):
    """Table `[data]`; other keys configure the dataset."""

    source: str = "demo"
    reader: str | None = None
    where: str | None = None
    limit: int | None = Field(default=None, gt=0)
    exclude: str | None = None


class ModelRequest(_Component):
    """Table `[model.LABEL]`; other keys configure the model."""

    use: str
    weights: str | None = None
    embedder: tuple[str, ...] = ()
    view: tuple[str, ...] = ()
    input: dict[str, str] = Field(default={})
    """Slot -> instrument, where the planner cannot choose alone."""


class DetectorRequest(_Component):
    """Table `[detector.LABEL]`; other keys configure the detector."""

    use: str


class PlotRequest(_Component):
    """Table `[plot.LABEL]`; other keys configure the figure."""

    use: str


class RunOptions(Config):
    """Table `[run]`."""

    name: str | None = None
    seed: int = Field(default=0, ge=0)
    fit: Literal["cross-fit", "in-sample"] = "cross-fit"
    folds: int = Field(default=5, ge=2)
    fold_by: Literal["group", "sky"] = "group"
    reference: str | None = None
    batch_size: int = Field(default=64, gt=0)
    workers: int = Field(default=0, ge=0)
    device: str = "auto"
    precision: Literal["float32", "bf16", "fp16"] = "float32"
    shard_rows: int = Field(default=1024, gt=0)
    """Objects in a shard: what an interruption can cost at most."""
    allow_out_of_domain: bool = False
    top: int = Field(default=12, gt=0)
    """How many of the strangest objects of each list get cutouts in the run folder."""


class Request(Config):
    """A whole request, as layers of TOML and options make it."""

    run: RunOptions = RunOptions()
    data: DataRequest = DataRequest()
    embeddings: OwnVectors | None = None
    model: dict[str, ModelRequest] = Field(default={})
    detector: dict[str, DetectorRequest] = Field(default={})
    plot: dict[str, PlotRequest] = Field(default={})
    train: dict[str, Any] = Field(default={})
    """Table `[train]`: settings of `fmb retrain`, checked against those of the model there."""


def build_request(
    options: Mapping[str, Any], *, config: Path | None = None, folder: Path = Path()
) -> Request:
    """The request that project file, `--config` file and options make, later ones winning.

    Args:
        options: nested values from the command line or from Python, without unset ones.
        config: the file given by `--config`.
        folder: where `fmb.toml` is looked for.

    Raises:
        ConfigError: an unknown table or key, or a value of the wrong kind.
    """
    project = folder / PROJECT_FILE
    layers = [read_toml(project)] if project.is_file() else []
    if config is not None:
        layers.append(read_toml(config))
    values = merge(*layers, options)
    for kind in ("model", "detector", "plot"):
        tables = values.get(kind, {})
        if not isinstance(tables, Mapping):
            raise ConfigError(f"{kind}: write a table [{kind}.LABEL] with use = NAME")
        values[kind] = {
            label: {"use": label, **table} if isinstance(table, Mapping) else table
            for label, table in tables.items()
        }
    return build(Request, values, "configuration")


def request_toml(request: Request, *, given: bool = False) -> dict[str, Any]:
    """The request as plain values ready for a TOML file, without unset keys.

    Args:
        request: any request.
        given: leave out what was not set by anybody.
    """
    dumped: dict[str, Any] = request.model_dump(mode="json", exclude_none=True, exclude_unset=given)
    return dumped
