"""`fmb embed`: vectors only."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fmb.cli.options import request_options
from fmb.commands.run import dry_run_option, json_option
from fmb.runs.remarks import quality_lines
from fmb.terminal.printing import echo_json, print_table, progress_line, say
from fmb.terminal.progress import stage

if TYPE_CHECKING:
    from fmb.embedding.embed import EmbeddedView
    from fmb.plan.records import Plan

__all__ = ["command"]


@click.command(epilog="Example: fmb embed --model MODEL --data survey.toml --weights random")
@request_options("model", "input", "data", "batch", "compute", "engine", "settings")
@dry_run_option
@json_option
def command(dry_run: bool, as_json: bool, **options: Any) -> None:
    """Turn a survey into vectors. Interrupted, the same command goes on where it stopped."""
    with stage(progress_line, "start"):
        # Imported here: the help text needs none of it.
        from fmb.cli.plan_lines import print_plan
        from fmb.embedding.embed import embed_model
        from fmb.plan.session import Session
        from fmb.request.options import options_request

    plan = Session.open(progress_line).plan(options_request(options), steps=("embed",))
    if dry_run:
        print_plan(plan, as_json=as_json)
        return
    done = [view for model in plan.models for view in embed_model(plan, model)]
    _print_embedded(plan, done, as_json=as_json)


def _print_embedded(plan: "Plan", done: Sequence["EmbeddedView"], *, as_json: bool) -> None:
    """Print where the vectors are and what was left out."""
    rows: list[Mapping[str, Any]] = [
        {
            **one.name.as_dict(),
            "vectors": len(one.vectors),
            "without": sum(one.unusable.values()),
            "computed": one.computed,
            "folder": str(one.store.folder) if as_json else _within(one.store.folder, plan),
        }
        for one in done
    ]
    if as_json:
        echo_json(rows)
        return
    print_table(rows, "nothing to embed", more="fmb cache list", keep=3)
    for one in done:
        for why, count in one.unusable.items():
            say(f"note: {one.name.view}: {count:,} objects have no vector: {why}")
    findings = dict.fromkeys(finding for one in done for finding in one.findings)
    for line in [*quality_lines([one.as_dict() for one in findings]), *plan.notes]:
        say(f"note: {line}")


def _within(folder: Path, plan: "Plan") -> str:
    """A folder's path within the workspace."""
    return folder.relative_to(plan.workspace).as_posix()
