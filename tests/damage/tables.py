"""Sound tables, lists of ids and surveys, and what reads them."""

import gzip
import io
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
from astropy.table import Table
from pyarrow import parquet
from reader import Reader

from fmb.datasets.quality import findings
from fmb.files import read_id_file, read_table
from fmb_surveys.files.reader import FilesConfig, open_survey_file

ROWS = 12
IDS = 39627652591521181 + 1009 * np.arange(ROWS)
SURVEY = b"""name = "s"
file = "s.h5"
catalog = { id = "object_id", ra = "ra", dec = "dec", columns = "all" }
[inputs.vis]
kind = "images"
flux = "image"
bands = ["VIS"]
unit = "nmgy"
pixel_scale_arcsec = 0.2
missing = -99
[inputs.desi]
kind = "spectra"
flux = "flux"
ivar = "ivar"
wavelength = "wavelength"
unit = "1e-17 erg / (s cm2 Angstrom)"
"""


def columns() -> dict[str, Any]:
    rng = np.random.default_rng(1)
    return {
        "object_id": IDS,
        "ra": rng.uniform(0, 360, ROWS),
        "mag": rng.normal(20, 1, ROWS).astype(np.float32),
        "class": np.array(["QSO", "NA", "STAR"] * (ROWS // 3)),
    }


def as_parquet() -> bytes:
    body = io.BytesIO()
    parquet.write_table(pa.table(columns()), body)
    return body.getvalue()


def as_csv() -> bytes:
    lines = [",".join(columns())]
    lines += [",".join(map(str, row)) for row in zip(*columns().values(), strict=True)]
    return "\n".join(lines).encode()


def as_astropy(form: str) -> bytes:
    table, body = Table(columns()), io.BytesIO() if form == "fits" else io.StringIO()
    table.write(body, format=form)
    content = body.getvalue()
    return content if isinstance(content, bytes) else content.encode()


def as_hdf5() -> bytes:
    rng, body = np.random.default_rng(2), io.BytesIO()
    with h5py.File(body, "w") as file:
        for name, values in columns().items():
            file[name] = values.astype("S8") if name == "class" else values
        file["dec"] = rng.uniform(-90, 90, ROWS)
        file["dec"].attrs["unit"] = "deg"
        file.create_dataset("image", data=rng.normal(size=(ROWS, 1, 8, 8)), compression="gzip")
        file["flux"] = rng.normal(size=(ROWS, 20)).astype(np.float32)
        file["flux"].attrs.update(scale_factor=2.0, _FillValue=-99.0)
        file["ivar"] = np.ones((ROWS, 20), dtype=np.float32)
        file["wavelength"] = np.linspace(4000, 5000, 20)
    return body.getvalue()


def all_of_table(path: Path) -> None:
    table = read_table(path, text=("object_id",))
    table.ids("object_id")
    table.frame()


def all_of_survey(path: Path) -> None:
    """Reads a survey of which `path`, s.h5 or survey.toml, is one of the two files."""
    beside = {"s.h5": ("survey.toml", SURVEY), "survey.toml": ("s.h5", as_hdf5())}[path.name]
    if not (path.parent / beside[0]).exists():
        (path.parent / beside[0]).write_bytes(beside[1])
    dataset = open_survey_file(
        str(path.parent), FilesConfig(), cache=path.parent / "cache" / "data"
    )
    findings(dataset.read(np.arange(len(dataset))))


READERS = [
    Reader("csv", "t.csv", as_csv, all_of_table),
    Reader("csv.gz", "t.csv.gz", lambda: gzip.compress(as_csv(), mtime=0), all_of_table),
    Reader("parquet", "t.parquet", as_parquet, all_of_table),
    Reader("fits", "t.fits", lambda: as_astropy("fits"), all_of_table),
    Reader("ecsv", "t.ecsv", lambda: as_astropy("ascii.ecsv"), all_of_table),
    Reader("ids", "ids.txt", lambda: "\n".join(map(str, IDS)).encode(), read_id_file),
    Reader("hdf5", "s.h5", as_hdf5, all_of_survey),
    Reader("survey.toml", "survey.toml", lambda: SURVEY, all_of_survey),
]
