"""`fmb object`: one object in every list."""

import click

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
    card = run.object(object_id)
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
