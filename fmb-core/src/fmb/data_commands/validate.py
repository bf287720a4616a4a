"""`fmb data validate`: all of a survey read, and what is wrong with which object."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from fmb.cli.options import request_options
from fmb.cli.survey_source import open_source, reader_option, set_option
from fmb.terminal.printing import progress_line

if TYPE_CHECKING:
    from fmb.contract.dataset import Dataset
    from fmb.datasets.account import PixelCounts
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
    """Read all of SOURCE: what it comes to, and what is wrong with which object.

    Shares of pixels that are masked, zero or padding, coverage, repeats, the sky it covers, values
    that may stand for "unknown", and what each installed model would make of it. With --model
    which objects that model will make no vector of, and why. Exits with 1 when some input of an
    object cannot be used, with 0 when there are warnings only.
    """
    from fmb.contract.dataset import Making
    from fmb.datasets.account import PixelCounts
    from fmb.datasets.quality import check

    dataset = open_source(source, reader, settings, skip_bad=skip_bad)
    if isinstance(dataset, Making):
        dataset.make(dataset.inputs, lambda done, total: progress_line("simulate", done, total))
    counts = {name: PixelCounts() for name in dataset.inputs}
    found = check(
        dataset,
        progress=lambda done, total: progress_line("check", done, total),
        see=lambda batch: PixelCounts.of_batch(counts, batch),
    )
    asked = {"data": source, "reader": reader, "skip_bad": skip_bad, "set": settings, **options}
    if options["model"]:
        found += _foreseen(asked)
    told = _account(dataset, counts)
    told["models"] = [] if options["model"] else _models(dataset)
    if as_json:
        from fmb.terminal.printing import echo_json

        echo_json({**told, "findings": [finding.as_dict() for finding in found]})
    else:
        _print(dataset, told, found, f"fmb data validate {source} --json")
    if any(finding.severity == "error" for finding in found):
        ctx.exit(1)


def _foreseen(asked: dict[str, Any]) -> list["Finding"]:
    """Of which objects models will make no vector."""
    from fmb.embedding.foresight import foresee
    from fmb.plan.session import Session
    from fmb.request.options import options_request

    plan = Session.open(progress_line).plan(options_request(asked), steps=("embed",))
    return [finding for model in plan.models for finding in foresee(plan, model)]


def _models(dataset: "Dataset") -> list[dict[str, Any]]:
    """What each installed model would make of the survey."""
    from fmb.embedding.outlook import outlooks
    from fmb.plugins.loading import load_plugins
    from fmb.store.atomic import ensure_folder
    from fmb.store.workspace import workspace

    registry, home = load_plugins().registry, ensure_folder(workspace())
    return [{**vars(one), "told": one.told()} for one in outlooks(dataset, registry, home)]


def _account(dataset: "Dataset", counts: Mapping[str, "PixelCounts"]) -> dict[str, Any]:
    """What the survey comes to as a whole, as plain values."""
    from fmb.datasets.account import coverage, odd_values, repeats, sky_extent

    n = len(dataset)
    rows, sources = repeats(dataset)
    return {
        "name": dataset.identity.get("name"),
        "objects": n,
        "ids": str(dataset.ids.dtype),
        "inputs": [
            {
                "input": name,
                "objects": int(info.have(n).sum()),
                "unit": info.unit,
                **counts[name].shares(),
                "lacking_band": dict(counts[name].lacking),
            }
            for name, info in dataset.inputs.items()
        ],
        "coverage": [
            {"inputs": list(names), "objects": n} for names, n in coverage(dataset).items()
        ],
        "repeats": {"objects": rows, "sources": sources},
        "sky": sky_extent(dataset.catalog),
        "odd_values": odd_values(dataset.catalog),
        "warnings": list(dataset.warnings),
    }


def _print(dataset: "Dataset", told: Mapping[str, Any], found: list["Finding"], more: str) -> None:
    from fmb.datasets.quality import summary
    from fmb.terminal.printing import echo_folded, print_table
    from fmb.terminal.values import counted

    shares = ("masked", "zero", "valueless", "padding")
    inputs = [
        {**{k: row[k] for k in ("input", "objects")}, **{k: _percent(row[k]) for k in shares}}
        for row in told["inputs"]
    ]
    print_table(
        [{**row, "unit": told["inputs"][i]["unit"]} for i, row in enumerate(inputs)],
        "no inputs",
        more=more,
        keep=6,
    )
    click.echo("")
    for line in _lines(told):
        echo_folded(line)
    if told["models"]:
        click.echo("")
        print_table(_alike(told["models"]), "", more=more, keep=2, prose="use")
    click.echo("")
    for line in dataset.warnings:
        echo_folded(f"warning: {line}")
    for line in summary(found):
        echo_folded(line)
    objects = len({finding.object_id for finding in found})
    click.echo(f"{counted(len(dataset))} read, {objects:,} with findings")


def _alike(models: list[dict[str, Any]]) -> list[dict[str, str]]:
    """A row for each model and what becomes of the survey, with all weights that agree on it."""
    weights: dict[tuple[str, str], list[str]] = {}
    for row in models:
        weights.setdefault((row["model"], row["told"]), []).append(row["weights"])
    return [
        {"model": model, "weights": ", ".join(names), "use": told}
        for (model, told), names in weights.items()
    ]


def _percent(share: float) -> str:
    return f"{share:.1%}" if share >= 0.0005 or share == 0 else "<0.1%"


def _lines(told: Mapping[str, Any]) -> Iterator[str]:
    """Coverage, bands, sky, repeats and odd values, a line each."""
    from fmb.terminal.values import counted

    parts = [f"{' + '.join(c['inputs']) or 'nothing'} {c['objects']:,}" for c in told["coverage"]]
    yield f"coverage: {'; '.join(parts)}"
    for row in told["inputs"]:
        for band, n in row["lacking_band"].items():
            yield f"{row['input']}: {counted(n)} without band {band}"
    if told["sky"]:
        (west, east), (south, north) = told["sky"]["ra"], told["sky"]["dec"]
        over = ", through 0" if east < west else ""
        yield f"sky: ra {west:.5g} to {east:.5g}{over}, dec {south:.5g} to {north:.5g} deg"
    several = told["repeats"]
    if several["objects"]:
        yield (
            f"repeats: {several['objects']:,} rows are of {counted(several['sources'], 'source')},"
            " by group, host or place (1 arcsec)"
        )
    for odd in told["odd_values"]:
        yield (
            f"{odd['column']} is {odd['value']:g} for {counted(odd['objects'])}, far from all"
            " others: if it stands for unknown, leave it empty"
        )
