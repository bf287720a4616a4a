"""Who is shown what a repository offers, before and after it is fetched."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from fmb.weights.download import Offer

__all__ = ["Person"]


class Person:
    """Who looks at what a repository offers; with `accepting` nobody is asked."""

    def __init__(self, accepting: bool) -> None:
        self._accepting = accepting

    def consider(self, offer: "Offer") -> None:
        """Show commit, files and sizes; stop where nobody could be asked afterwards."""
        click.echo(f"hf:{offer.repo} at commit {offer.commit}", err=True)
        for name, size in offer.sizes.items():
            click.echo(f"  {size:>15,} bytes  {name}", err=True)
        if not (self._accepting or offer.locked or sys.stdin.isatty()):
            raise click.UsageError(
                "nobody is here to ask: look at the files above, then repeat with --accept"
            )

    def agrees(self, sha256: Mapping[str, str]) -> bool:
        """Show the digests of what came and ask."""
        for name, digest in sha256.items():
            click.echo(f"  sha256 {digest}  {name}", err=True)
        return self._accepting or click.confirm("use these files?", err=True)
