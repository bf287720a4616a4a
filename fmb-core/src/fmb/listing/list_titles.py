"""Titles of lists side by side: what they are given once, and what measured roles are."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from fmb.contract.names import ListName
from fmb.measured.roles import MEASURED

__all__ = ["measured_lines", "titles"]

SAME = ("the same",)


def titles(names: Sequence[ListName]) -> dict[ListName, str]:
    """What lists are called one below the other: roles that the one before is given are not named.

    "... given magnitude, snr", and of the next one, "... given the same".
    """
    told: dict[ListName, str] = {}
    before: tuple[str, ...] = ()
    for name in names:
        same = bool(name.given) and name.given == before
        told[name] = str(replace(name, given=SAME) if same else name)
        before = name.given or before
    return told


def measured_lines(names: Sequence[ListName]) -> Iterator[str]:
    """What roles that were measured on inputs are, of those that lists are given: a line each."""
    for given in dict.fromkeys(role for name in names for role in name.given):
        role, _, instrument = given.partition("@")
        if instrument and role in MEASURED:
            yield f"{given} = {MEASURED[role]}; measured on {instrument}"
