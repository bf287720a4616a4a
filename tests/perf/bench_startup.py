"""Times `fmb --help` and `fmb plugins` against an interpreter that does nothing.

Each round runs all three one after the other, so that a busy machine slows all alike; the ratio
is the median over the rounds.
"""

import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

ROUNDS = 21
FMB = str(Path(sys.executable).parent / "fmb")
COMMANDS = {
    "fmb --help": ([FMB, "--help"], 6),
    "fmb plugins": ([FMB, "plugins"], 9),
}


def seconds(command: list[str]) -> float:
    """Wall time of one process, its output thrown away."""
    start = perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return perf_counter() - start


def main() -> None:
    """Print one line a command; the first round only warms the file cache."""
    nothing = [sys.executable, "-c", "pass"]
    rounds = [
        (seconds(nothing), {name: seconds(command) for name, (command, _) in COMMANDS.items()})
        for _ in range(ROUNDS + 1)
    ][1:]
    print(f"python -c pass: {1e3 * median(base for base, _ in rounds):.0f} ms")
    for name, (_, bound) in COMMANDS.items():
        ratio = median(times[name] / base for base, times in rounds)
        spent = 1e3 * median(times[name] for _, times in rounds)
        print(f"{name}: {spent:.0f} ms, {ratio:.1f} x (bound {bound} x)")


if __name__ == "__main__":
    main()
