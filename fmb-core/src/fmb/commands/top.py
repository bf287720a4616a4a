"""`fmb top`: the strangest objects of a run."""

from typing import TYPE_CHECKING

import click

from fmb.cli.options import shown_options

if TYPE_CHECKING:
    from fmb.contract.names import ListName
    from fmb.runs.run import Run

__all__ = ["command"]


@click.command(epilog="Example: fmb top RUN --view image --ids | fmb label RUN artefact --ids -")
@click.argument("run", required=False)
@click.option("-k", default=20, show_default=True, type=click.IntRange(min=1), help="How many.")
@click.option("--model", help="Only lists of this model label.")
@click.option("--view", help="Only lists of this view.")
@click.option("--detector", help="Only lists of this detector label.")
@click.option("--list", "words", metavar="WORDS", help="Only this list, as 'DETECTOR VIEW'.")
@shown_options
@click.option("--ids", "ids_only", is_flag=True, help="Print the ids of one list, one a line.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    run: str | None,
    k: int,
    model: str | None,
    view: str | None,
    detector: str | None,
    words: str | None,
    without: tuple[str, ...],
    only: tuple[str, ...],
    only_mismatch: bool,
    ids_only: bool,
    as_json: bool,
) -> None:
    """List the strangest objects of RUN, by default the latest, strangest first.

    Labels (`fmb label`) choose what is shown; they change no score and no rank.
    """
    # Imported here: the help text needs none of it.
    from fmb.cli.listing import print_lists
    from fmb.listing.summary import summary_lines
    from fmb.messages.errors import UnknownNameError
    from fmb.runs.run import open_run
    from fmb.terminal.json_text import json_rows
    from fmb.terminal.printing import echo_folded, echo_json

    opened = open_run(run).showing(without=without, only=only, only_mismatch=only_mismatch)
    listed = opened.list_called(words) if words else None
    names = [
        name
        for name in opened.listed
        if model in (None, name.model)
        and view in (None, name.view)
        and detector in (None, name.detector)
        and listed in (None, name)
    ]
    if not names:
        lists = "; ".join(name.stem for name in opened.listed)
        of = " that --only-mismatch shows" if only_mismatch else ""
        raise UnknownNameError(f"run {opened.name!r} has no such list{of}; it has {lists}")
    if ids_only:
        _print_ids(opened, names, k)
    elif as_json:
        tops = {name.stem: opened.top(k, list=name) for name in names}
        echo_json({n: json_rows(t.astype({"object_id": str})) for n, t in tops.items()})
    else:
        echo_folded(next(summary_lines(opened.name, opened.manifest, opened.lists, opened.shown)))
        print_lists(opened, names, k)


def _print_ids(run: "Run", names: "list[ListName]", k: int) -> None:
    """Ids as `--ids -` and `--exclude` read them: one that could be misread stands in quotes."""
    from fmb.files.ids import id_line
    from fmb.messages.errors import ConfigError
    from fmb.terminal.printing import say

    if len(names) > 1:
        lists = ", ".join(name.stem for name in names)
        raise ConfigError(
            f"--ids prints one list: choose by --list, --model, --view or --detector among {lists}"
        )
    ranked = run.ranked(names[0])
    for text in ranked["object_id"].astype(str).head(k):
        click.echo(id_line(text))
    if line := run.hidden(names[0]):
        say(f"note: {line}")
