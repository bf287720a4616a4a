"""Writes demo-results.md: how well planted anomalies are found on the simulated survey.

Run: python docs/demo_results.py [--hosts 10000] [--copies 100] [--model [LABEL=]NAME ...]
[--weights LABEL=REF ...] [--input euclid ...] [--page FILE]. It takes some minutes.

Each anomaly is planted in a copy of a host; the host stays as it was. Detectors are fitted on
objects without anomalies, cross-fitted; a copy is scored by the fit that has not seen its host.
The AUROC of a kind compares its copies with the uninjected hosts of all of them but their own, in
the view that was declared to see it before anything was computed. Intervals draw hosts.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import planted

from fmb.bootstrap import Interval
from fmb.datasets.planting.kinds import KINDS, Kind
from fmb.options import options_request
from fmb.paths import ensure_folder, workspace
from fmb.plan import Plan, make_plan
from fmb.plugins import load_plugins

PAGE = Path(__file__).with_name("demo-results.md")
STRENGTHS = (0.0, 0.5, 1.0)
VIEW_OF = {"image": "image", "spectrum": "spectrum", "mismatch": "joint"}
NOTES = (
    "Weights called `random` are drawn, not trained. PCA-100 are the 100 principal components of"
    " the pixels that the first model is given; the catalogue is magnitudes, colours, size,"
    " redshift and signal-to-noise. These are the floor that trained weights have to beat. Kinds"
    " that only a mismatch between image and spectrum can show are given in the joint view: no"
    " detector here compares views. `expected` is what a sane trained encoder should reach.",
    "AION and AstroCLIP see the galaxies through `legacysurvey` and `desi`, AstroPT through"
    " `euclid` and `desi`. Trails, cosmic rays and columns are planted in `euclid` VIS only: they"
    " are not in the images that AION and AstroCLIP are given.",
)


@dataclass(frozen=True)
class Entrant:
    """A column: what was scored, by which detector, in each view."""

    name: str
    detector: str
    scores: dict[str, pd.Series]


def main() -> None:
    """Compute and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hosts", type=int, default=10_000)
    parser.add_argument("--copies", type=int, default=100, help="of each kind and strength")
    parser.add_argument("--model", action="append", default=[])
    parser.add_argument("--weights", action="append", default=[])
    parser.add_argument("--input", action="append", default=[])
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args()
    options.model = options.model or ["astropt", "aion", "astroclip"]
    plan = planned(options)
    objects = planted.objects_of(plan)
    entrants = [
        Entrant(
            name,
            detector.label,
            {
                view: planted.scored(plan, objects, vectors, view, detector)
                for view, vectors in views.items()
            },
        )
        for name, views in all_views(plan, objects).items()
        for detector in plan.detectors
    ]
    options.page.write_text("\n\n".join(page(objects, entrants, options)) + "\n", encoding="utf-8")


def planned(options: argparse.Namespace) -> Plan:
    """The paired survey, the models and both detectors."""
    inputs = options.input or ["euclid", "legacysurvey", "desi"]
    settings = {
        "data.n_objects": options.hosts,
        "data.n_per_kind": options.copies,
        "data.strengths": list(STRENGTHS),
        "data.inputs": inputs,
    }
    asked = {
        "data": "demo-eval",
        "model": options.model,
        "detector": ["gaussian", "flow"],
        "set": [f"{key}={value}" for key, value in settings.items()],
    }
    if options.weights:
        asked["weights"] = options.weights
    home = ensure_folder(workspace())
    return make_plan(
        options_request(asked), load_plugins().registry, home, draw=False, progress=tell
    )


def tell(what: str, done: int, total: int) -> None:
    """Progress, one line a step."""
    if done in (0, total):
        print(f"{what}: {done:,} of {total:,}", file=sys.stderr)


def all_views(plan: Plan, objects: pd.DataFrame) -> dict[str, planted.Views]:
    """Name of a column -> vectors by view: the models, then the floors."""
    weights = {model.label: model.weights.name for model in plan.models}
    found = {
        label if weights[label] == label else f"{label}, {weights[label]}": views
        for label, views in planted.model_vectors(plan, tell).items()
    }
    return {
        **found,
        "PCA-100": planted.raw_pca(plan, objects),
        "catalogue": planted.catalogue_features(objects),
    }


