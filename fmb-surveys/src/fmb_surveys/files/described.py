"""Trees that say of themselves what they hold: described once, then read like any survey.toml."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import tomli_w
from pydantic import Field

from fmb import Config, ConfigError, Dataset, FmbError, merge
from fmb.store import Digests, staged_folder
from fmb_surveys.files.identity import tree_digest
from fmb_surveys.files.partitioned import PartitionedDataset
from fmb_surveys.files.reader import open_survey
from fmb_surveys.files.stores.store import PARTITIONS
from fmb_surveys.files.survey_toml import FILE_NAME, build_survey, read_survey

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Description", "TreeConfig", "describe_tree", "open_tree", "write_description"]

REVISION = 2
"""Raised when trees are described in another way than before."""


class TreeConfig(Config):
    """What a user says of a tree that it does not say itself, or says wrongly."""

    name: str = ""
    """Of the survey; "" = of the file or folder."""
    catalog: dict[str, Any] = Field(default_factory=dict)
    """Keys of `[catalog]` of a survey.toml."""
    inputs: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Keys of `[inputs.NAME]`."""
    skip_bad: bool = False
    """Leave out objects whose own file is broken; they are counted and listed."""


C = TypeVar("C", bound=TreeConfig)


@dataclass(frozen=True, kw_only=True, eq=False)
class Description:
    """What a reader found in a tree."""

    survey: Mapping[str, Any]
    """As a survey.toml has it; files of the tree by absolute paths, tables by their names here."""
    tables: Mapping[str, "pa.Table"] = field(default_factory=dict)
    """File name -> what is written beside the survey.toml: a catalogue, row indexes."""
    taken: tuple[str, ...] = ()
    """What was taken from which header, a line each."""
    left_out: tuple[str, ...] = ()
    """What could not be read and was skipped, a line each; a run notes them."""


Describe = Callable[[Path, C], Description]


def open_tree(
    source: str,
    config: C,
    describe: Describe[C],
    reader: str,
    *,
    cache: Path,
    state: str | None = None,
) -> Dataset:
    """The survey that a file or folder of raw data is.

    Its description is made once and kept below `cache`, until a file of the tree changes.

    Args:
        source: path of the file or folder, or a URL.
        config: what the user says of it.
        describe: makes its description.
        reader: name of the reader.
        cache: folder of the workspace.
        state: of a URL, what changes when a file there does; None = by the files of the tree.

    Raises:
        ConfigError: what the user says contradicts itself, or is no key of a survey.toml.
        DataError: the tree is not there, damaged, or does not tell what is needed.
    """
    path = Path(source) if state else Path(source).expanduser().resolve()
    place = source if state else str(path)
    key = [REVISION, reader, place, config.model_dump(mode="json"), state or tree_digest(path)]
    digest = hashlib.blake2b(json.dumps(key, sort_keys=True).encode(), digest_size=16).hexdigest()
    folder = cache / "described" / digest
    if not (folder / FILE_NAME).exists():
        description = describe_tree(path, config, describe)
        with staged_folder(folder) as staging:
            write_description(staging, description)
    file = folder / FILE_NAME
    survey = read_survey(file)
    parts = [one for one in survey.inputs.values() if one.files or one.format == "mmu-hdf5"]
    if config.skip_bad and not parts:
        raise ConfigError(
            f"{place}: no object has a file of its own, so none can be skipped; leave"
            " --skip-bad out"
        )
    if survey.catalog.file == PARTITIONS:
        return PartitionedDataset(survey, file, Digests(cache.parent))
    try:
        return open_survey(survey, file, Digests(cache.parent), config.skip_bad)
    except FmbError as error:  # nobody knows the table that was made of the tree
        raise type(error)(
            str(error).replace(f"{folder / survey.catalog_file}:", f"{place}:")
        ) from None


def describe_tree(path: Path, config: C, describe: Describe[C]) -> Description:
    """The description of a tree with what the user says of it.

    Raises:
        FmbError: as `open_tree`.
    """
    made = describe(path, config)
    said = config.model_dump(mode="json", include={"catalog", "inputs"})
    survey = merge(dict(made.survey), said)
    survey["name"] = config.name or survey.get("name") or path.name.split(".")[0]
    build_survey(survey, path)
    return Description(survey=survey, tables=made.tables, taken=made.taken, left_out=made.left_out)


def write_description(folder: Path, description: Description) -> None:
    """Write the survey.toml and the tables that it names into a folder."""
    from pyarrow import parquet

    for name, table in description.tables.items():
        parquet.write_table(table, folder / name)
    told = {"described": list(description.taken), "left_out": list(description.left_out)}
    survey = {**description.survey, **told}
    (folder / FILE_NAME).write_bytes(tomli_w.dumps(survey).encode())
