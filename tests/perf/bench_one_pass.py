"""CPU time and memory of `fmb detect --detector gaussian` from 10^4 to 10^6 vectors of one's own.

Linux only. CPU is user and system time of the whole command, start-up included, in units of a
floor: one float32 product of the columns and one projection of the same mapped file, block by
block, in a process of its own just before. Memory is anonymous only: the system may drop the pages
of a mapped file.

    python tests/perf/bench_one_pass.py [--rows N ...] [--width D] [--ids text] [--sorted]
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import sleep

import h5py
import numpy as np

BLOCK_ROWS = 4096
SECONDS_BETWEEN = 0.005
FLOOR = """
import sys, time
import numpy as np
x = np.load(sys.argv[1], mmap_mode="r")
width, start = x.shape[1], time.process_time()
gram = np.zeros((width, width), np.float32)
for at in range(0, len(x), {rows}):
    block = x[at : at + {rows}]
    gram += block.T @ block
for at in range(0, len(x), {rows}):
    x[at : at + {rows}] @ gram
print(time.process_time() - start)
"""


def write_vectors(place: Path, rows: int, width: int, *, text: bool, ordered: bool) -> None:
    """Correlated normal vectors as `v.npy` with `ids.npy`, and both as `v.h5`."""
    random = np.random.default_rng(0)
    mixing = random.normal(size=(width, width)).astype(np.float32) / np.sqrt(width)
    values = np.lib.format.open_memmap(place / "v.npy", "w+", np.float32, (rows, width))
    for start in range(0, rows, 65_536):
        block = random.standard_normal((min(65_536, rows - start), width), dtype=np.float32)
        values[start : start + len(block)] = block @ mixing + 1
    values.flush()
    ids = np.arange(rows) if ordered else random.permutation(rows)
    ids = np.char.mod("J%09d", ids).astype("S10") if text else ids + 10**17
    np.save(place / "ids.npy", ids)
    with h5py.File(place / "v.h5", "w") as file:
        file["object_id"] = ids
        file.create_dataset("vectors", data=values)


def floor_seconds(vectors: Path) -> float:
    """CPU seconds of the two products."""
    command = [sys.executable, "-c", FLOOR.format(rows=BLOCK_ROWS), str(vectors)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def anonymous_bytes(process: int) -> int:
    """Resident anonymous memory, 0 once it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))


def measure(vectors: Path, home: Path) -> tuple[float, int]:
    """CPU seconds and peak anonymous bytes of one command, in an empty workspace."""
    ids = ["--ids", str(vectors.with_name("ids.npy"))] if vectors.suffix == ".npy" else []
    program = str(Path(sys.executable).with_name("fmb"))
    command = [program, "detect", "--embeddings", str(vectors), *ids, "--detector", "gaussian"]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, env={**os.environ, "FMB_HOME": str(home)}, **silent)
    peak = 0
    while True:
        peak = max(peak, anonymous_bytes(process.pid))
        ended, status, used = os.wait4(process.pid, os.WNOHANG)
        if ended:
            break
        sleep(SECONDS_BETWEEN)
    if status:
        raise SystemExit(f"{' '.join(command)}: exit {os.waitstatus_to_exitcode(status)}")
    return used.ru_utime + used.ru_stime, peak


def main() -> None:
    """Print one line a size and format."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--ids", choices=("numbers", "text"), default="numbers")
    parser.add_argument("--sorted", action="store_true", help="the file is in the order of ids")
    asked = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    print("rows       format  CPU s  floor s  ratio  peak anonymous GB")
    for rows in asked.rows:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            write_vectors(folder, rows, asked.width, text=asked.ids == "text", ordered=asked.sorted)
            for name in ("v.npy", "v.h5"):
                floor = floor_seconds(folder / "v.npy")
                cpu, peak = measure(folder / name, folder / f"home-{name}")
                print(
                    f"{rows:<10,} {name[2:]:6} {cpu:6.2f} {floor:8.2f} {cpu / floor:6.1f}"
                    f" {peak / 1e9:18.3f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
