"""What a user says of vectors of their own."""

from typing import Annotated

from pydantic import BeforeValidator

from fmb.contract.config import Config

__all__ = ["OwnVectors"]

Several = Annotated[tuple[str, ...], BeforeValidator(lambda v: (v,) if isinstance(v, str) else v)]


class OwnVectors(Config):
    """Table `[embeddings]`: a user's own vectors, which need no model."""

    file: Several
    """npz, npy, HDF5, Parquet, CSV or FITS: files, folders of them, or patterns."""
    ids: str | None = None
    """Array or column of their ids, or a file of ids; left out: "object_id", else row numbers."""
    vector_columns: Several = ()
    """Columns that are vectors, as `[VIEW=]f0-f255`; left out: lists, and numbered columns."""
    catalog: str | None = None
    """Table with more columns of the objects."""
    catalog_id: str | None = None
    """Column of ids in `catalog`; left out: "object_id"."""
