"""Where FMB keeps things: one workspace folder with data, weights, embeddings, figures and runs."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fmb.messages.errors import ConfigError

__all__ = ["check_current_folder", "check_text", "plain_names", "workspace"]

FOLDERS = ("data", "weights", "inputs", "embeddings", "lists", "figures", "runs", "labels")
"""What a workspace holds."""


def workspace() -> Path:
    """The folder named by FMB_HOME, else `fmb-runs` in the current folder.

    Raises:
        ConfigError: FMB_HOME can name no folder.
    """
    home = os.environ.get("FMB_HOME", "")
    if not home.strip():
        return Path("fmb-runs")
    check_text(home)
    try:
        folder = Path(home).expanduser()
    except RuntimeError:  # "~somebody"
        raise ConfigError(f"FMB_HOME is {home}: nobody here is called so") from None
    for part in (folder, *folder.parents):
        if os.path.exists(part) and not os.path.isdir(part):  # which raise nothing, as Path does
            raise ConfigError(f"FMB_HOME is {home}, but {part} is no folder: name another")
    return folder


def check_text(*names: str) -> None:
    """Refuse names that no library here takes, nor a table or a message holds as it is.

    That is one with bytes that are no letters, and every one beyond ASCII where Python takes names
    for something else than UTF-8, as libraries do.

    Raises:
        ConfigError: there is one.
    """
    code = sys.getfilesystemencoding()
    for name in names:
        if name.isascii() or (code == "utf-8" and not any("\ud800" <= c <= "\udfff" for c in name)):
            continue
        advice = "rename it" if code == "utf-8" else "set LC_ALL=C.UTF-8, and PYTHONUTF8 not to 0"
        shown = name.encode(errors="surrogateescape").decode(errors="backslashreplace")
        raise ConfigError(f"{shown!r} cannot be used where names are in {code}: {advice}")


@contextmanager
def plain_names() -> Iterator[None]:
    """What cannot be opened in the block for the letters of its name is refused by that name.

    Raises:
        ConfigError: see `check_text`.
    """
    try:
        yield
    except UnicodeEncodeError as error:
        check_text(error.object)
        raise


def check_current_folder() -> None:
    """Refuse to work in a folder that was deleted: paths lead nowhere, and libraries crash.

    Raises:
        ConfigError: the current one was.
    """
    try:
        os.getcwd()
    except FileNotFoundError:
        raise ConfigError("the current folder was deleted: go to one that is there") from None
