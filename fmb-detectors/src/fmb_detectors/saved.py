"""Saved fits: arrays in a safetensors file, plain values in a JSON file beside it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from fmb import Array, StoreError
from fmb_detectors.normal import ShrunkNormal

__all__ = ["normal_arrays", "normal_from", "read_fit", "write_fit"]

VALUES, ARRAYS = "detector.json", "detector.safetensors"


def write_fit(
    folder: Path, detector: str, values: Mapping[str, Any], arrays: Mapping[str, Array]
) -> None:
    """Write a fit into `folder`."""
    body = save({name: np.ascontiguousarray(a) for name, a in arrays.items()})
    (folder / ARRAYS).write_bytes(body)  # save_file would leave a file only its owner can read
    text = json.dumps({"detector": detector, **values}, indent=2, allow_nan=False)
    (folder / VALUES).write_text(text + "\n", encoding="utf-8")


def read_fit(folder: Path, detector: str) -> tuple[dict[str, Any], dict[str, Array]]:
    """The plain values and arrays of a fit that `write_fit` wrote.

    Raises:
        StoreError: the folder holds no such fit, or it is damaged.
    """
    try:
        values = json.loads((folder / VALUES).read_text(encoding="utf-8"))
        arrays = load_file(folder / ARRAYS)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, SafetensorError) as error:
        raise StoreError(
            f"{folder} holds no readable {detector} fit ({error}); fit again"
        ) from None
    found = values.pop("detector", None)
    if found != detector:
        raise StoreError(f"{folder} holds a fit of {found!r}, not of {detector!r}")
    return values, arrays


def normal_arrays(normal: ShrunkNormal) -> dict[str, Array]:
    """The arrays of a normal distribution; of the whitener its lower triangle, row by row."""
    triangle = normal.whitener[np.tril_indices(normal.d)]
    numbers = np.array([normal.shrinkage, float(normal.n)])
    return {"mean": normal.mean, "whitener": triangle, "numbers": numbers}


def normal_from(arrays: Mapping[str, Array]) -> ShrunkNormal:
    """The normal distribution that `normal_arrays` took apart."""
    mean = arrays["mean"]
    whitener = np.zeros((len(mean), len(mean)), order="F")
    whitener[np.tril_indices(len(mean))] = arrays["whitener"]
    shrinkage, n = arrays["numbers"].tolist()
    return ShrunkNormal(mean, whitener, shrinkage, int(n))
