"""Runs and lists of scores as people read them."""

from collections.abc import Sequence

import click
import pandas as pd

from fmb.cli.first_look import print_first_look
from fmb.contract.names import ListName
from fmb.files.ids import locate
from fmb.listing.list_table import texts_of
from fmb.listing.list_titles import measured_lines, titles
from fmb.runs.remarks import owner_lines, quality_lines
from fmb.runs.run import Run
from fmb.scoring.calibration import BY_FOLD
from fmb.terminal.printing import echo_folded, echo_json, say
from fmb.terminal.tables import fit_columns
from fmb.terminal.width import screen_width

__all__ = ["print_lists", "print_run", "say_of_p"]

REMARKS = 5
"""Notes that `fmb run` prints; run.log has all."""
SHOWN = 5
"""Objects of each list that `fmb run` prints."""


def print_run(run: Run, *, as_json: bool) -> None:
    """Print the strangest objects of each list, what to look at and what to know."""
    if as_json:
        echo_json({"run": run.name, "folder": str(run.folder.path), **run.manifest})
        return
    if leads := [name for name in run.lists if name.is_fusion]:
        print_first_look(run, leads, SHOWN)
        print_beside_lists(run, run.lists)
    else:
        print_lists(run, run.lists, SHOWN)
    print_drift(run)
    click.echo("")
    if figures := run.manifest["figures"]:
        some = "1 figure" if len(figures) == 1 else f"{len(figures)} figures"
        click.echo(f"look at {some} in {run.folder.plots}")
    more = (f"more:  fmb top {run.name} -k 50", f"fmb object ID --run {run.name}")
    one_line = "    ".join(more)
    click.echo(one_line if len(one_line) <= screen_width() else "\n       ".join(more))
    print_remarks(run)


def print_drift(run: Run) -> None:
    """Print how unlike the objects are to those that the fits have seen, where others made them."""
    if lines := _drift_lines(run):
        click.echo("")
        for line in lines:
            echo_folded(line)


def _drift_lines(run: Run) -> list[str]:
    return list((run.manifest.get("drift") or {}).get("lines", []))


def print_remarks(run: Run) -> None:
    """Print what to know of a run on stderr, the weightiest, and where the rest is.

    One line more is on what is wrong with inputs where no other is: lists may lead with it.
    """
    beside_lists = {line for name in run.lists for line in owner_lines(run.record(name))}
    beside_lists.update(_drift_lines(run))
    lines = [line for line in run.remarks() if line not in beside_lists]
    head, wrong = lines[:REMARKS], quality_lines(run.manifest["quality"])
    if wrong and not set(wrong) & set(head):
        head.append(wrong[0])
    for line in head:
        say(f"note: {line}")
    if len(lines) > len(head):
        say(f"note: {len(lines) - len(head)} more in {run.folder.log}")


def print_lists(run: Run, names: Sequence[ListName], k: int) -> None:
    """Print the k strangest objects of some lists, and what is to be known of the tables."""
    left: dict[str, None] = {}
    for name, title in titles(names).items():
        ranked, top = run.record(name)["ranked"], run.top(k, list=name)
        hidden = f"; {line}" if (line := run.hidden(name)) else ""
        hidden += _alone(run, name, top)
        text, dropped = fit_columns(texts_of(top, ranked))
        left.update(dict.fromkeys(dropped))
        click.echo("")
        first = run.record(name).get("first", "the strangest")
        echo_folded(f"{title}: {first} of {ranked:,}{hidden}")
        click.echo(text or "nothing to show")
    for n, line in enumerate(measured_lines(names)):
        if not n:
            click.echo("")
        echo_folded(line)
    if left:
        say(f"more columns ({', '.join(left)}): fmb top {run.name} --json, fmb export {run.name}")
    print_beside_lists(run, names)


def print_beside_lists(run: Run, names: Sequence[ListName]) -> None:
    """Print on stderr what is to be known of lists: who owns their heads, labels, p values."""
    for name in names:
        for line in owner_lines(run.record(name)):
            say(f"note: {line}")
    for line in run.labelled().remarks():
        say(f"note: {line}")
    say_of_p(run, [name for name in names if run.record(name)["reference_objects"]])


def _alone(run: Run, name: ListName, top: pd.DataFrame) -> str:
    """How many of the rows are strange in one view alone, where the list tells of any."""
    column = run.record(name).get("aside", "")
    if not column or run.shown.only_mismatch:
        return ""
    told = run.details(name)[column].to_numpy() > 0
    at = locate(top["object_id"].to_numpy(), run.objects["object_id"].to_numpy())
    count = int(told[at].sum())
    return f"; {count} of these {len(top)} strange in one view alone" if count else ""


def say_of_p(run: Run, names: Sequence[ListName]) -> None:
    """Say why p is not in the order of ranks, where lists with p values came from several fits."""
    if any(run.record(name)["folds"] > 1 for name in names) and not run.manifest.get("drift"):
        say(f"note: {BY_FOLD}")
