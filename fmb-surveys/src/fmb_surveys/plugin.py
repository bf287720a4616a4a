"""Declares the simulated surveys, the reader of HDF5 files and the commands on files."""

from collections.abc import Iterator

from fmb import CommandSpec, DatasetSpec, hookimpl

FMB_API = 1


@hookimpl
def fmb_register_datasets() -> Iterator[DatasetSpec]:
    """The simulated surveys and the HDF5 reader."""
    yield DatasetSpec(
        name="demo",
        summary="Simulated galaxies with planted anomalies, for looking",
        target="fmb_surveys.demo:open_demo",
        config="fmb_surveys.demo:DemoConfig",
        default=True,
        simulated=True,
    )
    yield DatasetSpec(
        name="demo-eval",
        summary="Simulated hosts and their changed copies, for numbers",
        target="fmb_surveys.demo:open_demo",
        config="fmb_surveys.demo:DemoEvalConfig",
        simulated=True,
    )
    yield DatasetSpec(
        name="hdf5",
        summary="Files described by a survey.toml",
        target="fmb_surveys.files.reader:open_survey_file",
        config="fmb_surveys.files.reader:FilesConfig",
        suffixes=(".toml",),
        markers=("survey.toml",),
        sniff="fmb_surveys.files.survey_toml:is_survey",
    )


@hookimpl
def fmb_register_commands() -> Iterator[CommandSpec]:
    """What makes a survey of files, and files of lists."""
    yield CommandSpec(
        name="index",
        group="data",
        summary="Write a survey.toml for a catalogue and its files.",
        target="fmb_surveys.index_command:command",
    )
    yield CommandSpec(
        name="export",
        summary="Write lists into a FITS, VOTable, Parquet or text file.",
        target="fmb_surveys.export.command:command",
    )
    yield CommandSpec(
        name="samp",
        summary="Show a list in TOPCAT or Aladin, and label there.",
        target="fmb_surveys.samp.command:command",
    )
    yield CommandSpec(
        name="inject",
        summary="Write a survey with anomalies in copies of its objects.",
        target="fmb_surveys.inject.command:command",
    )
