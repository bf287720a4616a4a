"""`fmb samp`: a list in TOPCAT or Aladin, and what is pointed at there."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from fmb.cli import shown_options
from fmb.terminal import echo_folded, print_table, say

if TYPE_CHECKING:
    from fmb import Array, ListName, Run
    from fmb_surveys.samp.conversation import Conversation, Pointed

__all__ = ["command"]


@click.command(epilog="Example: fmb samp RUN --list 'wide image' --top 500 --label merger")
@click.argument("run", required=False)
@click.option("--list", "words", metavar="WORDS", help="The list to send [the first].")
@click.option("--top", type=click.IntRange(min=1), metavar="N", help="The N strangest of it.")
@click.option("--label", metavar="CLASS", help="What is selected there is labelled so.")
@click.option("--once", is_flag=True, help="End when it is sent; with --label, when one selects.")
@shown_options
def command(
    run: str | None,
    words: str | None,
    top: int | None,
    label: str | None,
    once: bool,
    without: tuple[str, ...],
    only: tuple[str, ...],
    only_mismatch: bool,
) -> None:
    """Send a list of RUN, by default the latest, to TOPCAT or Aladin, and follow them.

    The row that is highlighted is shown as `fmb object` shows it; of a selection the ids are
    printed, or with --label its objects are labelled, for every run on the survey. Ctrl-C ends it.
    """
    # Imported here: the help text needs none of it.
    from fmb import open_run
    from fmb_surveys.export import export_lists
    from fmb_surveys.export.table import long_table
    from fmb_surveys.samp.conversation import conversation

    opened = open_run(run).showing(without=without, only=only, only_mismatch=only_mismatch)
    name = opened.list_called(words) if words else opened.listed[0]
    (part,) = long_table(opened, [name], top).parts
    ids = opened.objects["object_id"].to_numpy()[part.rows]
    with TemporaryDirectory(prefix="fmb-samp-") as folder:
        path = export_lists(opened, Path(folder) / "list.vot", lists=name, top=top)
        table = f"fmb:{opened.name}:{name}"
        with conversation(path, table, f"{opened.name} {name}") as talk:
            say(f"{len(ids):,} objects of {name} sent to {', '.join(talk.send())}")
            if not once or label:
                _follow(talk, opened, name, ids, label, once=once)


def _follow(
    talk: "Conversation",
    run: "Run",
    name: "ListName",
    ids: "Array",
    label: str | None,
    *,
    once: bool,
) -> None:
    say("highlight a row to see its object, select rows to label them; Ctrl-C ends it")
    for pointed in _within(talk.heard(), len(ids)):
        chosen = ids[list(pointed.rows)]
        if not pointed.selected:
            _show(run, chosen[0])
        elif label is None:
            click.echo("\n".join(map(str, chosen.tolist())))
        else:
            n = run.label(chosen, label, list=name)
            click.echo(f"{n:,} {'object' if n == 1 else 'objects'} labelled {label}")
            if once:
                return
    say("the SAMP hub went away")


def _within(heard: "Iterator[Pointed]", n: int) -> "Iterator[Pointed]":
    """Without rows that the table does not have, of which is told."""
    for pointed in heard:
        if max(pointed.rows) < n:
            yield pointed
        else:
            say(f"{pointed.who} names row {max(pointed.rows)} of a table of {n:,}: left out")


def _show(run: "Run", object_id: object) -> None:
    card = run.object(object_id)
    click.echo(card.title)
    for line in card.facts():
        click.echo(f"  {line}")
    print_table(card.rows(), "no list", more=f"fmb object {object_id} --run {run.name}")
    for line in card.remarks():
        echo_folded(line)
