"""Cutouts kept beside a run: a batch as one safetensors file, and as JSON what is no array."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.inputs import Batch, Columns, Images, Spectra
from fmb.messages.errors import StoreError
from fmb.store.atomic import publish, publish_json, read_json
from fmb.store.tensors import map_tensors, pack_ids, tensor_bytes, unpack_ids

__all__ = ["read_cutouts", "write_cutouts"]

FORMAT = "fmb-cutouts/1"
_KINDS: dict[str, type[Images] | type[Spectra] | type[Columns]] = {
    "images": Images,
    "spectra": Spectra,
    "columns": Columns,
}


def write_cutouts(folder: Path, batch: Batch) -> None:
    """Keep a batch in `folder`, the JSON last: where it is, the cutouts are whole.

    Raises:
        FailedError: the disk is full or the folder cannot be written to.
    """
    arrays = pack_ids(batch.ids)
    inputs = []  # in their order, which figures keep to
    for number, (name, data) in enumerate(batch.inputs.items()):
        kind = next(word for word, cls in _KINDS.items() if isinstance(data, cls))
        values: dict[str, Any] = {}
        named = []
        for field in fields(data):
            value = getattr(data, field.name)
            if isinstance(value, np.ndarray):
                arrays[f"{number}/{field.name}"] = value
                named.append(field.name)
            else:
                values[field.name] = value
        arrays[f"{number}/rows"] = batch.rows[name]
        inputs.append({"name": name, "kind": kind, "fields": values, "arrays": named})
    (folder / "cutouts.json").unlink(missing_ok=True)
    publish(folder / "cutouts.safetensors", tensor_bytes(arrays))
    publish_json(folder / "cutouts.json", {"format": FORMAT, "inputs": inputs})


def read_cutouts(folder: Path) -> Batch | None:
    """The batch that was kept in `folder`; None where none was.

    Raises:
        StoreError: it is damaged, or of another version.
    """
    path = folder / "cutouts.json"
    if not path.exists():
        return None
    record = read_json(path)
    if record.get("format") != FORMAT:
        raise StoreError(f"{path} is not {FORMAT}; run again")
    arrays = map_tensors(folder / "cutouts.safetensors")
    inputs, rows = {}, {}
    for number, one in enumerate(record["inputs"]):
        rows[one["name"]] = arrays[f"{number}/rows"]
        inputs[one["name"]] = _input(one, {f: arrays[f"{number}/{f}"] for f in one["arrays"]})
    return Batch(ids=unpack_ids(arrays), inputs=inputs, rows=rows)


def _input(record: Mapping[str, Any], arrays: Mapping[str, Array]) -> Images | Spectra | Columns:
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in record["fields"].items()
    }
    made: Any = _KINDS[record["kind"]]
    data: Images | Spectra | Columns = made(**arrays, **values)
    return data
