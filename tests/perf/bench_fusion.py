"""CPU time and memory of fused lists: a million objects in nine lists, each rule and its ranks.

Lists are made up: normal scores that share a factor, of three detectors in two views and of the
pair of them. Timed is what a run does once these are there: re-ranking all members among the
objects in the same lists, the rule, details, and the final ranks. CPU is that of this process;
memory is the highest it took above what the nine tables take.

    python tests/perf/bench_fusion.py [--rows N] [--missing SHARE] [--reference M] [--rules R ...]
"""

import argparse
import os
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd

from fmb import ListName, VectorName
from fmb.crossfit.checked import Checked
from fmb.lists.fused import fuse
from fmb.lists.fused_reference import Ordinary
from fmb.lists.judged import Survey
from fmb.plan.choice import Chosen
from fmb.plan.records import ListPlan
from fmb.plugins.loading import load_plugins
from fmb_detectors.plugin import fmb_register_detectors

IMAGE, SPECTRUM = (VectorName("m", "mean", view) for view in ("image", "spectrum"))
NAMES = [
    ListName(f"d{i}", of) for i in range(3) for of in ((IMAGE,), (SPECTRUM,), (IMAGE, SPECTRUM))
]
RULES = [record.name for record in fmb_register_detectors() if record.scope == "fusion"]
SECONDS_BETWEEN = 0.005
FITS = 5


class Memory:
    """The highest anonymous memory of this process while it is open, above that at the start."""

    def __enter__(self) -> "Memory":
        self.before, self.peak, self.open = anonymous_bytes(), 0, True
        self.watch = threading.Thread(target=self._watch)
        self.watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.open = False
        self.watch.join()

    def _watch(self) -> None:
        while self.open:
            self.peak = max(self.peak, anonymous_bytes() - self.before)
            time.sleep(SECONDS_BETWEEN)


def anonymous_bytes() -> int:
    """Resident anonymous memory of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))


def survey_of(rows: int, missing: float) -> tuple[Survey, dict[ListName, pd.DataFrame]]:
    """Nine lists of `rows` objects, of which a share has no spectrum."""
    rng = np.random.default_rng(0)
    shared = rng.normal(size=rows)
    tables = {}
    for name in NAMES:
        score = shared + rng.normal(size=rows)
        if SPECTRUM in name.vectors:
            score[: int(missing * rows)] = np.nan
        fold = pd.array(np.arange(rows) % FITS, dtype="Int16")
        p = pd.array(np.full(rows, np.nan), dtype="Float64")
        tables[name] = pd.DataFrame({"score": score, "fold": fold, "p_value": p})
    objects = pd.DataFrame({"object_id": np.arange(rows) + 10**17})
    ids = objects["object_id"].to_numpy()
    return Survey(objects, ids, {}, tables.__getitem__), tables


def reference_of(m: int) -> Ordinary | None:
    """m objects of a reference in all lists, by five fits."""
    rng = np.random.default_rng(1)
    kept = {
        name: pd.DataFrame(
            {"object_id": np.arange(m), **dict(enumerate(rng.normal(size=(FITS, m))))}
        )
        for name in NAMES
    }
    return Ordinary(kept.__getitem__) if m else None


def main() -> None:
    """Print one line a rule."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--missing", type=float, default=0.0)
    parser.add_argument("--reference", type=int, default=0)
    parser.add_argument("--rules", nargs="+", choices=RULES, default=RULES)
    asked = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    registry = load_plugins().registry
    survey, _ = survey_of(asked.rows, asked.missing)
    ordinary = reference_of(asked.reference)
    print(f"{asked.rows:,} objects, {len(NAMES)} lists, reference {asked.reference:,}")
    print("rule          CPU s  peak GB above the lists")
    for record in fmb_register_detectors():
        if record.name not in asked.rules:
            continue
        (component,) = (c for c in registry.all(type(record)) if c.spec.name == record.name)
        chosen = Chosen(record.name, component, component.load_config()())
        plan = ListPlan(ListName(record.name, tuple(NAMES)), chosen, apart=True)
        rule = Checked(chosen.new(seed=0, device="cpu"), record.name).accept()
        with Memory() as memory:
            start = time.process_time()
            fuse(plan, survey, rule, ordinary)
            used = time.process_time() - start
        print(f"{record.name:<12} {used:6.2f} {memory.peak / 1e9:8.2f}", flush=True)


if __name__ == "__main__":
    main()
