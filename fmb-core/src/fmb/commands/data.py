"""`fmb data`: describe and check survey data; what plugins add to that stands beside it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fmb.cli.options import request_options
from fmb.plugins.commands import CommandGroup
from fmb.terminal.printing import progress_line
from fmb.terminal.progress import stage

if TYPE_CHECKING:
    from fmb.contract.dataset import Dataset
    from fmb.contract.inputs import InputInfo
    from fmb.datasets.quality import Finding

__all__ = ["command", "show", "validate"]

_source = click.argument("source")
_reader = click.option("--reader", metavar="NAME", help="Reader, where two would do.")
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(cls=CommandGroup, group="data")
def command() -> None:
    """Describe and check survey data."""


def _open(source: str, reader: str | None, skip_bad: bool = False) -> "Dataset":
    with stage(progress_line, f"read {Path(source).name}"):
        # Imported here: the help text needs none of it.
        from fmb.datasets.opening import open_dataset
        from fmb.store.workspace import workspace

        return open_dataset(
            source,
            reader=reader,
            settings={"skip_bad": True} if skip_bad else None,
            cache=workspace() / "data",
            progress=lambda done, total: progress_line(f"make {source}", done, total),
        )


@click.command("show")
@_source
@_reader
@_json
def show(source: str, reader: str | None, as_json: bool) -> None:
    """Say what SOURCE holds: a survey.toml, its folder or the name of a dataset."""
    from fmb.terminal.printing import echo_folded, echo_json, print_table

    dataset = _open(source, reader)
    inputs = [_describe(name, info, len(dataset)) for name, info in dataset.inputs.items()]
    units = dataset.catalog.attrs.get("units", {})
    columns = [
        {"column": str(name), "type": str(kind), "unit": units.get(name, "")}
        for name, kind in dataset.catalog.dtypes.items()
    ]
    if as_json:
        echo_json(
            {
                "name": dataset.identity.get("name", source),
                "objects": len(dataset),
                "ids": {"type": str(dataset.ids.dtype), "first": str(dataset.ids[0])},
                "inputs": inputs,
                "columns": columns,
                "warnings": list(dataset.warnings),
                "identity": dict(dataset.identity),
            }
        )
        return
    click.echo(f"{dataset.identity.get('name', source)}: {len(dataset):,} objects")
    click.echo(f"ids: {dataset.ids.dtype}, such as {dataset.ids[0]}\n")
    more = f"fmb data show {source} --json"
    print_table(inputs, "no inputs", more=more, keep=len(inputs[0]) if inputs else 0)
    click.echo("")
    print_table(columns, "no catalogue columns", more=more, keep=3)
    for line in dataset.warnings:
        click.echo("")
        echo_folded(f"warning: {line}")


def _describe(name: str, info: "InputInfo", n: int) -> dict[str, Any]:
    have = int(info.have(n).sum())
    row = {
        "input": name,
        "kind": info.kind,
        "objects": have,
        "pixels": " x ".join(str(size) for size in info.shape if info.kind != "columns"),
        "unit": info.unit,
        "calibrated": "yes" if info.calibrated else "no",
        "bands": ", ".join(info.bands),
        "scale": "" if info.pixel_scale_arcsec is None else f'{info.pixel_scale_arcsec:g}"/pixel',
    }
    if info.wavelength_aa is None:
        return {**row, "wavelengths": ""}
    return {**row, "wavelengths": "{:.0f}-{:.0f} Angstrom".format(*info.wavelength_aa)}


@click.command("validate")
@_source
@_reader
@request_options("model", "input")
@click.option("--skip-bad", is_flag=True, help="List objects of broken files, use the rest.")
@_json
@click.pass_context
def validate(
    ctx: click.Context,
    /,
    source: str,
    reader: str | None,
    skip_bad: bool,
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

    dataset = _open(source, reader, skip_bad)
    if isinstance(dataset, Making):
        dataset.make(dataset.inputs, lambda done, total: progress_line("simulate", done, total))
    found = check(dataset, progress=lambda done, total: progress_line("check", done, total))
    if options["model"]:
        found += _foreseen({"data": source, "reader": reader, "skip_bad": skip_bad, **options})
    if as_json:
        echo_json([finding.as_dict() for finding in found])
    else:
        for line in dataset.warnings:
            echo_folded(f"warning: {line}")
        for line in summary(found):
            echo_folded(line)
        objects = len({finding.object_id for finding in found})
        click.echo(f"{len(dataset):,} objects read, {objects:,} with findings")
    if any(finding.severity == "error" for finding in found):
        ctx.exit(1)


def _foreseen(asked: dict[str, Any]) -> list["Finding"]:
    """Of which objects models will make no vector."""
    from fmb.embedding.foresight import foresee
    from fmb.plan.session import Session
    from fmb.request.options import options_request

    plan = Session.open(progress_line).plan(options_request(asked), steps=("embed",))
    return [finding for model in plan.models for finding in foresee(plan, model)]
