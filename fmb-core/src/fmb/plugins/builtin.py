"""The core's own components, declared through the same hooks as everybody's."""

from collections.abc import Iterator

from fmb.contract.command import CommandSpec
from fmb.contract.embedder import EmbedderSpec
from fmb.contract.engine import EngineSpec
from fmb.contract.hooks import hookimpl

FMB_API = 1


@hookimpl
def fmb_register_embedders() -> Iterator[EmbedderSpec]:
    """The reductions that fit any model."""
    for name, summary, config in (
        ("mean", "Mean over the tokens", "fmb:Config"),
        ("last", "The last token, which has seen all others", "fmb:Config"),
        (
            "tails",
            "Means of the largest and of the smallest tokens",
            "fmb.torch.config:TailsConfig",
        ),
        ("native", "The one vector that the model gives", "fmb:Config"),
    ):
        yield EmbedderSpec(
            name=name,
            summary=summary,
            target=f"fmb.torch.embedders:{name.title()}",
            config=config,
            requires=("torch",),
            extra="torch",
        )


@hookimpl
def fmb_register_engines() -> Iterator[EngineSpec]:
    """Processes of this machine."""
    yield EngineSpec(
        name="local",
        summary="Processes of this machine",
        target="fmb.steps.local_engine:LocalEngine",
        config="fmb.steps.local_engine:LocalEngineConfig",
    )


@hookimpl
def fmb_register_commands() -> Iterator[CommandSpec]:
    """The core's commands, in the order in which help lists them."""
    for name, summary, aliases in (
        ("run", "Embed, detect and plot: the whole way in one command.", ()),
        ("embed", "Turn a survey into vectors, resuming where it stopped.", ()),
        ("detect", "Score a survey, or vectors of your own, without figures.", ()),
        ("analyze", "Make tables from a finished run, or from several.", ()),
        ("plot", "Draw figures of a finished run again.", ("viz",)),
        ("top", "List the strangest objects of a run.", ()),
        ("object", "Show one object of a run in every list.", ()),
        ("label", "Say what objects are, for every run on their survey.", ()),
        ("runs", "List runs.", ()),
        ("cache", "List, check and remove stored vectors.", ()),
        ("embeddings", "Export, check and merge stored vectors.", ()),
        ("data", "Describe and check survey data.", ()),
        ("weights", "List, download, verify and convert model weights.", ()),
        ("plugins", "List what is installed and what is broken.", ()),
        ("config", "Show the resolved configuration.", ()),
        ("paths", "Show where things are kept.", ()),
    ):
        yield CommandSpec(
            name=name, summary=summary, target=f"fmb.commands.{name}:command", aliases=aliases
        )
    for name, summary in (
        ("show", "Say what a survey holds."),
        ("validate", "Read a survey and name what is wrong with it."),
        ("download", "Download a data set of the Hugging Face hub and lock it."),
    ):
        yield CommandSpec(
            name=name, group="data", summary=summary, target=f"fmb.data_commands.{name}:{name}"
        )
