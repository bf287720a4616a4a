"""A plan in words: what would be computed, from what, and what it would cost."""

import click

from fmb.cli.terminal import echo_json, table_text
from fmb.plan.records import Plan
from fmb.steps.cost import measure_cost

__all__ = ["print_plan"]


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
                "inputs": " ".join(f"{s}={i}" for s, i in model.bindings.slots.items()),
                "objects": f"{cost.objects:,}",
                "to compute": f"{cost.todo:,}",
                "seconds": f"{cost.seconds:.1f}",
                "bytes": f"{cost.bytes:,}",
            }
        )
    parts = {
        "lists": [one.name.stem for one in plan.lists],
        "analyses": [one.label for one in plan.analyses],
        "figures": [one.label for one in plan.plots],
    }
    if as_json:
        echo_json({"models": rows, **parts})
        return
    click.echo(table_text(rows) or f"{len(plan.dataset):,} objects with vectors of their own")
    for what, names in parts.items():
        click.echo(f"{what}: {' '.join(names) or 'none'}")
    for note in plan.notes:
        click.echo(f"note: {note}", err=True)
