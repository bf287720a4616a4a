"""HATS catalogues and collections: Parquet partitioned by place on the sky."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from fmb import DataError, Dataset
from fmb_surveys.files.described import Description, TreeConfig, open_tree
from fmb_surveys.files.stores.parquet_index import row_groups
from fmb_surveys.trees.parquet import Told, describe_row_groups

__all__ = ["describe", "is_hats", "open_hats", "primary", "read_properties", "told_of"]

PROPERTIES = ("hats.properties", "properties")
"""Names that a catalogue's own description has had."""
COLLECTION = "collection.properties"
SORTED_BY = ("_healpix_29", "_hipscat_index", "Norder", "Dir", "Npix")
"""Columns of the partitioning, not of the objects."""


def is_hats(path: Path) -> bool:
    """Whether a folder is a HATS catalogue or collection."""
    if any((path / name).is_file() for name in (PROPERTIES[0], COLLECTION)):
        return True
    return (path / PROPERTIES[1]).is_file() and (path / "dataset").is_dir()


def open_hats(
    source: str,
    config: TreeConfig,
    *,
    cache: Path,
    progress: Callable[[int, int], None] | None = None,
) -> Dataset:
    """The survey in a HATS catalogue or collection; arguments as for `open_tree`.

    Raises:
        FmbError: as `open_tree`.
    """
    return open_tree(source, config, describe, "hats", cache=cache)


def describe(path: Path, config: TreeConfig) -> Description:
    """What the properties, footers and schema of a catalogue tell of it.

    Raises:
        DataError: it is damaged, no column holds an input, or something needed is not told.
    """
    root, lines = path, []
    if (path / COLLECTION).is_file():
        root = path / primary(_text(path / COLLECTION), str(path / COLLECTION))
        lines = [f"catalogue: {root.name}, by {COLLECTION}; margins are not read"]
    file = next((root / name for name in PROPERTIES if (root / name).is_file()), None)
    if file is None:
        raise DataError(f"{root}: is no HATS catalogue: it has no {PROPERTIES[0]}")
    if not (root / "dataset").is_dir():
        raise DataError(f"{root}: has no folder 'dataset'; copy the catalogue again")
    groups = replace(row_groups(root / "dataset"), where=str(root))
    told = told_of(_text(file), str(file), int(groups.starts[-1]), lines)
    return describe_row_groups(groups, config, told)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise DataError(f"{file}: is no text (UTF-8)") from None
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror}") from None


def read_properties(text: str) -> dict[str, str]:
    """Keys and values of a file of properties, `key=value` a line."""
    lines = (line.strip() for line in text.splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith(("#", "!")))
    return {key.strip(): value.strip() for key, sign, value in pairs if sign}


def primary(text: str, where: str) -> str:
    """Folder of the catalogue of a collection, by its properties.

    Raises:
        DataError: they name none, or one elsewhere.
    """
    name = read_properties(text).get("hats_primary_table_url", "")
    if not name:
        raise DataError(f"{where}: names no hats_primary_table_url")
    if "://" in name or Path(name).is_absolute() or ".." in Path(name).parts:
        raise DataError(f"{where}: its table is elsewhere, at {name}; give --data that place")
    return name


def told_of(text: str, where: str, n_rows: int, lines: list[str]) -> Told:
    """What the properties of a catalogue tell.

    Raises:
        DataError: it has more or fewer rows than they say, or is no catalogue of objects.
    """
    said = read_properties(text)
    kind = said.get("dataproduct_type", "object")
    if kind not in ("object", "source"):
        raise DataError(f"{where}: dataproduct_type is {kind!r}, not a catalogue of objects")
    rows = said.get("hats_nrows", "")
    if rows.isdigit() and int(rows) != n_rows:
        raise DataError(
            f"{where}: says {int(rows):,} rows, its partitions have {n_rows:,}; copy the missing"
            " ones"
        )
    keys = {"ra": "hats_col_ra", "dec": "hats_col_dec"}
    catalog = {key: said[name] for key, name in keys.items() if said.get(name)}
    hidden = {*SORTED_BY, said.get("hats_col_healpix", SORTED_BY[0])}
    return Told(said.get("obs_collection", ""), catalog, hidden, tuple(lines))
