"""The options that describe a run, shared by the commands that make one."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

__all__ = ["request_options", "training_options"]

F = TypeVar("F", bound=Callable[..., Any])

_INPUT = [
    click.option(
        "--input",
        multiple=True,
        metavar="[LABEL.]SLOT=INSTRUMENT",
        help="Which instrument feeds which input, where two would fit.",
    ),
    click.option(
        "--allow-out-of-domain", is_flag=True, help="Use data unlike those of the training."
    ),
]
_MODEL = [
    click.option("--model", multiple=True, metavar="[LABEL=]NAME", help="Model; repeatable."),
    click.option(
        "--weights",
        multiple=True,
        metavar="[LABEL=]REF",
        help="Weights: a name the model declares, a folder, a checkpoint file or hf:REPO@REV.",
    ),
    click.option("--view", multiple=True, metavar="[LABEL=]VIEW", help="View; repeatable."),
    click.option(
        "--embedder", multiple=True, metavar="[LABEL=]NAME", help="How tokens become a vector."
    ),
    *_INPUT,
]
_BASE = [
    click.option(
        "--weights",
        required=True,
        metavar="REF",
        help="Weights to start from; `random` starts from scratch.",
    ),
    *_INPUT,
]
_DATA = [
    click.option("--data", metavar="PATH|NAME", help="survey.toml or a dataset's name [demo]."),
    click.option("--reader", metavar="NAME", help="Reader, where two would do."),
    click.option("--where", metavar="EXPR", help='Selection, as "mag_r < 22 and zwarn == 0".'),
    click.option("--limit", type=int, metavar="N", help="N objects, drawn by id."),
    click.option("--exclude", metavar="FILE", help="Leave out the ids in FILE, one a line."),
]
_COMPUTE = [
    click.option("--batch-size", type=int, metavar="N", help="Objects a forward pass [64]."),
    click.option("--workers", type=int, metavar="N", help="Reading processes [0]."),
    click.option("--device", metavar="auto|cpu|cuda", help="Where networks run [auto]."),
    click.option("--precision", metavar="float32|bf16|fp16", help="Of the networks [float32]."),
    click.option("--seed", type=int, metavar="N", help="Of everything drawn [0]."),
]
_DETECT = [
    click.option("--detector", multiple=True, metavar="[LABEL=]NAME", help="Detector; repeatable."),
    click.option("--fit", metavar="cross-fit|in-sample", help="How detectors are fitted."),
    click.option("--folds", type=int, metavar="K", help="Folds of the cross-fit [5]."),
    click.option("--fold-by", metavar="group|sky", help="What a fold is made of [group]."),
    click.option(
        "--reference",
        metavar="WHERE|FILE|RUN",
        help="Objects asserted to be ordinary; gives p and q values.",
    ),
    click.option("--embeddings", metavar="FILE", help="Vectors of your own, instead of a model."),
    click.option("--ids", metavar="NAME|FILE", help="Ids of --embeddings [object_id]."),
    click.option("--catalog", metavar="FILE", help="Catalogue of --embeddings."),
    click.option("--catalog-id", metavar="NAME", help="Id column of --catalog [object_id]."),
    click.option("--out", metavar="NAME", help="Name of the run."),
    click.option("--resume", is_flag=True, help="Go on with the run named by --out."),
]
_PLOT = [
    click.option("--plot", multiple=True, metavar="[LABEL=]NAME", help="Figure; repeatable."),
    click.option(
        "--top", type=int, metavar="K", help="Objects of each list kept with cutouts [12]."
    ),
]
_CONFIG = [
    click.option(
        "--set", multiple=True, metavar="KEY=VALUE", help="Any setting: detector.flow.epochs=50."
    ),
    click.option("--config", type=click.Path(), metavar="FILE", help="A TOML file of settings."),
]


def request_options(*, detect: bool, plot: bool) -> Callable[[F], F]:
    """The options of a command that embeds, and detects or plots when told."""
    chosen = _MODEL + _DATA + (_DETECT if detect else []) + (_PLOT if plot else [])

    def decorate(function: F) -> F:
        for option in reversed(chosen + _COMPUTE + _CONFIG):
            function = option(function)
        return function

    return decorate


def training_options(function: F) -> F:
    """The options of a command that trains one model."""
    batch = click.option("--batch-size", type=int, metavar="N", help="Objects an update.")
    for option in reversed([*_BASE, *_DATA, batch, *_COMPUTE[1:], *_CONFIG]):
        function = option(function)
    return function
