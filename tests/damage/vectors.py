"""Sound files of vectors, and what reads them."""

import io
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import torch
from astropy.table import Table
from pyarrow import parquet
from reader import Reader

from fmb.own.vector_file import open_vector_file
from fmb.plan.tensor_files import TENSOR_FILES
from fmb.store import Digests
from fmb.vectors.asked import OwnVectors

IDS = 39627652591521181 + 1009 * np.arange(12)
VALUES = np.random.default_rng(4).normal(size=(12, 9)).astype(np.float32)


def written(write: Any) -> bytes:
    body = io.BytesIO()
    write(body)
    return body.getvalue()


def as_npy() -> bytes:
    return written(lambda body: np.save(body, VALUES))


def as_npz() -> bytes:
    return written(lambda body: np.savez(body, object_id=IDS, image=VALUES))


def as_packed_npz() -> bytes:
    return written(lambda body: np.savez_compressed(body, object_id=IDS, image=VALUES))


def as_hdf5() -> bytes:
    def write(body: io.BytesIO) -> None:
        with h5py.File(body, "w") as file:
            file["object_id"] = IDS
            file["mapped"] = VALUES
            file.create_dataset("packed", data=VALUES, compression="gzip")

    return written(write)


def as_parquet(wide: bool) -> bytes:
    columns: dict[str, Any] = {"object_id": IDS}
    columns |= {f"f{i}": VALUES[:, i] for i in range(9)} if wide else {"image": VALUES.tolist()}
    return written(lambda body: parquet.write_table(pa.table(columns), body))


def as_csv() -> bytes:
    lines = [",".join(["object_id", *(f"f{i}" for i in range(9))])]
    lines += [",".join(map(str, [i, *row])) for i, row in zip(IDS, VALUES.tolist(), strict=True)]
    return "\n".join(lines).encode()


def as_fits() -> bytes:
    table = Table({"object_id": IDS, "image": VALUES})
    return written(lambda body: table.write(body, format="fits"))


def as_pt() -> bytes:
    rows = [
        {"object_id": str(i), "image": torch.tensor(v)} for i, v in zip(IDS, VALUES, strict=True)
    ]
    return written(lambda body: torch.save(rows, body))


def all_of_it(path: Path) -> None:
    digests = Digests(path.parent / "workspace")
    opened = open_vector_file(OwnVectors(file=(str(path),)), digests, more=TENSOR_FILES)
    for view in opened.vectors.values():
        np.asarray(view.values)


READERS = [
    Reader("npy", "v.npy", as_npy, all_of_it),
    Reader("npz", "v.npz", as_npz, all_of_it),
    Reader("packed npz", "v.npz", as_packed_npz, all_of_it),
    Reader("hdf5 vectors", "v.h5", as_hdf5, all_of_it),
    Reader("lists", "v.parquet", lambda: as_parquet(wide=False), all_of_it),
    Reader("wide parquet", "v.parquet", lambda: as_parquet(wide=True), all_of_it),
    Reader("wide csv", "v.csv", as_csv, all_of_it),
    Reader("fits vectors", "v.fits", as_fits, all_of_it),
    Reader("pt vectors", "v.pt", as_pt, all_of_it),
]
