"""`fmb retrain`: train a model's weights on a survey."""

from pathlib import Path
from typing import Any

import click

from fmb.cli.options import training_options
from fmb.cli.terminal import progress_line

__all__ = ["command"]


@click.command(
    epilog="Example: fmb retrain astropt --data survey.toml --weights random --out my-weights"
)
@click.argument("model", metavar="MODEL")
@training_options
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
    # Imported here: the help text needs none of it.
    from fmb.cli.printing import print_weights
    from fmb.cli.terminal import echo_json, table_text
    from fmb.contract.errors import StoppedError
    from fmb.plan.make import make_plan
    from fmb.plan.options import options_request
    from fmb.plugins.loading import load_plugins
    from fmb.retraining import plan_retraining, retrain, training_cost
    from fmb.store.atomic import ensure_folder
    from fmb.store.workspace import workspace

    batch_size = options.pop("batch_size")
    settings = (f"train.batch_size={batch_size}",) if batch_size is not None else ()
    options |= {"model": (model,), "set": (*options["set"], *settings)}
    plan = make_plan(
        options_request(options),
        load_plugins().registry,
        ensure_folder(workspace()),
        detect=False,
        draw=False,
        train=True,
        progress=progress_line,
    )
    todo = plan_retraining(plan, out)
    if dry_run:
        cost = training_cost(todo)
        echo_json(cost) if as_json else click.echo(table_text([cost]))
        return
    try:
        card = retrain(todo, resume=resume, progress=progress_line)
    except KeyboardInterrupt:
        told = f"interrupted; {out} is kept: go on with the same command and --resume"
        raise StoppedError(told) from None
    if card is not None:
        print_weights(card, out, as_json=as_json)
