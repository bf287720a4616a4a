"""The catalogue of a simulated survey on disk, so that a survey with pixels opens at once."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fmb import Array, Columns, Dataset, Images, InputInfo, Spectra
from fmb.store import staged_folder
from fmb_surveys.demo.pixels import Observed, like

__all__ = ["Catalogue", "all_columns", "read_catalogue", "write_catalogue"]

_KINDS: Mapping[str, Any] = {
    "images": Images,
    "spectra": Spectra,
    "columns": Columns,
}


@dataclass(frozen=True)
class Catalogue:
    """All of a dataset but its pixels."""

    ids: Array
    catalog: pd.DataFrame
    inputs: Mapping[str, InputInfo]
    like: Mapping[str, Observed | Columns]
    """Instrument -> its data of no object: which arrays there are, and all that objects share; but
    photometry of all objects that have it."""
    identity: Mapping[str, Any]
    warnings: Sequence[str]


def write_catalogue(folder: Path, survey: Dataset) -> None:
    """Keep all of a survey but its pixels; `read_catalogue` gives every value back unchanged.

    Raises:
        FailedError: the disk is full or the folder cannot be written to.
    """
    arrays: dict[str, Array] = {"ids": survey.ids}
    inputs, likes = {}, {}
    for name, info in survey.inputs.items():
        inputs[name], own = _parted(info)
        columns = info.kind == "columns"
        likes[name], shared = _parted((all_columns if columns else like)(survey, name))
        arrays |= {f"inputs/{name}/{key}": value for key, value in own.items()}
        arrays |= {f"like/{name}/{key}": value for key, value in shared.items()}
    about = {
        "inputs": inputs,
        "like": likes,
        "attrs": survey.catalog.attrs,
        "identity": survey.identity,
        "warnings": list(survey.warnings),
    }
    bare = survey.catalog.copy(deep=False)
    bare.attrs = {}
    with staged_folder(folder) as staging:
        bare.to_parquet(staging / "catalog.parquet")
        np.savez(staging / "arrays.npz", **arrays)  # type: ignore[arg-type]  # names are free
        (staging / "about.json").write_text(json.dumps(about), encoding="utf-8")


def all_columns(survey: Dataset, name: str) -> Columns:
    """Columns of all objects that have them: a few numbers each."""
    rows = np.flatnonzero(survey.inputs[name].have(len(survey)))
    data = survey.read(rows, (name,)).inputs[name]
    assert isinstance(data, Columns)
    return data


def _parted(record: Any) -> tuple[dict[str, Any], dict[str, Array]]:
    """The fields of a record: plain values, and arrays."""
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
    return {name: value for name, value in values.items() if name not in arrays}, arrays


def read_catalogue(folder: Path) -> Catalogue | None:
    """What was kept; None where nothing was."""
    if not folder.exists():
        return None
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    catalog = pd.read_parquet(folder / "catalog.parquet")
    catalog.attrs = about["attrs"]
    with np.load(folder / "arrays.npz", allow_pickle=False) as file:
        arrays = dict(file)

    def joined(part: str, name: str) -> dict[str, Any]:
        plain = {k: tuple(v) if isinstance(v, list) else v for k, v in about[part][name].items()}
        prefix = f"{part}/{name}/"
        own = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
        return {**plain, **own}

    inputs = {name: InputInfo(**joined("inputs", name)) for name in about["inputs"]}
    likes = {name: _KINDS[info.kind](**joined("like", name)) for name, info in inputs.items()}
    return Catalogue(arrays["ids"], catalog, inputs, likes, about["identity"], about["warnings"])
