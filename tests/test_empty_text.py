"""An empty text is a text like any other, whatever the format of its file."""

import h5py
import numpy as np
import pyarrow as pa
import pytest
from astropy.table import MaskedColumn
from astropy.table import Table as AstropyTable
from pyarrow import parquet

from fmb import DataError, open_run
from fmb.files import read_table

IDS = np.arange(40)
TEXTS = ["" if number % 4 == 0 else "ab" for number in IDS]
VECTORS = np.random.default_rng(0).normal(size=(40, 2))


def write(path, **columns):
    """The columns as a file of the path's format."""
    if path.suffix == ".parquet":
        parquet.write_table(pa.table({k: pa.array(list(v)) for k, v in columns.items()}), path)
    elif path.suffix == ".h5":
        with h5py.File(path, "w") as file:
            for name, values in columns.items():
                file[name] = np.array(values, "S2") if isinstance(values, list) else values
    else:
        form = {".csv": "ascii.csv", ".ecsv": "ascii.ecsv"}.get(path.suffix, "fits")
        AstropyTable(columns).write(path, format=form)


@pytest.mark.parametrize("condition", ["name == ''", "name != 'ab'"])
@pytest.mark.parametrize(
    "file", ["v.fits", "v.parquet", "v.h5", "c.fits", "c.ecsv", "c.csv", "c.parquet"]
)
def test_a_condition_finds_it_in_vectors_and_in_their_catalogue(fmb, tmp_path, file, condition):
    vectors, beside = "v.npz", ("--catalog", file)
    if file.startswith("v"):
        vectors, beside = file, ()
        write(tmp_path / file, object_id=IDS, vec=VECTORS, name=TEXTS)
    else:
        np.savez(tmp_path / "v.npz", object_id=IDS, vec=VECTORS)
        write(tmp_path / file, object_id=IDS, name=TEXTS)
    words = ("detect", "--detector", "gaussian", "--fit", "in-sample", "--embeddings", vectors)
    result = fmb(*words, *beside, "--where", condition, "--out", "mine")
    assert result.exit_code == 0, result.stderr
    assert open_run("mine").objects["object_id"].tolist() == IDS[::4].tolist()


@pytest.mark.parametrize("suffix", [".fits", ".ecsv"])
def test_numbers_beside_it_keep_their_gaps(tmp_path, suffix):
    path = tmp_path / f"t{suffix}"
    k = MaskedColumn([1, 2, 3], mask=[False, True, False])
    AstropyTable({"k": k, "f": [1.5, np.nan, 2], "name": ["", "b", "c"]}).write(path)
    frame = read_table(path).frame()
    assert frame["k"].isna().tolist() == [False, True, False]
    assert frame["f"].isna().tolist() == [False, True, False]
    assert frame["name"].tolist() == ["", "b", "c"]


@pytest.mark.parametrize("suffix", [".fits", ".ecsv", ".csv"])
def test_it_is_no_id(tmp_path, suffix):
    write(tmp_path / f"t{suffix}", name=["a1", "", "c"])
    with pytest.raises(DataError, match="name"):
        read_table(tmp_path / f"t{suffix}", text=("name",)).ids("name")
