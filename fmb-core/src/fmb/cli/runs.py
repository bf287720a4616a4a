"""`fmb runs`: what was run."""

import click

__all__ = ["command"]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:
    """List runs, oldest first, finished or not."""
    # Imported here: the help text needs none of it.
    from fmb.cli.terminal import echo_json, table_text
    from fmb.plan.request import FORMAT
    from fmb.plugins.settings import read_toml
    from fmb.runs.folder import list_runs
    from fmb.store.atomic import read_json

    rows = []
    for folder in list_runs():
        request = read_toml(folder.request)
        current = request.get("format") == FORMAT
        manifest = read_json(folder.manifest) if folder.finished else {}
        state = "finished" if folder.finished else "unfinished"
        rows.append(
            {
                "run": folder.name,
                "state": state if current else f"{state}, by another version",
                "data": "own vectors"
                if "embeddings" in request
                else request.get("data", {}).get("source", ""),
                "models": " ".join(request.get("model", {})),
                "detectors": " ".join(request.get("detector", {})),
                "seconds": f"{sum(manifest.get('seconds', {}).values()):.0f}" if manifest else "",
            }
        )
    if as_json:
        echo_json(rows)
    else:
        click.echo(table_text(rows) or "no runs yet; make one with `fmb run`")
