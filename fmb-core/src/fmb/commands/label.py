"""`fmb label`: say what objects are, for every run on their survey."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from fmb.contract.arrays import Array
    from fmb.runs.run import Run

__all__ = ["command"]


@click.command(
    context_settings={"ignore_unknown_options": True},
    epilog="Example: fmb top RUN --ids -k 5 | fmb label RUN artefact --ids -",
)
@click.argument("run")
@click.argument("words", metavar="[CLASS] [ID]...", nargs=-1, type=click.UNPROCESSED)
@click.option("--ids", "file", metavar="FILE", help="Ids in FILE, one a line; - is stdin.")
@click.option("--list", "listed", metavar="WORDS", help="The list in which they were looked at.")
@click.option("--remove", is_flag=True, help="Take the labels of the objects away; no CLASS.")
@click.option("--import", "source", metavar="FILE", help="Take the labels of a CSV file.")
@click.option("--csv", "as_csv", is_flag=True, help="Print all labels as CSV, as --import reads.")
@click.option("--json", "as_json", is_flag=True, help="Print all labels as JSON.")
@click.pass_context
def command(
    ctx: click.Context,
    run: str,
    words: tuple[str, ...],
    file: str | None,
    listed: str | None,
    remove: bool,
    source: str | None,
    as_csv: bool,
    as_json: bool,
) -> None:
    """Label objects of RUN with a CLASS; without CLASS and ID say what labels there are.

    Labels belong to the survey: every run on it, made before or after, shows them. CLASS has
    letters, digits, hyphens and underscores. An ID may be a negative number. FILE of --import has
    the columns object_id and class, and may have ra, dec, time, who, run, list and rank.
    """
    for word in words:
        if word.startswith("--"):  # ids may start with one hyphen, so click lets all through
            raise click.NoSuchOption(word, ctx=ctx)
    # Imported here: the help text needs none of it.
    from fmb.messages.errors import ConfigError
    from fmb.runs.run import open_run

    opened = open_run(run)
    gives = bool(words or file or remove)
    if gives + (source is not None) + as_csv + as_json > 1:
        raise ConfigError("do one thing: label objects, --import, --csv or --json")
    if source is not None:
        _import(opened, Path(source))
    elif gives:
        name = "" if remove else words[0] if words else None
        ids = _ids(words if remove else words[1:], file)
        if name is None or not len(ids):
            raise ConfigError("name a CLASS and the objects: fmb label RUN CLASS ID, or --ids FILE")
        _label(opened, name, ids, listed)
    else:
        _print(opened, as_csv=as_csv, as_json=as_json)


def _ids(words: tuple[str, ...], file: str | None) -> "Array":
    """The ids that were typed and those of the file."""
    from fmb.files.ids import parse_ids, read_id_file, read_ids

    texts = list(words)
    if file is not None:
        listed = read_ids(sys.stdin.read(), "stdin") if file == "-" else read_id_file(Path(file))
        texts += listed.astype(str).tolist()
    return parse_ids(texts, "ids to label")


def _label(run: "Run", name: str, ids: "Array", words: str | None) -> None:
    from fmb.labels.occasion import slips
    from fmb.terminal.printing import say

    known = run.label_book.classes()
    n = run.label(ids, name, list=words)
    objects = "object" if n == 1 else "objects"
    if not name:
        click.echo(f"{n:,} {objects} labelled no more")
        if n < len(ids):
            say(f"note: {len(ids) - n:,} of those named had no label")
        return
    click.echo(f"{n:,} {objects} labelled {name}")
    for line in slips([name], known):
        say(f"note: {line}")


def _import(run: "Run", path: Path) -> None:
    from fmb.labels.csv_table import read_labels
    from fmb.labels.occasion import adopt, slips
    from fmb.terminal.printing import say

    known = run.label_book.classes()
    ids = run.objects["object_id"].to_numpy()
    events = read_labels(path, text_ids=ids.dtype.kind not in "iu")
    taken, outdated = adopt(run.looked_at(), events, str(path))
    click.echo(f"{taken:,} labels taken from {path}")
    if outdated:
        say(f"note: {outdated:,} of them do not hold: a label of the same object is later")
    for line in slips(sorted({event.name for event in events}), known):
        say(f"note: {line}")


def _print(run: "Run", *, as_csv: bool, as_json: bool) -> None:
    from collections import Counter

    from fmb.labels.csv_table import table_of
    from fmb.terminal.printing import echo_json, print_table, say

    labelled = run.labelled()
    events = list(labelled.held.values())
    if as_csv:
        click.echo(table_of(labelled), nl=False)
    elif as_json:
        echo_json([event.record() for event in events])
    else:
        counts = Counter(event.name for event in events)
        rows = [{"class": name, "objects": f"{n:,}"} for name, n in counts.most_common()]
        none = "no labels yet; give one with `fmb label RUN CLASS ID`"
        print_table(rows, none, more=f"fmb label {run.name} --json")
    for line in labelled.remarks():
        say(f"note: {line}")
