"""Writes list-results.md: what each list finds of planted copies, over several simulated surveys.

Run: python docs/results/lists.py [--seeds 7002 ... 7007] [--objects 5000] [--copies 60]. A survey
takes about five minutes on two cores; runs that are there are evaluated again and not made anew.
"""

import argparse
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import fmb
from fmb import UnknownNameError

PAGE = Path(__file__).parents[1] / "list-results.md"
MARK = "<!-- results -->"
SINGLES = ("gaussian", "flow", "knn")
FUSIONS = ("any-view", "geo", "min", "avg", "max", "rank-product", "quota")
PAIRS = ("mismatch", "mismatch-critic")
EDGE, TOP = 0.02, 0.01
ROLES = ("magnitude", "size", "snr", "depth", "psf", "ebv")


def main() -> None:
    """Compute and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[*range(7002, 7008)])
    parser.add_argument("--objects", type=int, default=5000)
    parser.add_argument("--copies", type=int, default=60, help="of each kind and strength")
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args()
    runs = [made(seed, options.objects, options.copies) for seed in options.seeds]
    found = [evaluated(run.name) for run in runs]
    less = {one: [evaluated(run.name, f"{one}-raw") for run in runs] for one in SINGLES}
    lines = [*told(options), *tables(found), *differences(less), *edges(runs)]
    above = options.page.read_text().split(MARK)[0] if options.page.exists() else ""
    options.page.write_text(above + MARK + "\n\n" + "\n".join(lines) + "\n")


def made(seed: int, objects: int, copies: int) -> fmb.Run:
    """The run on one survey."""
    name = f"lists-{seed}"
    try:
        return fmb.open_run(name)
    except UnknownNameError:
        pass
    detectors = [*SINGLES, *(f"{one}-raw={one}" for one in SINGLES), *PAIRS]
    settings = [f'detector.{one}-raw.given="none"' for one in SINGLES]
    settings += [f'detector.{one}.of=["gaussian", "mismatch"]' for one in FUSIONS]
    data = {"n_objects": objects, "n_per_kind": copies, "seed": seed}
    return fmb.detect(
        data="demo-eval",
        model="astropt",
        detector=[*detectors, *FUSIONS],
        no_companions=True,
        set=[*settings, *(f"data.{key}={value}" for key, value in data.items())],
        out=name,
    )


def evaluated(run: str, less: str = "") -> list[dict[str, Any]]:
    """The records of `fmb evaluate RUN`."""
    words = ["evaluate", run, "--json", *(["--less", less] if less else [])]
    with TemporaryDirectory() as folder:
        out = Path(folder) / "records.json"
        with out.open("w") as file:
            subprocess.run([sys.executable, "-m", "fmb", *words], stdout=file, check=True)
        return json.loads(out.read_text())


def told(options: argparse.Namespace) -> list[str]:
    """What the tables are of."""
    seeds = ", ".join(map(str, options.seeds))
    return [
        f"Surveys of the seeds {seeds}, {options.objects:,} hosts and {options.copies} copies a"
        " kind and strength each, AstroPT `tiny`, cross-fitted; rows of copies measured again."
        " Values are means over the surveys, with the 95 % interval of that mean.",
        "",
    ]


def pooled(values: list[dict[str, Any]]) -> tuple[float, float, float]:
    """Mean over surveys, which are independent, and its 95 % interval."""
    value = float(np.mean([one["value"] for one in values]))
    below = np.array([one["value"] - one["low"] for one in values])
    above = np.array([one["high"] - one["value"] for one in values])
    n = len(values)
    return value, value - np.sqrt((below**2).sum()) / n, value + np.sqrt((above**2).sum()) / n


def declared(record: dict[str, Any]) -> bool:
    """Whether its list is one that was declared beforehand to see its kind."""
    view, seen = record["view"], record["declared_view"]
    if record["detector"] in (*FUSIONS, *PAIRS):
        return True
    return view == ("joint" if seen == "mismatch" else seen)


def by_kind(
    surveys: list[list[dict[str, Any]]], metric: str, *, strongest: bool = False
) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """(kind, detector) -> its records, one a survey: of all strengths, or of the strongest."""
    found = defaultdict(list)
    for records in surveys:
        ours = [one for one in records if one["metric"] == metric and one["family"] != "control"]
        graded = {one["kind"] for one in ours if one["conditions"]["strength"] is not None}
        for one in filter(declared, ours):
            wanted = 1.0 if strongest and one["kind"] in graded else None
            if one["conditions"]["strength"] == wanted:
                found[one["kind"], one["detector"]].append(one)
    return dict(found)


def tables(surveys: list[list[dict[str, Any]]]) -> list[str]:
    """AUROC, recall of the strongest in the top 1 %, and what 100 looks show, by kind and list."""
    lines: list[str] = []
    singles = [name for one in SINGLES for name in (f"{one}-raw", one)]
    for title, metric in (
        ("AUROC, all strengths (chance 0.5)", "auroc"),
        ("Share of the strongest in the top 1 % (chance 0.01)", "recall_top_percent"),
        ("Hits in 100 looks where the kind is 1 % of the survey (chance 1)", "precision"),
    ):
        found = by_kind(surveys, metric, strongest=metric == "recall_top_percent")
        kinds = list(dict.fromkeys(kind for kind, _ in found))
        for detectors in (singles, [*PAIRS, *FUSIONS]):
            lines += [f"### {title}", "", "| kind | " + " | ".join(detectors) + " |"]
            lines.append("| --- " * (len(detectors) + 1) + "|")
            for kind in kinds:
                cells = [cell(found.get((kind, one)), metric) for one in detectors]
                lines.append(f"| {kind} | " + " | ".join(cells) + " |")
            lines.append("")
    return lines


def cell(values: list[dict[str, Any]] | None, metric: str) -> str:
    """One number with its interval."""
    if not values:
        return ""
    scale, digits = (100, 1) if metric == "precision" else (1, 2)
    return "{:.{d}f} [{:.{d}f}, {:.{d}f}]".format(*(scale * x for x in pooled(values)), d=digits)


def differences(less: dict[str, list[list[dict[str, Any]]]]) -> list[str]:
    """Given less raw on the same copies, with what Holm's correction leaves."""
    rows = []
    for detector, surveys in less.items():
        found = by_kind(surveys, "auroc_less")
        rows += [(k, d, pooled(v)) for (k, d), v in found.items() if d == detector]
    sure = holm([(value, low, high) for _, _, (value, low, high) in rows])
    lines = ["### AUROC, given less raw, paired", "", "| kind | detector | difference | Holm |"]
    lines.append("| --- | --- | --- | --- |")
    for (kind, detector, (value, low, high)), kept in zip(rows, sure, strict=True):
        word = ("above 0" if value > 0 else "below 0") if kept else ""
        lines.append(f"| {kind} | {detector} | {value:+.3f} [{low:+.3f}, {high:+.3f}] | {word} |")
    return [*lines, ""]


