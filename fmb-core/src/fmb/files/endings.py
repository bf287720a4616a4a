"""Endings of file names, which say of which format a file is."""

from pathlib import PurePath

__all__ = ["ending"]


def ending(path: PurePath | str) -> str:
    """The ending of a name in lower case, with that before `.gz`: ".csv.gz"."""
    suffixes = PurePath(str(path).lower()).suffixes
    return "".join(suffixes[-2:] if suffixes[-1:] == [".gz"] else suffixes[-1:])