def page(
    objects: pd.DataFrame, entrants: list[Entrant], options: argparse.Namespace
) -> Iterator[str]:
    """The paragraphs of the page, in Markdown."""
    yield "# What is found on the simulated survey"
    models = " ".join(f"--model {name}" for name in options.model)
    weights = "".join(f" --weights {given}" for given in options.weights)
    yield (
        f"Written by `python docs/demo_results.py --hosts {options.hosts}"
        f" --copies {options.copies} {models}{weights}`; do not edit."
    )
    yield " ".join(__doc__.strip().splitlines()[5:])
    yield from NOTES
    seen = [kind for kind in KINDS.values() if kind.view != "nobody"]
    for detector in dict.fromkeys(e.detector for e in entrants):
        columns = [e for e in entrants if e.detector == detector]
        yield f"## AUROC, {detector}, all strengths"
        yield table(columns, seen, lambda e, k, v: planted.compared(objects, e.scores[v], k, None))
        yield f"## AUROC, {detector}, the strongest"
        yield table(columns, seen, lambda e, k, v: planted.compared(objects, e.scores[v], k, 1.0))
    columns = [e for e in entrants if e.detector == "gaussian"]
    yield "## Recall in the top 1 %, gaussian, the strongest"
    yield "Of the copies, the share above all but 1 % of the unchanged objects; chance is 0.01."
    yield table(columns, seen, lambda e, k, v: planted.recall_in_top(objects, e.scores[v], k, 1.0))
    yield f"## More than {columns[0].name}, gaussian, all strengths"
    yield "AUROC less that of the first column, on the same copies, hosts and resamples."
    first = columns[0].scores
    yield table(
        columns[1:],
        seen,
        lambda e, k, v: planted.compared(objects, e.scores[v], k, None, first[v]),
    )
    yield "## Negative controls"
    yield "Nothing should be found: 0.50 +- 0.05. Only the catalogue may see a wrong redshift."
    controls = [kind for kind in KINDS.values() if kind.view == "nobody"]
    yield table(
        entrants, controls, lambda e, k, v: planted.compared(objects, e.scores[v], k, None), True
    )
    yield "## The bad sky cell"
    yield (
        "One cell of the sky is bad in everything. Its share of the top 1 % of the unchanged"
        " objects, and of all of them; a list that follows data quality has far more."
    )
    yield cell_table(objects, entrants)


def table(
    entrants: Sequence[Entrant],
    kinds: Sequence[Kind],
    measure: Callable[[Entrant, str, str], Interval | None],
    every_view: bool = False,
) -> str:
    """One row a kind and view, one column an entrant."""
    names = [f"{e.name}, {e.detector}" if every_view else e.name for e in entrants]
    lines = [
        "| kind | view | expected | " + " | ".join(names) + " |",
        "|---|---|---|" + "---|" * len(names),
    ]
    for kind in kinds:
        for view in planted.VIEWS if every_view else (VIEW_OF[kind.view],):
            values = [cell(measure(entrant, kind.name, view)) for entrant in entrants]
            lines.append(
                f"| {kind.name} | {view} | {expected(kind)} | " + " | ".join(values) + " |"
            )
    return "\n".join(lines)


def expected(kind: Kind) -> str:
    """The range declared for a kind."""
    return f"{kind.auroc[0]:g}-{kind.auroc[1]:g}"


def cell(value: Interval | None) -> str:
    """A value with its interval; a dash where there is none."""
    return "-" if value is None else str(value)


def cell_table(objects: pd.DataFrame, entrants: list[Entrant]) -> str:
    """Shares of the bad cell, one row a column of the tables above."""
    lines = ["| scores | view | share of the top 1 % | share of all |", "|---|---|---|---|"]
    for entrant in entrants:
        for view, scores in entrant.scores.items():
            top, every = planted.share_of_bad_cell(objects, scores)
            name = f"{entrant.name}, {entrant.detector}"
            lines.append(f"| {name} | {view} | {top:.3f} | {every:.3f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
