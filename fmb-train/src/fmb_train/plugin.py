"""Declares the command that trains."""

from collections.abc import Iterator

from fmb import CommandSpec, hookimpl

FMB_API = 1


@hookimpl
def fmb_register_commands() -> Iterator[CommandSpec]:
    """Training of any model that says how."""
    yield CommandSpec(
        name="retrain",
        summary="Train a model's weights on a survey, resuming.",
        target="fmb_train.command:command",
        requires=("torch", "safetensors"),
    )
