"""survey.toml: which files hold a survey's catalogue, images and spectra, and in which units."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import Field, model_validator

from fmb import ROLES, Config, ConfigError, DataError, build, did_you_mean, read_toml
from fmb.store import publish
from fmb_surveys.files.catalog_joins import JoinSource
from fmb_surveys.files.columns_source import ColumnsSource
from fmb_surveys.files.input_sources import (
    A_BAND_EACH,
    AnySource,
    ImagesSource,
    InputSource,
    SpectraSource,
)
from fmb_surveys.files.units import Unit

__all__ = [
    "A_BAND_EACH",
    "FILE_NAME",
    "AnySource",
    "CatalogSource",
    "ColumnsSource",
    "ImagesSource",
    "InputSource",
    "SpectraSource",
    "Stored",
    "Survey",
    "build_survey",
    "find_survey_file",
    "is_survey",
    "names_surveys",
    "read_survey",
    "write_survey_file",
]

FILE_NAME = "survey.toml"
_INSTRUMENT = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*")


class CatalogSource(Config):
    """Table `[catalog]`: the objects, one row each."""

    file: str = ""
    """HDF5, Parquet, CSV, FITS or ECSV; "" = the survey's `file`."""
    table: str = ""
    """Extension of a FITS file, by name or number; "" = its first table."""
    id: str
    ra: str | None = None
    """Right ascension; in degrees unless the file or `units` says radians, hours or arcsec.

    Text is sexagesimal, in hours for ra.
    """
    dec: str | None = None
    redshift: str | None = None
    label: str | None = None
    group: str | None = None
    """Repeats of one source share its value."""
    columns: str | tuple[str, ...] | dict[str, str] = ()
    """Further columns: "all", their names, or {name = column or dataset}."""
    units: dict[str, Unit] = Field(default_factory=dict)
    """Column -> unit, where the file does not tell it."""
    roles: dict[str, str] = Field(default_factory=dict)
    """Role -> the column that plays it: magnitude, size, snr, depth, psf, ebv, survey ..."""
    join: dict[str, JoinSource] = Field(default_factory=dict)
    """Name -> a further catalogue, whose columns are taken over."""
    derived: dict[str, str] = Field(default_factory=dict)
    """Name -> formula of other columns, in the language of `--where`."""

    @model_validator(mode="after")
    def _check_columns(self) -> "CatalogSource":
        if isinstance(self.columns, str) and self.columns != "all":
            raise ValueError('columns is "all", a list of names or a table of names')
        for role in self.roles:
            if role not in ROLES:
                raise ValueError(f"no column can be {role!r}{did_you_mean(role, ROLES)}")
        return self


class Stored(Config):
    """Table `[stored]` of a survey that FMB wrote: what the dataset said of itself."""

    identity: str
    """JSON."""
    warnings: tuple[str, ...] = ()


class Survey(Config):
    """The content of a survey.toml; paths are relative to its folder."""

    name: str = Field(min_length=1)
    file: str = ""
    """Where catalogue and inputs are that name no file of their own."""
    catalog: CatalogSource
    inputs: dict[str, AnySource]
    stored: Stored | None = None
    skip_bad: bool = False
    """Leave out objects whose own file is broken; they are counted and listed."""
    described: tuple[str, ...] = ()
    """What a reader took from which header, where it wrote this; for people."""
    left_out: tuple[str, ...] = ()
    """What a reader could not read and skipped; runs note it."""

    @property
    def catalog_file(self) -> str:
        """Where the catalogue is, relative to the survey.toml."""
        return self.catalog.file or self.file

    def text(self) -> str:
        """The survey as TOML, without keys that have their default value."""
        values = self.model_dump(mode="json", exclude_defaults=True)
        return tomli_w.dumps(values)

    def mapping(self) -> dict[str, Any]:
        """What decides which numbers are read, as plain values; not where the files are."""
        values = self.model_dump(
            mode="json", exclude_defaults=True, exclude={"stored", "file", "described", "left_out"}
        )
        joins = values["catalog"].get("join", {})
        for table in (values["catalog"], *values["inputs"].values(), *joins.values()):
            table.pop("file", None)
            table.pop("files", None)
        values["catalog"].pop("roles", None)  # what a column is for changes no number
        return values


_KINDS: dict[str, type[AnySource]] = {
    "images": ImagesSource,
    "spectra": SpectraSource,
    "columns": ColumnsSource,
}


def find_survey_file(source: str) -> Path:
    """The survey.toml that a path names: itself, or the one in the folder it names.

    Raises:
        DataError: there is none.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        path = path / FILE_NAME
    if not path.exists():
        raise DataError(f"{path}: no such file; a survey is described by a {FILE_NAME}")
    return path


def is_survey(path: Path) -> bool:
    """Whether a path is a survey.toml or a folder that has one, whatever else is in it."""
    here = path.suffix == ".toml" or (path / FILE_NAME).exists()
    return here and not names_surveys(path)


def names_surveys(path: Path) -> bool:
    """Whether a path is a survey.toml that names other surveys, or a folder that has one."""
    file = path / FILE_NAME if path.is_dir() else path
    try:
        return "survey" in read_toml(file)
    except ConfigError:  # said by whoever opens it
        return False


def read_survey(path: Path) -> Survey:
    """The survey described by a TOML file.

    Raises:
        ConfigError: the file is not TOML, or a key or value in it is wrong.
    """
    return build_survey(read_toml(path), path)


def build_survey(values: Mapping[str, Any], path: Path) -> Survey:
    """The survey described by the values of a TOML file; `path` names it in messages.

    Raises:
        ConfigError: a key or value is wrong.
    """
    inputs = values.get("inputs", {})
    if not isinstance(inputs, Mapping) or not inputs:
        raise ConfigError(f"{path}: has no inputs; add a table [inputs.NAME] with kind = ...")
    built = {name: _build_input(path, name, table) for name, table in inputs.items()}
    if not isinstance(values.get("catalog"), Mapping):
        raise ConfigError(f"{path}: has no table [catalog] that names the ids")
    catalog = build(CatalogSource, values["catalog"], f"{path}: catalog")
    survey = build(Survey, {**values, "inputs": built, "catalog": catalog}, str(path))
    for what, source in (("catalog", catalog), *((f"inputs.{n}", s) for n, s in built.items())):
        if isinstance(source, ColumnsSource) and source.of_catalog:
            continue
        if not (source.file or getattr(source, "files", "") or survey.file):
            raise ConfigError(f"{path}: {what} names no file; add file = ... there or at the top")
    return survey


def _build_input(path: Path, name: str, table: Any) -> AnySource:
    where = f"{path}: inputs.{name}"
    if not _INSTRUMENT.fullmatch(name):
        raise ConfigError(f"{where}: name an input in lower case with hyphens")
    if not isinstance(table, Mapping) or table.get("kind") not in _KINDS:
        kind = table.get("kind", "") if isinstance(table, Mapping) else ""
        raise ConfigError(f"{where}: unknown kind {kind!r}{did_you_mean(str(kind), _KINDS)}")
    return build(_KINDS[table["kind"]], table, where)


def write_survey_file(path: Path, survey: Survey) -> None:
    """Write a survey.toml so that a reader sees the old file or the whole new one.

    Raises:
        FailedError: the folder cannot be written to.
    """
    publish(path, survey.text().encode())
