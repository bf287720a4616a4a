"""Writes demo-results.md: how well planted anomalies are found on the simulated survey.

Run: python docs/results/demo_results.py [--hosts 10000] [--copies 100] [--model [LABEL=]NAME ...]
[--weights LABEL=REF ...] [--set KEY=VALUE ...] [--input euclid ...] [--bind LABEL.SLOT=INSTRUMENT
...] [--page FILE]. It takes ten to twenty minutes. What stands above the line <!-- results --> of
a page stays there.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

import pandas as pd
import planted
from demo_page import STRENGTHS, Entrant, page
from processes import side_by_side

from fmb import Session
from fmb.plan import ModelPlan, Plan
from fmb.request import options_request

PAGE = Path(__file__).parents[1] / "demo-results.md"
MARK = "<!-- results -->"
DEFAULTS = {
    "model": ["tiny=astropt", "random=astropt"],
    "weights": ["tiny=tiny", "random=random"],
    "set": ["model.random.preset=tiny"],
    "input": ["euclid", "desi"],
    "bind": [],
}


def main() -> None:
    """Compute and write the page."""
    options = asked()
    plan = planned(options)
    objects = planted.objects_of(plan)
    entrants = scored(plan, objects, all_views(plan, objects))
    write(options.page, page(objects, entrants, command(options)))


def asked() -> argparse.Namespace:
    """The command line; models that are named replace all of `DEFAULTS`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hosts", type=int, default=10_000)
    parser.add_argument("--copies", type=int, default=100, help="of each kind and strength")
    parser.add_argument("--page", type=Path, default=PAGE)
    for name in DEFAULTS:
        parser.add_argument(f"--{name}", action="append")
    options = parser.parse_args()
    options.given = [n for n in DEFAULTS if getattr(options, n) is not None]
    for name, values in DEFAULTS.items():
        if getattr(options, name) is None:
            setattr(options, name, [] if "model" in options.given else values)
    return options


def planned(options: argparse.Namespace) -> Plan:
    """The paired survey, the models and both detectors."""
    settings = {
        "data.n_objects": options.hosts,
        "data.n_per_kind": options.copies,
        "data.strengths": list(STRENGTHS.values()),
        "data.inputs": options.input or ["euclid", "legacysurvey", "desi"],
    }
    request = {
        "data": "demo-eval",
        "model": options.model,
        "detector": ["gaussian", "flow"],
        "no_companions": True,
        "set": [*(f"{key}={value}" for key, value in settings.items()), *options.set],
    }
    if options.weights:
        request["weights"] = options.weights
    if options.bind:
        request["input"] = options.bind
    return Session.open(tell).plan(options_request(request), steps=("embed", "detect"))


def tell(what: str, done: int, total: int) -> None:
    """Progress, one line a step."""
    if done in (0, total):
        print(f"{what}: {done:,} of {total:,}", file=sys.stderr)


def all_views(plan: Plan, objects: pd.DataFrame) -> dict[str, planted.Views]:
    """Name of a column -> vectors by view: the models, then the floors."""
    names = {model.label: named(model) for model in plan.models}
    return {
        **{names[label]: views for label, views in planted.model_vectors(plan).items()},
        "PCA-100": planted.raw_pca(plan, objects),
        "catalogue": planted.catalogue_features(objects),
    }


def scored(
    plan: Plan, objects: pd.DataFrame, columns: Mapping[str, planted.Views]
) -> list[Entrant]:
    """Every column by every detector, on all cores."""
    detectors = {one.detector.label: one.detector for one in plan.lists}
    jobs = [
        (plan.request.run.seed, objects, vectors, view, detector)
        for views in columns.values()
        for detector in detectors.values()
        for view, vectors in views.items()
    ]
    done = side_by_side(planted.scored, jobs, len(jobs), worth_it=True)
    return [
        Entrant(name, label, {view: next(done) for view in views})
        for name, views in columns.items()
        for label in detectors
    ]


def named(model: ModelPlan) -> str:
    """Label, weights and what the model is given: "aion, random (legacysurvey + desi)"."""
    weights = "" if model.weights.name == model.label else f", {model.weights.name}"
    return f"{model.label}{weights} ({' + '.join(model.bindings.slots.values())})"


def write(path: Path, paragraphs: Iterator[str]) -> None:
    """Write the page; title and text that were written above its mark are kept."""
    head, mark, _ = path.read_text(encoding="utf-8").partition(MARK) if path.exists() else [""] * 3
    if mark:
        next(paragraphs)
        paragraphs = chain([head + mark], paragraphs)
    path.write_text("\n\n".join(paragraphs) + "\n", encoding="utf-8")


def command(options: argparse.Namespace) -> str:
    """The command line that writes the page."""
    words = [
        "python docs/results/demo_results.py",
        f"--hosts {options.hosts} --copies {options.copies}",
    ]
    words += [f"--{name} {value}" for name in options.given for value in getattr(options, name)]
    if options.page != PAGE:
        words.append(f"--page docs/{options.page.name}")
    return " ".join(words)


if __name__ == "__main__":
    main()
