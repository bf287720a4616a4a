"""Speed of reading nested columns, as a share of the plain library's own loop (CPU time)."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from fmb_surveys.files.stores.arrow_files import ArrowFiles
from fmb_surveys.files.stores.parquet_tree import ParquetTree

OBJECTS, PIXELS, BATCH = 1500, 3000, 50


def fastest(work: Callable[[], Any], times: int = 5) -> float:
    """Seconds of CPU time of the fastest of some runs."""
    spent = []
    for _ in range(times):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return min(spent)


def spectra() -> pa.Array:
    """Structs of two arrays of float32."""
    rng = np.random.default_rng(0)
    offsets = pa.array(np.arange(OBJECTS + 1, dtype=np.int32) * PIXELS)
    values = [pa.array(rng.random(OBJECTS * PIXELS, dtype=np.float32)) for _ in range(2)]
    arrays = [pa.ListArray.from_arrays(offsets, one) for one in values]
    return pa.StructArray.from_arrays(arrays, ["flux", "ivar"])


def of_parquet(folder: Path) -> float:
    """Plain pyarrow by row group, against batches of a store."""
    path = folder / "spectra.parquet"
    parquet.write_table(pa.table({"spectrum": spectra()}), path, row_group_size=250)

    def plain() -> None:
        file = parquet.ParquetFile(path)
        for group in range(file.num_row_groups):
            for name in ("flux", "ivar"):
                read = file.read_row_group(group, columns=[f"spectrum.{name}"], use_threads=False)
                values = read.column(0).combine_chunks().field(0).values
                values.to_numpy().reshape(-1, PIXELS).copy()

    def ours() -> None:
        store = ParquetTree(path)
        for start in range(0, OBJECTS, BATCH):
            for name in ("flux", "ivar"):
                store.read(f"spectrum/{name}", np.arange(start, start + BATCH))

    return fastest(plain) / fastest(ours)


def of_datasets(folder: Path) -> float:
    """The numpy format of Hugging Face datasets, against a store, rows in any order."""
    import datasets

    datasets.disable_progress_bars()
    datasets.Dataset(pa.table({"flux": spectra().field(0)})).save_to_disk(str(folder / "saved"))
    plain = datasets.load_from_disk(str(folder / "saved")).with_format("numpy")
    store, order = ArrowFiles(folder / "saved"), np.random.default_rng(1).permutation(OBJECTS)
    batches = [order[start : start + BATCH] for start in range(0, OBJECTS, BATCH)]
    return fastest(lambda: [plain[rows.tolist()]["flux"] for rows in batches]) / fastest(
        lambda: [store.read("flux", rows) for rows in batches]
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        print(f"parquet   {of_parquet(Path(name)):5.2f} of pyarrow's own speed")
        print(f"datasets  {of_datasets(Path(name)):5.2f} of the speed of datasets")
