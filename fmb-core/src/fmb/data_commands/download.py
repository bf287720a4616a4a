"""`fmb data download`: a data set of the Hugging Face hub, locked like weights."""

from pathlib import Path

import click

__all__ = ["download"]


@click.command("download")
@click.argument("reference", metavar="hf:OWNER/NAME[@REVISION]")
@click.option("-o", "--out", metavar="FOLDER", required=True, help="The folder to make.")
@click.option(
    "--only",
    multiple=True,
    metavar="PATTERN",
    help="Only files such as 'data/train-*'; repeatable.",
)
@click.option("--accept", is_flag=True, help="Accept what comes, without being asked.")
@click.option("--allow-moving-revision", is_flag=True, help="Take a branch where it is now.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def download(
    reference: str,
    out: str,
    only: tuple[str, ...],
    accept: bool,
    allow_moving_revision: bool,
    as_json: bool,
) -> None:
    """Download a data set of the Hugging Face hub into FOLDER and lock what it is.

    Commit, files and digests are shown; FOLDER appears once you accept them. From then on a branch
    means that commit, and nothing else is taken for it. Interrupted and repeated, it goes on.
    """
    # Imported here: the help text needs none of it.
    from dataclasses import replace

    from fmb.cli.download_person import Person
    from fmb.store.workspace import workspace
    from fmb.terminal.printing import echo_json, say
    from fmb.weights.download import download as fetch
    from fmb.weights.hub import HubReference

    folder = Path(out).expanduser()
    person = Person(accept)
    found = fetch(
        replace(HubReference.parse(reference), place=folder, only=only),
        workspace(),
        asked=reference,
        consider=person.consider,
        accept=person.agrees,
        allow_moving=allow_moving_revision,
    )
    if as_json:
        echo_json({"folder": str(folder), "origin": found.origin})
        return
    click.echo(str(folder))
    say(f"{found.origin} is locked; next: fmb data show {folder}")
