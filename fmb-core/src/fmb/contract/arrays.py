"""Arrays, and containers whose arrays share their first axis: one row an object."""

from dataclasses import field, fields, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from fmb.messages.errors import ShapeError

__all__ = ["Array", "Rows", "per_row"]

Array = npt.NDArray[Any]


class Rows:
    """Array containers whose fields marked `per_row` share their first axis."""

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))  # type: ignore[arg-type]

    def take(self, rows: npt.ArrayLike) -> Self:
        """The same container for `rows` (integer or boolean index), in that order."""
        return replace(self, **self._at(np.asarray(rows)))  # type: ignore[type-var]

    def _at(self, rows: Array) -> dict[str, Array]:
        """Field name -> its values at `rows`, for every field that has a row an object."""
        return {
            f.name: value[rows]
            for f in fields(self)  # type: ignore[arg-type]
            if f.metadata.get("per_row") and (value := getattr(self, f.name)) is not None
        }

    def _require_shape(self, shape: tuple[int, ...], *names: str) -> None:
        """Refuse a field of `names` that is there and has another shape."""
        for name in names:
            value = getattr(self, name)
            if value is not None and value.shape != shape:
                what = type(self).__name__.lower()
                raise ShapeError(f"{what}: {name} has shape {value.shape}, expected {shape}")


def per_row(**kwargs: Any) -> Any:
    """A dataclass field whose first axis is the objects."""
    return field(metadata={"per_row": True}, **kwargs)
