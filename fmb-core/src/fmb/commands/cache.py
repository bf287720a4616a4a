"""`fmb cache`: what is kept so that it need not be made again."""

import click

from fmb.terminal.question import confirmed, yes_option

__all__ = ["command"]

ASKED = 2
"""Names that a question tells one by one."""


@click.group(invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """List, check and remove what is kept between runs."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_cache)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_cache(as_json: bool = False) -> None:
    """List vectors, lists, figures, simulated surveys, weights and leftovers of killed work."""
    from fmb.cache.holdings import bytes_of, holdings
    from fmb.store.workspace import workspace
    from fmb.terminal.printing import echo_json, print_table
    from fmb.terminal.tables import size_text

    kept = holdings()
    if as_json:
        echo_json(
            [
                {
                    "kind": one.kind,
                    "name": one.name,
                    "about": one.about,
                    "bytes": one.bytes,
                    "used_by": list(one.used_by),
                    "paths": [str(path) for path in one.paths],
                }
                for one in kept
            ]
        )
        return
    rows = [
        {
            "kind": one.kind,
            "size": size_text(one.bytes),
            "name": one.name,
            "about": one.about,
            "runs": len(one.used_by) or "",
        }
        for one in kept
    ]
    print_table(rows, "nothing is kept yet", more="fmb cache list --json", keep=3, prose="about")
    if kept:
        click.echo(f"{size_text(bytes_of([workspace()]))} in {workspace()}, runs included")


@command.command("verify")
def verify_cache() -> None:
    """Check every stored part against its digest."""
    from fmb.cache.holdings import damaged
    from fmb.messages.errors import FailedError

    bad = damaged()
    for path in bad:
        click.echo(f"damaged: {path}")
    if bad:
        raise FailedError(f"{len(bad)} parts are damaged; remove them with `fmb cache remove`")
    click.echo("all parts are whole")


@command.command("remove")
@click.argument("names", nargs=-1, metavar="NAME...")
@click.option("--unused", is_flag=True, help="All that no run reads: a question of disk only.")
@click.option("--all", "everything", is_flag=True, help="All but weights.")
@yes_option
def remove_cache(names: tuple[str, ...], unused: bool, everything: bool, yes: bool) -> None:
    """Remove what `fmb cache` lists: by NAME, by survey or by kind (lists).

    Runs stay, with their lists, figures and the vectors of the objects they show.
    """
    from fmb.cache.holdings import bytes_of, holdings, remove, select_holdings
    from fmb.terminal.tables import size_text

    if not names and not everything and not unused:
        raise click.UsageError("name what to remove, or --unused, or --all")
    chosen = [one for one in holdings() if one.removable] if everything or unused else []
    if unused:
        chosen = [one for one in chosen if not one.used_by]
    chosen += select_holdings(names)
    if not chosen:
        click.echo("nothing to remove")
        return
    size = size_text(bytes_of(path for one in chosen for path in one.paths))
    users = sorted({run for one in chosen for run in one.used_by})
    read = f", read by {', '.join(users)}" if users else ""
    listed = [one.name for one in chosen]
    what = " and ".join(listed) if len(listed) <= ASKED else f"{len(listed)} holdings"
    for one in chosen if not yes and len(chosen) > ASKED else ():
        click.echo(f"  {one.kind} {one.name}, {size_text(one.bytes)}", err=True)
    if confirmed(f"remove {what} ({size}{read})?", yes=yes):
        for one in chosen:
            remove(one)
            click.echo(f"removed {one.name}")
