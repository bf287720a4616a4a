"""The core's own components, declared through the same hooks as everybody's."""

from collections.abc import Iterator

from fmb.contract.dataset import DatasetSpec
from fmb.contract.embedder import EmbedderSpec
from fmb.contract.hooks import hookimpl

FMB_API = 1


@hookimpl
def fmb_register_datasets() -> Iterator[DatasetSpec]:
    """The simulated surveys and the HDF5 reader."""
    yield DatasetSpec(
        name="demo",
        summary="Simulated galaxies with planted anomalies, for looking",
        target="fmb.datasets.demo:open_demo",
        config="fmb.datasets.demo:DemoConfig",
    )
    yield DatasetSpec(
        name="demo-eval",
        summary="Simulated hosts and their changed copies, for numbers",
        target="fmb.datasets.demo:open_demo",
        config="fmb.datasets.demo:DemoEvalConfig",
    )
    yield DatasetSpec(
        name="hdf5",
        summary="HDF5 files described by a survey.toml",
        target="fmb.datasets.hdf5:open_hdf5",
        config="fmb.datasets.hdf5:HDF5Config",
        suffixes=(".toml",),
        markers=("survey.toml",),
    )


@hookimpl
def fmb_register_embedders() -> Iterator[EmbedderSpec]:
    """The reductions that fit any model."""
    for name, summary in (
        ("mean", "Mean over the tokens"),
        ("last", "The last token, which has seen all others"),
        ("tails", "Means of the largest and of the smallest tokens"),
        ("native", "The one vector that the model gives"),
    ):
        yield EmbedderSpec(
            name=name,
            summary=summary,
            target=f"fmb.torch.embedders:{name.title()}",
            config="fmb.contract.config:Config",
        )
