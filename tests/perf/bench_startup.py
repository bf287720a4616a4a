"""Times `fmb --help` and `fmb plugins` against an interpreter that imports what they stand on.

CPU time of the process (user and system), so that waiting for a busy machine does not count; each
round runs all commands one after the other, and a figure is the median over the rounds.
"""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

ROUNDS = 15
GENERATED = 60
"""Plugins written for the last line, each a distribution with one detector."""
FMB = str(Path(sys.executable).parent / "fmb")
BASE = [sys.executable, "-c", "import click, pluggy, importlib.metadata"]
BOUNDS = {"--help": 1.3, "plugins": 1.6}

PLUGIN = """
from fmb import DetectorSpec, hookimpl

FMB_API = 1


@hookimpl
def fmb_register_detectors():
    yield DetectorSpec(
        name="{name}", summary="Generated", target="{name}_plugin:Detector", licence="MIT"
    )
"""


def write_plugin(folder: Path, number: int) -> None:
    """An installed distribution with one detector, as an installer leaves it."""
    name = f"generated{number:02d}"
    (folder / f"{name}_plugin.py").write_text(PLUGIN.format(name=name))
    record = folder / f"fmb_{name}-1.0.dist-info"
    record.mkdir()
    (record / "METADATA").write_text(f"Metadata-Version: 2.1\nName: fmb-{name}\nVersion: 1.0\n")
    (record / "entry_points.txt").write_text(f"[fmb]\n{name} = {name}_plugin\n")


def cpu_seconds(command: list[str], environment: dict[str, str]) -> float:
    """User and system time of one process, its output thrown away."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print one line a command; the first round only warms the file cache."""
    usual = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(GENERATED):
            write_plugin(Path(folder), number)
        more = {**usual, "PYTHONPATH": folder}
        listed = subprocess.run([FMB, "plugins"], check=True, capture_output=True, env=more)
        if listed.stdout.count(b"generated") < GENERATED:
            raise SystemExit("the generated plugins are not all listed")
        commands = {
            "base": (BASE, usual),
            "--help": ([FMB, "--help"], usual),
            "plugins": ([FMB, "plugins"], usual),
            "more": ([FMB, "plugins"], more),
        }
        rounds = [
            {name: cpu_seconds(*command) for name, command in commands.items()}
            for _ in range(ROUNDS + 1)
        ][1:]
    spent = {name: 1e3 * median(times[name] for times in rounds) for name in commands}
    print(f"{' '.join(BASE[1:])}: {spent['base']:.0f} ms")
    for name, bound in BOUNDS.items():
        ratio = spent[name] / spent["base"]
        print(f"fmb {name}: {spent[name]:.0f} ms, {ratio:.2f} x (bound {bound} x)")
    each = (spent["more"] - spent["plugins"]) / GENERATED
    print(f"{GENERATED} plugins more: {each:.2f} ms each (bound 1 ms)")


if __name__ == "__main__":
    main()
