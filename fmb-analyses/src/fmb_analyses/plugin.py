"""Declares the command that measures lists against what is known."""

from collections.abc import Iterator

from fmb import CommandSpec, hookimpl

FMB_API = 1


@hookimpl
def fmb_register_commands() -> Iterator[CommandSpec]:
    """How well lists find what is known."""
    yield CommandSpec(
        name="evaluate",
        summary="Measure how well lists find known objects.",
        target="fmb_analyses.evaluate.command:command",
    )
