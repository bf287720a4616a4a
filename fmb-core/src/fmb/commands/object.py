"""`fmb object`: one object in every list."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from fmb.runs.object_card import ObjectCard
    from fmb.runs.run import Run

__all__ = ["command"]


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("object_id", metavar="ID", type=click.UNPROCESSED)
@click.option("--run", "run_name", metavar="NAME", help="The run; by default the latest.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(object_id: str, run_name: str | None, as_json: bool) -> None:
    """Show one object of a run: its label, its catalogue row and its place in every list.

    ID may be a negative number.
    """
    if object_id.startswith("--"):  # ids may start with one hyphen, so click lets all through
        raise click.UsageError(f"no option is called {object_id}")
    # Imported here: the help text needs none of it.
    from fmb.cli.listing import say_of_p
    from fmb.runs.remarks import quality_lines
    from fmb.runs.run import open_run
    from fmb.terminal.printing import echo_folded, echo_json, say
    from fmb.terminal.tables import fit_columns

    run = open_run(run_name)
    card = _card(run, object_id)
    if as_json:
        echo_json(card.values())
        return
    click.echo(card.title)
    for line in card.facts():
        click.echo(f"  {line}")
    text, left = fit_columns(card.rows(), prose="list")
    click.echo(text)
    for line in card.remarks():
        echo_folded(line)
    if left:
        say(f"more columns ({', '.join(left)}): fmb object {object_id} --run {run.name} --json")
    say_of_p(run, [one.list for one in card.places if one.p_value is not None])
    for line in quality_lines(card.quality):
        say(f"note: {line}")


def _card(run: "Run", object_id: str) -> "ObjectCard":
    """What the run has of an object.

    Raises:
        UnknownNameError: it has no such object; names the latest other run that has it.
    """
    from fmb.messages.errors import UnknownNameError

    try:
        return run.object(object_id)
    except UnknownNameError as error:
        other = _latest_with(object_id, run)
        if not other:
            raise
        raise UnknownNameError(
            f"run {run.name!r} has no object {object_id!r}; {other!r} has it: add --run {other}"
        ) from error


def _latest_with(object_id: str, besides: "Run") -> str:
    """The latest other finished run with an object, "" where none has it; ids alone are read."""
    import numpy as np

    from fmb.files.ids import as_ids, locate
    from fmb.messages.errors import FmbError
    from fmb.runs.folder import list_runs
    from fmb.store.tables import read_table

    asked = as_ids(np.array([object_id]), "the id of an object")
    for folder in reversed(list_runs(besides.home)):
        if folder.finished and folder.name != besides.name:
            try:
                ids = read_table(folder.objects, ["object_id"])["object_id"].to_numpy()
                if locate(asked, as_ids(ids, str(folder.objects)))[0] >= 0:
                    return folder.name
            except FmbError:
                continue  # a damaged run is not the one that is looked for
    return ""
