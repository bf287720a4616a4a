"""Pictures that a column holds as bytes of PNG or JPEG, or as paths: as arrays of 8-bit numbers."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from fmb import Array, ConfigError, DataError, ShapeError
from fmb_surveys.files.stores.arrow_schema import field_at

__all__ = ["first_picture", "is_picture", "pictures"]


def is_picture(schema: pa.Schema, name: str) -> bool:
    """True for a column of bytes, or of records of bytes and path as Hugging Face has them."""
    if name.split("/")[0] not in schema.names:
        return False
    kind = field_at(schema, name, "").type
    if pa.types.is_struct(kind):
        names = {field.name: field.type for field in kind}
        bytes_kind = names.get("bytes", pa.null())  # null where all are files of their own
        return set(names) == {"bytes", "path"} and (
            _is_bytes(bytes_kind) or pa.types.is_null(bytes_kind)
        )
    return _is_bytes(kind)


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def first_picture(column: pa.Array, where: str, folder: Path) -> Array | None:
    """(bands, height, width), uint8: the first picture of a column; None where it has none."""
    for row in range(len(column)):
        if (data := _bytes(column, row, where, folder)) is not None:
            return _decoded(data, where)
    return None


def pictures(
    column: pa.Array, rows: Array, shape: tuple[int, ...], pad: float, where: str, folder: Path
) -> Array:
    """(m, *shape): pictures of some rows, uint8, or float64 where one is missing and `pad` is NaN.

    Args:
        column: bytes, or records of bytes and path.
        rows: (m,), positions in it.
        shape: (bands, height, width) of each.
        pad: stands for pictures that are not there.
        where: names the column in messages.
        folder: of relative paths.

    Raises:
        ShapeError: a picture has another size or number of bands.
        DataError: one cannot be read.
    """
    made = np.full((len(rows), *shape), pad if np.isfinite(pad) else 0, dtype=np.uint8)
    missing = np.zeros(len(rows), dtype=bool)
    for at, row in enumerate(rows.tolist()):
        data = _bytes(column, row, where, folder)
        missing[at] = data is None
        if data is not None:
            values = _decoded(data, where)
            if values.shape != shape:
                raise ShapeError(f"{where} has a picture of {values.shape}, expected {shape}")
            made[at] = values
    if missing.any() and not np.isfinite(pad):
        made = made.astype(np.float64)
        made[missing] = pad
    return made


def _bytes(column: pa.Array, row: int, where: str, folder: Path) -> bytes | None:
    value: Any = column[row].as_py()
    if not isinstance(value, dict):
        return None if not value else bytes(value)
    if value.get("bytes"):
        return bytes(value["bytes"])
    if not value.get("path"):
        return None
    path = folder / str(value["path"])
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{where}: {path}: cannot be read: {error.strerror}") from None


def _decoded(data: bytes, where: str) -> Array:
    try:
        # Imported here: most surveys have no pictures, and it is an extra.
        from PIL import Image
    except ModuleNotFoundError:
        raise ConfigError(
            f"{where} holds pictures, which need Pillow: pip install 'fmb-surveys[pictures]'"
        ) from None
    try:
        with Image.open(BytesIO(data)) as picture:
            plain = picture.convert("RGB") if picture.mode == "P" else picture
            if plain.mode not in ("RGB", "L"):
                raise DataError(f"{where}: a picture of mode {plain.mode}, expected RGB or L")
            values = np.asarray(plain)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"{where}: a picture cannot be read: {str(error)[:150]}") from None
    return values[None] if values.ndim == 2 else np.moveaxis(values, -1, 0)
