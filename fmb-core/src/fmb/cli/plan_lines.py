"""A plan in words: what would be computed, from what, and what it would cost."""

from typing import Any

from fmb.plan.records import Plan
from fmb.steps.cost import measure_cost
from fmb.terminal.printing import echo_folded, echo_json, print_table, say
from fmb.terminal.values import counted

__all__ = ["print_plan"]


def print_plan(plan: Plan, *, as_json: bool) -> None:
    """Print what a run would do and what it would cost, measured on a few objects."""
    rows: list[dict[str, Any]] = []
    for model in plan.models:
        cost = measure_cost(plan, model)
        rows.append(
            {
                "model": model.label,
                "weights": model.weights.name,
                "views": " ".join(model.views),
                "inputs": " ".join(f"{s}={i}" for s, i in model.bindings.slots.items()),
                "objects": cost.objects,
                "to compute": cost.todo,
                "seconds": round(cost.seconds, 1),
                "bytes": cost.bytes,
            }
        )
    parts = {
        "lists": [one.name.stem for one in plan.lists],
        "analyses": [one.label for one in plan.analyses],
        "figures": [one.label for one in plan.plots],
    }
    given = {one.name.stem: list(one.name.given) for one in plan.lists}
    if as_json:
        echo_json({"models": rows, **parts, "given": given})
        return
    told = [
        {key: f"{value:,}" if isinstance(value, int) else value for key, value in row.items()}
        for row in rows
    ]
    own = f"{counted(len(plan.dataset))} with vectors of their own"
    print_table(told, own, more="--json", keep=len(rows[0]) if rows else 0)
    for what, names in parts.items():
        echo_folded(f"{what}: {' '.join(names) or 'none'}")
    for roles in dict.fromkeys(map(tuple, given.values())):
        stems = " ".join(stem for stem, own in given.items() if tuple(own) == roles)
        if roles:
            echo_folded(f"given {', '.join(roles)}: {stems}")
    for note in plan.notes:
        say(f"note: {note}")
