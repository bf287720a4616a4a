"""Peak anonymous memory of `fmb detect --detector gaussian` on vectors of the user's own.

Linux only: the resident anonymous memory is read from /proc while the command runs, summed over
its processes. Pages of a mapped file are not counted, since the system can drop them.

    python tests/perf/bench_memory.py [--rows N] [--width D] [FMB ...]

Each FMB is a program to measure, for comparing two installations.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, sleep

import numpy as np

SECONDS_BETWEEN = 0.02


def anonymous_bytes(root: int) -> int:
    """Resident anonymous memory of a process and its descendants."""
    total, waiting = 0, [root]
    while waiting:
        process = waiting.pop()
        try:
            status = Path(f"/proc/{process}/status").read_text()
            threads = list(Path(f"/proc/{process}/task").iterdir())
            children = [(thread / "children").read_text().split() for thread in threads]
        except (FileNotFoundError, ProcessLookupError):
            continue
        waiting += [int(child) for family in children for child in family]
        for line in status.splitlines():
            if line.startswith("RssAnon:"):
                total += 1024 * int(line.split()[1])
    return total


def write_vectors(path: Path, rows: int, width: int) -> None:
    """Correlated normal vectors and their ids, as an .npz of float32 `vectors` and `object_id`."""
    random = np.random.default_rng(0)
    mixing = random.normal(size=(width, width)).astype(np.float32) / np.sqrt(width)
    values = np.empty((rows, width), np.float32)
    for start in range(0, rows, 65_536):
        block = random.standard_normal((min(65_536, rows - start), width), dtype=np.float32)
        values[start : start + len(block)] = block @ mixing
    np.savez(path, vectors=values, object_id=np.char.mod("%09d", np.arange(rows)))


def measure(fmb: str, vectors: Path, home: Path) -> tuple[int, float]:
    """Peak bytes and wall seconds of one command, in an empty workspace."""
    command = [fmb, "detect", "--embeddings", str(vectors), "--detector", "gaussian"]
    environment = {**os.environ, "FMB_HOME": str(home), "OMP_NUM_THREADS": "1"}
    start, peak = perf_counter(), 0
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=said)
        while process.poll() is None:
            peak = max(peak, anonymous_bytes(process.pid))
            sleep(SECONDS_BETWEEN)
        said.seek(0)
        message = said.read()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit {process.returncode}\n{message}")
    return peak, perf_counter() - start


def main() -> None:
    """Print one line a program, in units of one copy of the vectors."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("fmb", nargs="*", default=[str(Path(sys.executable).parent / "fmb")])
    asked = parser.parse_args()
    copy = 4 * asked.rows * asked.width
    with tempfile.TemporaryDirectory() as place:
        vectors = Path(place) / "vectors.npz"
        write_vectors(vectors, asked.rows, asked.width)
        print(f"{asked.rows:,} x {asked.width} float32: one copy is {copy / 1e9:.2f} GB")
        for fmb in asked.fmb:
            home = Path(place) / "home"
            peak, seconds = measure(fmb, vectors, home)
            shutil.rmtree(home)
            print(
                f"{fmb}: peak {peak / 1e9:.2f} GB, {peak / copy:.2f} copies; {seconds:.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
