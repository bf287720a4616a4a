"""`fmb data index TREE`: the description that a reader of raw data makes, for editing."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fmb import ConfigError, FailedError, InputInfo
from fmb.datasets import open_dataset
from fmb_surveys.data_settings import data_settings
from fmb_surveys.files.reader import open_survey
from fmb_surveys.files.survey_toml import FILE_NAME, Survey, read_survey, write_survey_file

__all__ = ["describe_tree"]

_OF_FILES = ("catalog", "id_column", "images", "spectra")


def describe_tree(
    source: str, out: Path, options: Mapping[str, Any]
) -> tuple[int, Mapping[str, InputInfo]]:
    """Write what a reader understands of a tree as a survey.toml, with its tables beside it.

    Args:
        source: path of the tree.
        out: the survey.toml to write; its tables begin with the same name.
        options: those of `fmb data index`, by name.

    Returns:
        How many objects there are, and the inputs of the survey.

    Raises:
        FmbError: options of single files are given too, no reader takes the tree, it does not tell
            what is needed, or the files cannot be written.
    """
    if both := [name for name in _OF_FILES if options[name]]:
        flag = "--id" if both[0] == "id_column" else f"--{both[0]}"
        raise ConfigError(f"fmb data index: give {source} or {flag}, not both")
    said = data_settings(options["settings"])
    if options["name"]:
        said["name"] = options["name"]
    with tempfile.TemporaryDirectory() as kept:
        cache = Path(kept) / "data"
        open_dataset(source, reader=options["reader"], settings=said, cache=cache)
        made = [*cache.glob(f"described/*/{FILE_NAME}")]
        if not made:
            raise ConfigError(f"{source}: nothing to write: it is a survey, not a tree of raw data")
        return _keep(made[0].parent, out)


def _keep(folder: Path, out: Path) -> tuple[int, Mapping[str, InputInfo]]:
    """Copy a description beside `out`, once it can be opened there."""
    tables = [path for path in folder.iterdir() if path.name != FILE_NAME]
    trials = {path.name: out.with_name(f".{out.stem}.{os.getpid()}.{path.name}") for path in tables}
    places = {path.name: out.with_name(f"{out.stem}.{path.name}") for path in tables}
    survey = read_survey(folder / FILE_NAME)
    try:
        for path in tables:
            trials[path.name].write_bytes(path.read_bytes())
        dataset = open_survey(_renamed(survey, trials), out)
        # The survey first: where the disk is full, all files stay as they were.
        write_survey_file(out, _renamed(survey, places))
        for name, trial in trials.items():
            os.replace(trial, places[name])
    except OSError as error:
        raise FailedError(f"{out}: cannot be written: {error.strerror}") from None
    finally:
        for trial in trials.values():
            trial.unlink(missing_ok=True)
    return len(dataset), dataset.inputs


def _renamed(survey: Survey, places: Mapping[str, Path]) -> Survey:
    def place(file: str) -> str:
        return places[file].name if file in places else file

    catalog = survey.catalog.model_copy(update={"file": place(survey.catalog.file)})
    inputs = {
        name: source.model_copy(update={"file": place(source.file), "files": place(source.files)})
        for name, source in survey.inputs.items()
    }
    return survey.model_copy(update={"catalog": catalog, "inputs": inputs})