def holm(intervals: list[tuple[float, float, float]]) -> list[bool]:
    """Which of several intervals exclude 0 with a family-wise error of 5 % (Holm 1979)."""
    from scipy.stats import norm

    values = np.array(intervals)
    error = np.maximum(values[:, 2] - values[:, 1], 1e-9) / (2 * norm.ppf(0.975))
    p = 2 * norm.sf(np.abs(values[:, 0]) / error)
    order, kept = np.argsort(p), np.zeros(len(p), dtype=bool)
    for place, at in enumerate(order):
        if p[at] > 0.05 / (len(p) - place):
            break
        kept[at] = True
    return kept.tolist()


def edges(runs: list[fmb.Run]) -> list[str]:
    """Share of the top 1 % that objects at the edge of the roles own, by list."""
    shares = defaultdict(list)
    for run in runs:
        objects = run.objects
        columns = objects.attrs["roles"]
        roles = np.column_stack([objects[columns[role]].to_numpy(float) for role in ROLES])
        own = (objects["injected_from"] == objects["object_id"]).to_numpy()
        known = np.isfinite(roles).all(axis=1) & own
        away = roles - roles[known].mean(axis=0)
        far = np.einsum("ni,ij,nj->n", away, np.linalg.inv(np.cov(roles[known].T)), away)
        for name in run.lists:
            percentile = run.scores(name)["percentile"].to_numpy(dtype=float, na_value=np.nan)
            there = known & np.isfinite(percentile)
            edge = far >= np.quantile(far[there], 1 - EDGE)
            head = there & (percentile > 1 - TOP)
            shares[name.detector, name.view].append(np.mean(edge[head]))
    lines = ["### Share of the top 1 % that the outer 2 % of the roles own (chance 0.02)", ""]
    lines += ["| list | view | share |", "| --- | --- | --- |"]
    for (detector, view), values in shares.items():
        lines.append(f"| {detector} | {view} | {np.mean(values):.2f} |")
    return lines


if __name__ == "__main__":
    main()
