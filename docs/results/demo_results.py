"""Writes demo-results.md: how well planted anomalies are found on the simulated survey.

Run: python docs/results/demo_results.py [--hosts 10000] [--copies 100] [--model [LABEL=]NAME ...]
[--weights LABEL=REF ...] [--set KEY=VALUE ...] [--input euclid ...] [--bind LABEL.SLOT=INSTRUMENT
...] [--page FILE]. It takes half an hour; `--hosts 300 --copies 12` a minute or two. What stands
above the line <!-- results --> of a page stays there. The numbers are those of `fmb evaluate RUN
--floors`, which finds them again in the workspace.
"""

import argparse
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from demo_page import STRENGTHS, Column, page

import fmb
from fmb import Note, Run
from fmb.store import content_key
from fmb_analyses.evaluate.question import Conditions, Question
from fmb_analyses.evaluate.truth import find_truth
from fmb_analyses.floors import floor_runs

PAGE = Path(__file__).parents[1] / "demo-results.md"
MARK = "<!-- results -->"
DEFAULTS = {
    "model": ["tiny=astropt"],
    "weights": ["tiny=tiny"],
    "set": [],
    "input": ["euclid", "desi"],
    "bind": [],
}


def main() -> None:
    """Compute and write the page."""
    options = asked()
    run = made(options)
    write(options.page, page(list(columns(run, options.looks)), command(options)))


def asked() -> argparse.Namespace:
    """The command line; models that are named replace all of `DEFAULTS`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hosts", type=int, default=10_000)
    parser.add_argument("--copies", type=int, default=100, help="of each kind and strength")
    parser.add_argument("--looks", type=int, default=100)
    parser.add_argument("--page", type=Path, default=PAGE)
    for name in DEFAULTS:
        parser.add_argument(f"--{name}", action="append")
    options = parser.parse_args()
    options.given = [n for n in DEFAULTS if getattr(options, n) is not None]
    for name, values in DEFAULTS.items():
        if getattr(options, name) is None:
            setattr(options, name, [] if "model" in options.given else values)
    return options


def made(options: argparse.Namespace) -> Run:
    """The lists of both detectors on the paired survey, gone on with where they were begun."""
    settings = {
        "data.n_objects": options.hosts,
        "data.n_per_kind": options.copies,
        "data.strengths": list(STRENGTHS.values()),
        "data.inputs": options.input or ["euclid", "legacysurvey", "desi"],
    }
    request = {
        "data": "demo-eval",
        "model": options.model,
        "weights": options.weights or None,
        "input": options.bind or None,
        "detector": ["gaussian", "flow"],
        "no_companions": True,
        "set": [*(f"{key}={value}" for key, value in settings.items()), *options.set],
    }
    name = f"demo-results-{content_key(request)[:8]}"
    begun = name in set(fmb.runs()["run"])
    return fmb.detect(**request, out=name, resume=begun)


def columns(run: Run, looks: int) -> Iterator[Column]:
    """The models, then the floors."""
    truth, conditions = find_truth(run, "copies"), Conditions(looks=looks)
    question = Question(run, truth, conditions)
    for model in run.manifest["models"]:
        yield Column(named(run, model), model, question, run)
    for floor, beside in floor_runs(run, tell):
        if isinstance(beside, Note):
            print(beside.text, file=sys.stderr)
            continue
        question = Question(beside, truth, conditions, floor)
        for model in beside.manifest["models"]:
            yield Column(named(beside, model), model, question, beside)
        if not beside.manifest["models"]:
            yield Column(floor, "own", question, beside)


def tell(what: str, done: int, total: int) -> None:
    """Progress, one line a step."""
    if done in (0, total):
        print(f"{what}: {done:,} of {total:,}", file=sys.stderr)


def named(run: Run, label: str) -> str:
    """Label, weights and what the model is given: "aion, random (legacysurvey + desi)"."""
    model = run.manifest["models"][label]
    weights = "" if model["weights"]["name"] == label else f", {model['weights']['name']}"
    return f"{label}{weights} ({' + '.join(model['sources'].values())})"


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
