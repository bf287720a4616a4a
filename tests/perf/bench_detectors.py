"""What the detectors of fmb-detectors find and cost, against the original's flow recipe.

Run: python tests/perf/bench_detectors.py [--data FOLDER] [--only times] [--write docs/detectors.md]
     (or docs/other-detectors.md, which has the part "others")
"""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

import torch
from detectors.quality import likelihood_tables, planted_table, real_tables
from detectors.singles import labelled_tables, planted_singles_table, spaces_table
from detectors.timing import end_to_end_table, folds_table, step_table

BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
PAGES = {
    "detectors.md": ("real", "planted", "likelihood", "times"),
    "other-detectors.md": ("others",),
}
PARTS = tuple(part for parts in PAGES.values() for part in parts)


def main() -> None:
    """Print the tables, or write them between the markers of a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("FMB_TEST_DATA"))
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("--write", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)  # NumPy's libraries take OMP_NUM_THREADS
    wanted = options.only or PARTS
    if options.write:
        if options.only or options.data is None or options.write.name not in PAGES:
            parser.error("--write needs all parts of a page: leave out --only and give --data")
        parts = PAGES[options.write.name]
        write(options.write, "\n".join(results(parts, options.data)))
    else:
        for part in results(wanted, options.data):
            print(part, flush=True)


def results(wanted: tuple[str, ...], data: Path | None) -> Iterator[str]:
    """The tables, as Markdown."""
    if "real" in wanted and data is not None:
        yield "## Labelled embeddings\n"
        yield from real_tables(data / "adbench")
    if "planted" in wanted:
        yield "## Planted anomalies\n\nAUROC, mean and range over five simulated skies.\n"
        yield planted_table()
    if "likelihood" in wanted:
        yield "## Options and held-out likelihood\n"
        yield "Nats an object that the flow gains over the Gaussian, on 3,000 new objects.\n"
        yield from likelihood_tables()
    if "times" in wanted:
        threads = os.environ.get("OMP_NUM_THREADS", "not set: NumPy takes all cores")
        yield f"## Times\n\nOMP_NUM_THREADS: {threads}. CPU seconds, range in brackets.\n"
        yield end_to_end_table()
        yield step_table()
        yield folds_table()
    if "others" in wanted and data is not None:
        yield "## Labelled embeddings\n"
        yield from labelled_tables(data / "adbench")
        yield "## Planted anomalies\n\nAUROC, mean and range over five simulated skies.\n"
        yield planted_singles_table()
        yield "## Where distances are measured\n"
        yield "AUROC of `knn` for moment-matched anomalies, mean of two surveys of 3,000.\n"
        yield spaces_table()


def write(page: Path, text: str) -> None:
    """Put the results between the markers of `page`."""
    before, rest = page.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    page.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
