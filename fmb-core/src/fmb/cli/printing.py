"""What commands print of plans, vectors and runs: results on stdout, talk on stderr."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import pandas as pd

from fmb.cli.terminal import echo_json, table_text
from fmb.datasets.quality import Finding, summary
from fmb.plan.records import Plan
from fmb.runs.names import ScoreName
from fmb.runs.results import Run
from fmb.scoring.ranking import describe
from fmb.steps.embed import EmbeddedView, measure_cost
from fmb.weights.card import Card

__all__ = [
    "print_embedded",
    "print_list",
    "print_plan",
    "print_run",
    "print_weights",
    "table_text",
]

SHOWN = 5
"""Objects of each list that `fmb run` prints."""
COLUMNS = ("redshift", "label")
"""Catalogue columns shown beside a score where they exist."""


def list_rows(table: pd.DataFrame, ranked: int) -> list[dict[str, Any]]:
    """Rows of a list of scores as people read them."""
    rows = []
    for item in table.to_dict("records"):
        row = {
            "rank": f"{item['rank']:g}",
            "object": str(item["object_id"]),
            "place": describe(item["rank"], ranked),
            "score": f"{item['score']:.4g}",
        }
        for column in COLUMNS:
            value = item.get(column)
            if value is not None and not pd.isna(value) and value != "":
                row[column] = f"{value:.3f}" if isinstance(value, float) else str(value)
            elif column in table:
                row[column] = ""
        if item.get("q_value") is not None and not pd.isna(item["q_value"]):
            row["p"], row["q"] = f"{item['p_value']:.2g}", f"{item['q_value']:.2g}"
        rows.append(row)
    return rows


def print_list(run: Run, name: ScoreName, k: int) -> None:
    """Print the k strangest objects of one list."""
    record = next(r for r in run.manifest["scores"] if ScoreName(**r["name"]) == name)
    click.echo(f"\n{name}: the strangest of {record['ranked']:,}")
    click.echo(table_text(list_rows(run.top(k, name=name), record["ranked"])))


def print_run(run: Run, *, as_json: bool) -> None:
    """Print the strangest objects of each list, what to look at and what to know."""
    if as_json:
        echo_json({"run": run.name, "folder": str(run.folder.path), **run.manifest})
        return
    for name in run.score_names:
        print_list(run, name, SHOWN)
    click.echo("")
    for line in _look_at(run):
        click.echo(line)
    for line in run_notes(run.manifest):
        click.echo(f"note: {line}", err=True)


def _look_at(run: Run) -> Iterable[str]:
    for figure in run.manifest["figures"]:
        click_path = run.folder.path / figure
        yield f"look at {click_path}"
    yield f"more:  fmb top {run.name} -k 50    fmb object ID --run {run.name}"


def run_notes(manifest: Mapping[str, Any]) -> Iterable[str]:
    """What a reader of a run's numbers must know, one line each."""
    for entry in manifest["embeddings"]:
        for why, count in entry["unusable"].items():
            yield f"{entry['model']} {entry['view']}: {count:,} objects have no vector: {why}"
    yield from quality_lines(manifest["quality"])
    for record in manifest["scores"]:
        name = ScoreName(**record["name"])
        fallbacks = sum(bool(report.get("fallback")) for report in record["reports"])
        if fallbacks:
            yield f"{name}: {fallbacks} of {record['folds']} fits fell back to the Gaussian"
        if record["shift"] and record["shift"]["notable"]:
            yield f"{name}: {record['shift']['text']}"
    yield from manifest["calibration"]
    notes = manifest["notes"]
    yield from notes
    if any("simulated" in note for note in notes):
        small = any("small weights" in note for note in notes)
        yield f"simulated data{', small weights' if small else ''}: not evidence"


def quality_lines(findings: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    """Findings about the data, by problem, naming the worst objects."""
    return [f"data quality: {line}" for line in summary([Finding(**f) for f in findings])]


def print_embedded(
    plan: Plan, done: Mapping[str, Sequence[EmbeddedView]], *, as_json: bool
) -> None:
    """Print where the vectors are and what was left out."""
    rows = [
        {
            "model": label,
            "embedder": item.embedder,
            "view": item.view,
            "vectors": item.valid,
            "without": sum(item.unusable.values()),
            "computed": f"{item.computed} of {item.shards} shards",
            "folder": str(item.store.folder),
        }
        for label, items in done.items()
        for item in items
    ]
    if as_json:
        echo_json(rows)
        return
    click.echo(table_text(rows))
    for items in done.values():
        for item in items:
            for why, count in item.unusable.items():
                click.echo(f"note: {item.view}: {count:,} objects have no vector: {why}", err=True)
    findings = {str(f): f for items in done.values() for item in items for f in item.findings}
    for line in [*quality_lines(list(findings.values())), *plan.notes]:
        click.echo(f"note: {line}", err=True)


def print_plan(plan: Plan, *, as_json: bool) -> None:
    """Print what a run would do and what it would cost, measured on a few objects."""
    rows = []
    for model in plan.models:
        cost = measure_cost(plan, model)
        rows.append(
            {
                "model": model.label,
                "weights": model.weights.name,
                "views": " ".join(model.views),
                "inputs": " ".join(f"{s}={i}" for s, i in model.sources.slots.items()),
                "objects": f"{cost.objects:,}",
                "to compute": f"{cost.todo:,}",
                "seconds": f"{cost.seconds:.1f}",
                "bytes": f"{cost.bytes:,}",
            }
        )
    if as_json:
        echo_json({"models": rows, "detectors": [d.label for d in plan.detectors]})
        return
    click.echo(table_text(rows))
    click.echo(f"detectors: {' '.join(d.label for d in plan.detectors) or 'none'}")
    click.echo(f"figures: {' '.join(p.label for p in plan.plots) or 'none'}")
    for note in plan.notes:
        click.echo(f"note: {note}", err=True)


def print_weights(card: Card, folder: Path, *, as_json: bool) -> None:
    """Print what came of a training and how to use it."""
    if as_json:
        echo_json({"folder": str(folder), **card.model_dump(mode="json")})
        return
    record = card.training or {}
    best, objects = record["best"], record["objects"]
    click.echo(
        f"{card.name}: {card.model} trained on {objects['training']:,} objects in"
        f" {record['seconds']:,.0f} s; validation loss {best['validation_loss']:.4g} in epoch"
        f" {best['epoch']:g}, on {objects['validation']:,} objects held out"
    )
    click.echo(f"history: {folder / 'training' / 'history.csv'}")
    click.echo(f"use:     fmb run --model {card.model} --weights {folder}")
    for why, count in record["unusable"].items():
        click.echo(f"note: {count:,} training objects without {why}", err=True)
    for note in record["notes"]:
        click.echo(f"note: {note}", err=True)
