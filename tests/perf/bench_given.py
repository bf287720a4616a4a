"""CPU time of a cross-fit given roles, in units of that without, and its memory.

Both in one process, in turn, the least of several; memory is the peak of the process above what it
held before the first, with the vectors mapped from a file. Linux only.

    python tests/perf/bench_given.py [--rows N ...] [--width D] [--roles R] [--repeats K]
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from fmb import Vectors
from fmb.crossfit import Given, cross_fit
from fmb_detectors.config import GaussianConfig
from fmb_detectors.gaussian import GaussianDetector

SECONDS_BETWEEN = 0.005


def mapped(place: Path, rows: int, width: int, roles: np.ndarray) -> np.ndarray:
    """Correlated normal vectors that follow the roles, mapped from a file."""
    random = np.random.default_rng(0)
    mixing = random.normal(size=(width, width)).astype(np.float32) / np.sqrt(width)
    slopes = random.normal(size=(roles.shape[1], width)).astype(np.float32)
    values = np.lib.format.open_memmap(place / "v.npy", "w+", np.float32, (rows, width))
    for start in range(0, rows, 65_536):
        part = roles[start : start + 65_536].astype(np.float32)
        noise = random.standard_normal((len(part), width), dtype=np.float32)
        values[start : start + len(part)] = noise @ mixing + part @ slopes
    values.flush()
    return np.load(place / "v.npy", mmap_mode="r")


def anonymous_bytes() -> int:
    """Resident anonymous memory of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))


def measure(work: Callable[[], object], before: int) -> tuple[float, int]:
    """CPU seconds, and peak anonymous bytes above `before`."""
    peak, done = [0], threading.Event()

    def watch() -> None:
        while not done.wait(SECONDS_BETWEEN):
            peak[0] = max(peak[0], anonymous_bytes() - before)

    watching = threading.Thread(target=watch)
    watching.start()
    start = time.thread_time()
    work()
    used = time.thread_time() - start
    done.set()
    watching.join()
    return used, peak[0]


def detector(fold: int) -> GaussianDetector:
    """A new one."""
    return GaussianDetector(GaussianConfig(), seed=fold)


def main() -> None:
    """Print one line a size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000])
    parser.add_argument("--width", type=int, default=768)
    parser.add_argument("--roles", type=int, default=6)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    print("rows       raw s  given s  ratio   raw GB  given GB")
    for rows in asked.rows:
        roles = np.random.default_rng(1).normal(size=(rows, asked.roles))
        with tempfile.TemporaryDirectory() as place:
            x = Vectors(np.arange(rows), mapped(Path(place), rows, asked.width, roles))
            names = tuple(f"role {i}" for i in range(asked.roles))
            seconds, peaks, before = [], [], anonymous_bytes()
            for _ in range(asked.repeats):
                for one in (x, Given(x, names, roles)):
                    used, peak = measure(
                        partial(cross_fit, detector, one, one.ids, name="b"), before
                    )
                    seconds.append(used)
                    peaks.append(peak)
            raw, given = min(seconds[::2]), min(seconds[1::2])
            print(
                f"{rows:<10,} {raw:5.2f} {given:8.2f} {given / raw:6.2f}"
                f" {max(peaks[::2]) / 1e9:8.3f} {max(peaks[1::2]) / 1e9:9.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
