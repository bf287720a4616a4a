"""How commands on survey data name and open it; nothing is planned."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fmb.terminal.printing import progress_line
from fmb.terminal.progress import stage

if TYPE_CHECKING:
    from fmb.contract.dataset import Dataset

__all__ = ["open_source", "reader_option", "set_option"]

reader_option = click.option("--reader", metavar="NAME", help="Reader, where two would do.")
set_option = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="data.KEY=VALUE",
    help="What the files do not say, or an option of the dataset; repeatable.",
)

CHOICES = ("where", "limit", "include", "exclude", "split")
"""Keys of `[data]` that choose objects; commands here take all of them."""


def open_source(
    source: str,
    reader: str | None,
    settings: Sequence[str],
    *,
    skip_bad: bool = False,
    also: Sequence[str] = (),
) -> "Dataset":
    """The dataset that a command on survey data names, opened as a run opens it.

    Args:
        source: a path or the name of a dataset.
        reader: as `--reader` names it.
        settings: texts of `--set`.
        skip_bad: leave out objects whose file is broken.
        also: tables that a setting may be of besides `data`, which others read.

    Raises:
        ConfigError: a setting is of something else, or chooses objects, which is not done here.
        FmbError: nothing opens the data, or they are wrong.
    """
    with stage(progress_line, f"read {Path(source).name}"):
        # Imported here: the help text needs none of it.
        from fmb.datasets.opening import open_dataset
        from fmb.messages.errors import ConfigError
        from fmb.request.options import options_request
        from fmb.store.workspace import workspace

        for text in settings:
            table, _, key = text.partition("=")[0].strip().partition(".")
            if table not in ("data", *also) or (table == "data" and key in CHOICES):
                raise ConfigError(f"--set {text}: write data.KEY=VALUE, as of [data.inputs.NAME]")
        asked = {"data": source, "reader": reader, "set": settings, "skip_bad": skip_bad}
        data = options_request(asked).data
        return open_dataset(
            str(data.source),
            reader=data.reader,
            settings=data.settings,
            cache=workspace() / "data",
            progress=lambda done, total: progress_line(f"make {source}", done, total),
        )
