"""The first look at a run whose lists were fused: all of them on one screen."""

from collections.abc import Iterator, Mapping, Sequence

import click

from fmb.contract.names import ListName
from fmb.listing.list_titles import measured_lines, titles
from fmb.listing.list_words import words_for
from fmb.runs.first_look import beside, found_lines, places, short_names
from fmb.runs.run import Run
from fmb.terminal.printing import echo_folded
from fmb.terminal.tables import fit_columns, table_text
from fmb.terminal.values import counted
from fmb.terminal.width import screen_width

__all__ = ["print_first_look"]


def print_first_look(run: Run, leads: Sequence[ListName], k: int) -> None:
    """Print lists made of others with the ranks of their objects in these, and these side by side.

    Args:
        run: a finished run.
        leads: its lists that are made of others.
        k: objects of each list.
    """
    members = [name for name in run.lists if any(name in lead.of for lead in leads)]
    for lead in leads:
        ranked = run.record(lead)["ranked"]
        click.echo("")
        echo_folded(f"{lead}: the strangest of {ranked:,}, and their ranks in each list")
        text, left = fit_columns(places(run, lead, k))
        click.echo(text or "nothing to show")
        if left:
            echo_folded(f"and {', '.join(left)}: fmb object ID --run {run.name}")
    click.echo("")
    click.echo(f"the strangest {k} of each list:")
    for part in _in_width(beside(run, members, k)):
        click.echo(table_text(part))
    named = titles(members)
    for name, short in short_names(members).items():
        echo_folded(f"{short} = {named[name]}, {counted(run.record(name)['ranked'])}")
    for line in measured_lines(members):
        echo_folded(line)
    others = [name for name in run.lists if name not in {*leads, *members}]
    if others:
        words = ", ".join(f'"{words_for(name, run.lists)}"' for name in others)
        echo_folded(f"other lists: {words}; fmb top {run.name} --list WORDS")
    for n, line in enumerate(found_lines(run, [*leads, *members])):
        if not n:
            click.echo("")
        echo_folded(line)


def _in_width(rows: Sequence[Mapping[str, str]]) -> Iterator[list[dict[str, str]]]:
    """The rows with as many columns at a time as fit the screen; the first is in each part."""
    first, *heads = list(rows[0]) if rows else [""]
    widths = {head: max(len(str(row[head])) for row in [*rows, {head: head}]) for head in heads}
    while heads:
        room, fitting = screen_width() - len(first), list[str]()
        while heads and (not fitting or widths[heads[0]] + 2 <= room):
            room -= widths[heads[0]] + 2
            fitting.append(heads.pop(0))
        yield [{head: row[head] for head in (first, *fitting)} for row in rows]
