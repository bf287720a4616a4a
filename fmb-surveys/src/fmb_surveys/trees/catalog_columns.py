"""Which columns of a table are ids, positions and redshifts, by the names surveys give them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from fmb import DataError
from fmb_surveys.trees.nested_columns import FoundInput

__all__ = ["catalog_keys", "refuse_missing"]

IDS = ("object_id", "targetid", "source_id", "specobjid", "objid", "id")
KNOWN = {
    "ra": ("ra", "right_ascension"),
    "dec": ("dec", "declination"),
    "redshift": ("redshift",),
}
"""Key of `[catalog]` -> names of its column, in small letters, the first that is there."""
REDSHIFT = "Z"
"""The same as spectroscopic surveys write it, in this letter only: z is a band too."""
NEEDED = {
    "images": {"unit": "UNIT", "bands": "['A','B']", "pixel_scale_arcsec": "ARCSEC"},
    "spectra": {"unit": "UNIT"},
}
"""Kind of input -> what must be known of it, and how it is written."""


def catalog_keys(
    columns: Iterable[str],
    where: str,
    said: Mapping[str, Any],
    *,
    told: Mapping[str, str] | None = None,
    hidden: Collection[str] = (),
) -> tuple[dict[str, Any], list[str]]:
    """`[catalog]` of a table, but for its file, and what was taken, a line each.

    Args:
        columns: those that hold a value a row.
        where: names the table in messages.
        said: keys that the user gives.
        told: keys that the files give.
        hidden: columns that belong to no object, such as those by which rows are sorted.

    Raises:
        DataError: no column is known to hold ids.
    """
    names = [name for name in columns if name not in hidden]
    keys: dict[str, Any] = {**(told or {})}
    if "id" not in said:
        keys["id"] = _id_of(names, where)
    for key, known in KNOWN.items():
        if key not in keys and key not in said:
            found = _first(names, known)
            if key == "redshift" and not found and REDSHIFT in names:
                found = REDSHIFT
            keys.update({key: found} if found else {})
    lines = [f"{key}: column {column!r}" for key, column in keys.items() if key not in said]
    used = {str(value) for value in {**keys, **said}.values() if isinstance(value, str)}
    return {**keys, "columns": [name for name in names if name not in used]}, lines


def _id_of(names: Sequence[str], where: str) -> str:
    found = _first(names, IDS)
    if not found:
        raise DataError(
            f"{where}: no column is called {', '.join(IDS[:4])} ...; say which holds the ids:"
            f" --set data.catalog.id=COLUMN ({', '.join(names[:8])})"
        )
    return found


def _first(names: Sequence[str], known: Sequence[str]) -> str:
    by_lower = {name.lower(): name for name in reversed(names)}
    return next((by_lower[word] for word in known if word in by_lower), "")


def refuse_missing(
    found: Sequence[FoundInput], where: str, said: Mapping[str, Mapping[str, Any]]
) -> None:
    """Refuse inputs of which something is needed that neither the files nor the user say.

    Raises:
        DataError: names all of it, as it is to be written.
    """
    lacking = [
        f"--set data.inputs.{one.name}.{key}={value}"
        for one in found
        for key, value in NEEDED[one.keys["kind"]].items()
        if key not in one.keys and key not in said.get(one.name, {})
    ]
    if lacking:
        raise DataError(f"{where}: does not say all of its inputs; add {' '.join(lacking)}")
