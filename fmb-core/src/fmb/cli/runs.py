"""`fmb runs`: what was run."""

import click

__all__ = ["command"]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:
    """List runs, oldest first, finished or not."""
    # Imported here: the help text needs none of it.
    from fmb.cli.terminal import echo_json, table_text
    from fmb.contract.config import read_toml
    from fmb.runs.folder import list_runs
    from fmb.store.atomic import read_json

    rows = []
    for folder in list_runs():
        request = read_toml(folder.request)
        manifest = read_json(folder.manifest) if folder.finished else {}
        rows.append(
            {
                "run": folder.name,
                "state": "finished" if folder.finished else "unfinished",
                "data": request.get("embeddings", request["data"]).get("source", "own vectors"),
                "models": " ".join(request.get("model", {})),
                "detectors": " ".join(request.get("detector", {})),
                "seconds": f"{sum(manifest.get('seconds', {}).values()):.0f}" if manifest else "",
            }
        )
    if as_json:
        echo_json(rows)
    else:
        click.echo(table_text(rows) or "no runs yet; make one with `fmb run`")
