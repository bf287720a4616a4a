"""A folder of JPEG or PNG pictures, one an object, with or without a catalogue beside them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fmb import Array, ConfigError, DataError, Dataset
from fmb.files import is_table, parse_ids, read_table, refuse_duplicates
from fmb_surveys.files.described import Description, TreeConfig, open_tree
from fmb_surveys.files.stores.object_files import told_by_first
from fmb_surveys.files.stores.places import visible

if TYPE_CHECKING:
    from fmb.files import Table
from fmb_surveys.trees.beside import told_beside

__all__ = ["PicturesConfig", "describe", "is_pictures", "open_pictures"]

ENDINGS = (".jpg", ".jpeg", ".png")
_CATALOG, _ROWS, _ID = "catalog.parquet", "rows.parquet", "object_id"


class PicturesConfig(TreeConfig):
    """What a user says of a folder of pictures; the one key of `inputs` names their instrument."""


def open_pictures(
    source: str,
    config: PicturesConfig,
    *,
    cache: Path,
    progress: Callable[[int, int], None] | None = None,
) -> Dataset:
    """The survey that a folder of pictures is.

    Args:
        source: path of the folder.
        config: what the user says of it; the pixel scale stands in no picture.
        cache: folder of the workspace.
        progress: not used.

    Raises:
        ConfigError: Pillow is not installed, or something that is needed was not said.
        DataError: no picture is there, one is damaged, or the catalogue does not name them.
    """
    return open_tree(source, config, describe, "jpeg-png", cache=cache)


def is_pictures(path: Path) -> bool:
    """Whether a folder holds pictures and nothing else but a catalogue."""
    others = [p for p in visible(path, "*") if p.suffix.lower() not in ENDINGS]
    return len(others) <= 1 and all(is_table(other) for other in others)


def describe(path: Path, config: PicturesConfig) -> Description:
    """What the folder holds: an image an object, and the catalogue that names them.

    Raises:
        FmbError: as `open_pictures`.
    """
    pictures = sorted(p for p in visible(path, "*") if p.suffix.lower() in ENDINGS)
    if not pictures:
        raise DataError(f"{path}: holds no picture; one of {', '.join(ENDINGS)}")
    name = _instrument(config)
    keys, lines = told_by_first(pictures, "images", config.skip_bad)
    if "pixel_scale_arcsec" not in config.inputs.get(name, {}):
        raise ConfigError(
            f"{path}: pictures do not tell their pixel scale; add"
            f" --set data.inputs.{name}.pixel_scale_arcsec=ARCSEC"
        )
    table = _catalogue_file(path, config)
    ids, files, catalog, said = (
        _by_catalogue(table, pictures, config) if table else _by_name(pictures)
    )
    survey = {
        "name": path.name,
        "catalog": catalog,
        "inputs": {name: {"kind": "images", "files": _ROWS, **keys}},
    }
    tables = {_ROWS: _rows(ids, name, files)}
    if table is None:
        tables[_CATALOG] = tables[_ROWS].select([_ID])
    read = [*pictures, *([table] if table else ())]
    return Description(
        survey=survey,
        tables=tables,
        taken=(*lines, *said),
        left_out=told_beside(path, read, config.catalog),
    )


def _instrument(config: PicturesConfig) -> str:
    if len(config.inputs) > 1:
        raise ConfigError(
            f"data.inputs names {', '.join(config.inputs)}: a folder of pictures is one input"
        )
    return next(iter(config.inputs), "images")


def _catalogue_file(path: Path, config: PicturesConfig) -> Path | None:
    if config.catalog.get("file"):
        return path / str(config.catalog["file"])
    tables = sorted(p for p in visible(path, "*") if is_table(p))
    if len(tables) > 1:
        raise ConfigError(
            f"{path}: {' and '.join(p.name for p in tables[:3])} may be the catalogue; name it with"
            " --set data.catalog.file=FILE"
        )
    return tables[0] if tables else None


_Objects = tuple["Array", Sequence[Path | None], dict[str, Any], tuple[str, ...]]
"""Ids, their pictures, keys of `[catalog]`, and what was taken from where."""


def _by_name(pictures: Sequence[Path]) -> _Objects:
    ids = parse_ids([p.stem for p in pictures], f"{pictures[0].parent}: names of pictures")
    refuse_duplicates(ids, f"{pictures[0].parent}: names of pictures without their endings")
    lines = (f"ids: names of {len(pictures)} pictures without their endings",)
    return ids, pictures, {"file": _CATALOG, "id": _ID}, lines


def _by_catalogue(path: Path, pictures: Sequence[Path], config: PicturesConfig) -> _Objects:
    table, asked = read_table(path), str(config.catalog.get("id", ""))
    named = {key: p for p in pictures for key in (p.name, p.stem)}
    if len(named) < 2 * len(pictures):
        # Two endings of one name: only whole names tell them apart.
        named = {p.name: p for p in pictures}
    column = _naming_column(table, named)
    ids = read_table(path, text=(asked or column,)).ids(asked or column)
    refuse_duplicates(ids, f"{path}: {asked or column!r}")
    files = [named.get(_last(value)) for value in _texts(table, column)]
    found = {file for file in files if file is not None}
    lines = [
        f"ids: column {asked or column!r} of {path.name}",
        f"pictures: named by column {column!r}, {len(found)} of {len(pictures)} of them",
    ]
    if left := [p.name for p in pictures if p not in found]:
        lines.append(f"{len(left)} pictures stand in no row of {path.name}, first {left[0]}")
    catalog = {"file": str(path), "id": asked or column, "columns": "all"}
    return ids, files, catalog, tuple(lines)


def _naming_column(table: "Table", named: dict[str, Path]) -> str:
    """The column that names most pictures; of several, the one whose values have no ending.

    Raises:
        DataError: none names any.
    """
    counts: dict[str, tuple[int, bool]] = {}
    for column, values in table.columns.items():
        if getattr(values, "dtype", None) is not None and values.dtype.kind == "f":
            continue
        texts = [_last(text) for text in _texts(table, column)]
        counts[column] = (sum(t in named for t in texts), not any("." in t for t in texts))
    best = max(counts, key=lambda column: counts[column], default="")
    if not best or not counts[best][0]:
        example = next(iter(named))
        raise DataError(
            f"{table.path}: no column names the pictures, such as {example!r}; add one, or move the"
            " table away and take the names of the pictures as ids"
        )
    return best


def _texts(table: "Table", column: str) -> list[str]:
    return ["" if value is None else str(value) for value in list(table.column(column))]


def _last(text: str) -> str:
    """Without the folders before it."""
    return text.rpartition("/")[2]


def _rows(ids: Array, name: str, files: Sequence[Path | None]) -> Any:
    import pyarrow as pa

    paths = pa.array([None if f is None else str(f) for f in files], type=pa.string())
    return pa.table({_ID: pa.array(ids), name: paths})
