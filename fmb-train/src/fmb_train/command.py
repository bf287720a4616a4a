"""`fmb retrain`: train a model's weights on a survey."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fmb.cli import click_option, request_options
from fmb.request import Option
from fmb.terminal import echo_json, print_table, progress_line, say, stage

if TYPE_CHECKING:
    from fmb.weights import Card

__all__ = ["command"]

_WEIGHTS = click.option(
    "--weights",
    required=True,
    metavar="REF",
    help="Weights to start from; `random` starts from scratch.",
)
_BATCH = Option("batch_size", "", "N", "Objects an update.", "train", whole=True)


@click.command(
    epilog="Example: fmb retrain MODEL --data survey.toml --weights random --out trained"
)
@click.argument("model", metavar="MODEL")
@_WEIGHTS
@request_options("input", "data")
@click_option(_BATCH)
@request_options("compute", "settings")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Where the weights go; `--weights FOLDER` takes them then.",
)
@click.option("--resume", is_flag=True, help="Go on with the training in FOLDER.")
@click.option("--dry-run", is_flag=True, help="Print the plan and its cost, then stop.")
@click.option("--json", "as_json", is_flag=True, help="Print the card as JSON.")
def command(
    model: str, out: Path, resume: bool, dry_run: bool, as_json: bool, **options: Any
) -> None:
    """Train MODEL on a survey, from given weights or from scratch, and write a weights folder.

    Settings of the training are keys of `train`, for instance --set train.epochs=20. The best
    weights on held-out objects are kept. Interrupted, it goes on with --resume.
    """
    with stage(progress_line, "start"):
        # Imported here: the help text needs none of it.
        from fmb import Session, StoppedError
        from fmb.request import options_request
        from fmb_train.retrain import plan_retraining, retrain, training_cost

    batch_size = options.pop("batch_size")
    settings = (f"train.batch_size={batch_size}",) if batch_size is not None else ()
    options |= {"model": (model,), "set": (*options["set"], *settings)}
    plan = Session.open(progress_line).plan(options_request(options), steps=("train",))
    todo = plan_retraining(plan, out)
    if dry_run:
        cost = training_cost(todo)
        if as_json:
            echo_json(cost)
        else:
            print_table([cost], "nothing to train", more="--json", keep=len(cost))
        return
    try:
        card = retrain(todo, resume=resume)
    except KeyboardInterrupt:
        told = f"interrupted; {out} is kept: go on with the same command and --resume"
        raise StoppedError(told) from None
    if card is not None:
        _print_weights(card, out, as_json=as_json)


def _print_weights(card: "Card", folder: Path, *, as_json: bool) -> None:
    """Print what came of a training and how to use it."""
    if as_json:
        echo_json({"folder": str(folder), **card.model_dump(mode="json")})
        return
    record = card.training or {}
    best, objects = record["best"], record["objects"]
    click.echo(
        f"{card.name}: {card.model} trained on {objects['training']:,} objects in"
        f" {record['seconds']:,.0f} s; validation loss {best['validation_loss']:.4g} in epoch"
        f" {best['epoch']:g}, on {objects['validation']:,} objects held out"
    )
    click.echo(f"history: {folder / 'training' / 'history.csv'}")
    click.echo(f"use:     fmb run --model {card.model} --weights {folder}")
    for why, count in record["unusable"].items():
        say(f"note: {count:,} training objects without {why}")
    for note in record["notes"]:
        say(f"note: {note}")
