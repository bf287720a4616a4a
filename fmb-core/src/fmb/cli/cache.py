"""`fmb cache`: stored vectors."""

import click

__all__ = ["command"]


@click.group()
def command() -> None:
    """List, check and remove stored vectors."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_cache(as_json: bool) -> None:
    """List the stored vectors of the workspace."""
    from fmb.cli.terminal import echo_json, table_text
    from fmb.store.cache import stored

    rows = [
        {"folder": s.name, "vectors": s.vectors, "parts": s.parts, "bytes": s.bytes}
        for s in stored()
    ]
    if as_json:
        echo_json(rows)
    else:
        click.echo(table_text(rows) or "nothing stored yet")


@command.command("verify")
def verify_cache() -> None:
    """Check every stored part against its digest."""
    from fmb.contract.errors import FailedError
    from fmb.store.cache import stored

    bad = [path for s in stored() for path in s.store.damaged()]
    for path in bad:
        click.echo(f"damaged: {path}")
    if bad:
        raise FailedError(f"{len(bad)} parts are damaged; remove them with `fmb cache remove`")
    click.echo("all parts are whole")


@command.command("remove")
@click.argument("folders", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Remove all stored vectors.")
def remove_cache(folders: tuple[str, ...], everything: bool) -> None:
    """Remove the vectors in FOLDERS, as `fmb cache list` names them."""
    from fmb.store.cache import remove, stored

    if not folders and not everything:
        raise click.UsageError("name folders, or --all")
    names = [s.name for s in stored()] if everything else list(folders)
    for name in names:
        click.echo(f"removed {remove(name)}")
