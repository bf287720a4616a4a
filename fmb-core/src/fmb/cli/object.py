"""`fmb object`: one object in every list."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import pandas

__all__ = ["command"]


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("object_id", metavar="ID", type=click.UNPROCESSED)
@click.option("--run", "run_name", metavar="NAME", help="The run; by default the latest.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(object_id: str, run_name: str | None, as_json: bool) -> None:
    """Show one object of a run: its catalogue row and its place in every list.

    ID may be a negative number.
    """
    if object_id.startswith("--"):  # ids may start with one hyphen, so click lets all through
        raise click.UsageError(f"no option is called {object_id}")
    # Imported here: the help text needs none of it.
    import pandas as pd

    from fmb.cli.terminal import echo_json, quality_lines, table_text
    from fmb.contract.errors import UnknownNameError, did_you_mean
    from fmb.runs.run import open_run
    from fmb.scoring.ranking import describe

    run = open_run(run_name)
    text = run.objects["object_id"].astype(str)
    found = run.objects[(text == object_id).to_numpy()]
    if found.empty:
        hint = did_you_mean(object_id, []) or f"; see `fmb top {run.name}` for ids"
        raise UnknownNameError(f"run {run.name!r} has no object {object_id!r}{hint}")
    at = found.index[0]
    catalog = {k: v for k, v in found.iloc[0].items() if k != "object_id"}
    places: list[dict[str, Any]] = []
    details: dict[str, dict[str, str]] = {}
    for name, record in zip(run.lists, run.manifest["lists"], strict=True):
        row = run.scores(name).iloc[at]
        scored = row["score"] == row["score"]
        place = {
            "list": str(name),
            "place": describe(row["rank"], record["ranked"]) if scored else "not ranked",
            "score": f"{row['score']:.4g}" if scored else "",
        }
        if record["reference_objects"]:
            for key in ("p_value", "q_value"):
                place[key[0]] = "" if pd.isna(row[key]) else f"{row[key]:.2g}"
        if scored and run.folder.details(name).exists():
            details[str(name)] = dict(_with_units(run.details(name), at))
        places.append(place)
    quality = [f for f in run.manifest["quality"] if f["object_id"] == object_id]
    if as_json:
        record = {"object_id": object_id, "catalog": catalog, "lists": places}
        echo_json({**record, "details": details, "quality": quality})
        return
    click.echo(f"object {object_id} of run {run.name}")
    units = run.objects.attrs.get("units", {})
    for column, value in catalog.items():
        if value == value and value != "":  # the others are not known of this object
            told = f"{value:.9g}" if isinstance(value, float) else value
            click.echo(f"  {column} = {told} {units.get(column, '')}".rstrip())
    click.echo(table_text(places))
    for stem, values in details.items():
        click.echo(f"{stem}: {', '.join(f'{column} {text}' for column, text in values.items())}")
    for line in quality_lines(quality):
        click.echo(f"note: {line}", err=True)


def _with_units(details: "pandas.DataFrame", at: int) -> Iterator[tuple[str, str]]:
    """Columns of one object's details, with four digits and their units."""
    units = details.attrs.get("units", {})
    for column, value in details.iloc[at].items():
        yield str(column), f"{value:.4g} {units.get(column, '')}".rstrip()
