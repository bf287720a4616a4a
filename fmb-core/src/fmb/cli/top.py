"""`fmb top`: the strangest objects of a run."""

import click

__all__ = ["command"]


@click.command()
@click.argument("run", required=False)
@click.option("-k", default=20, show_default=True, type=click.IntRange(min=1), help="How many.")
@click.option("--model", help="Only lists of this model label.")
@click.option("--view", help="Only lists of this view.")
@click.option("--detector", help="Only lists of this detector label.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    run: str | None,
    k: int,
    model: str | None,
    view: str | None,
    detector: str | None,
    as_json: bool,
) -> None:
    """List the strangest objects of RUN, by default the latest, strangest first."""
    # Imported here: the help text needs none of it.
    from fmb.cli.listing import print_list
    from fmb.cli.terminal import echo_json
    from fmb.contract.errors import UnknownNameError
    from fmb.runs.run import open_run

    opened = open_run(run)
    names = [
        name
        for name in opened.lists
        if model in (None, name.model)
        and view in (None, name.view)
        and detector in (None, name.detector)
    ]
    if not names:
        lists = "; ".join(str(name) for name in opened.lists)
        raise UnknownNameError(f"run {opened.name!r} has no such list; it has {lists}")
    if as_json:
        echo_json(
            {
                n.stem: opened.top(k, name=n).astype({"object_id": str}).to_dict("records")
                for n in names
            }
        )
        return
    for name in names:
        print_list(opened, name, k)
