"""`fmb data validate`: all of a survey read, and what is wrong with which object."""

from typing import TYPE_CHECKING, Any

import click

from fmb.cli.options import request_options
from fmb.commands.data import open_source, reader_option, set_option
from fmb.terminal.printing import progress_line

if TYPE_CHECKING:
    from fmb.datasets.quality import Finding

__all__ = ["validate"]


@click.command("validate")
@click.argument("source")
@reader_option
@request_options("model", "input")
@click.option("--skip-bad", is_flag=True, help="List objects of broken files, use the rest.")
@set_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def validate(
    ctx: click.Context,
    /,
    source: str,
    reader: str | None,
    skip_bad: bool,
    settings: tuple[str, ...],
    as_json: bool,
    **options: Any,
) -> None:
    """Read all of SOURCE and name what is wrong with which object.

    With --model also which objects that model will make no vector of, and why. Exits with 1 when
    some input of an object cannot be used, with 0 when there are warnings only.
    """
    from fmb.contract.dataset import Making
    from fmb.datasets.quality import check, summary
    from fmb.terminal.printing import echo_folded, echo_json
    from fmb.terminal.values import counted

    dataset = open_source(source, reader, settings, skip_bad=skip_bad)
    if isinstance(dataset, Making):
        dataset.make(dataset.inputs, lambda done, total: progress_line("simulate", done, total))
    found = check(dataset, progress=lambda done, total: progress_line("check", done, total))
    asked = {"data": source, "reader": reader, "skip_bad": skip_bad, "set": settings, **options}
    if options["model"]:
        found += _foreseen(asked)
    if as_json:
        told = {"objects": len(dataset), "warnings": list(dataset.warnings)}
        echo_json({**told, "findings": [finding.as_dict() for finding in found]})
    else:
        for line in dataset.warnings:
            echo_folded(f"warning: {line}")
        for line in summary(found):
            echo_folded(line)
        objects = len({finding.object_id for finding in found})
        click.echo(f"{counted(len(dataset))} read, {objects:,} with findings")
    if any(finding.severity == "error" for finding in found):
        ctx.exit(1)


def _foreseen(asked: dict[str, Any]) -> list["Finding"]:
    """Of which objects models will make no vector."""
    from fmb.embedding.foresight import foresee
    from fmb.plan.session import Session
    from fmb.request.options import options_request

    plan = Session.open(progress_line).plan(options_request(asked), steps=("embed",))
    return [finding for model in plan.models for finding in foresee(plan, model)]
