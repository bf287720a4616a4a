"""Which files are meant by what a user names: a file, a folder of them, or a pattern."""

import glob
from collections.abc import Collection
from pathlib import Path

from fmb.files.endings import ending
from fmb.messages.errors import DataError

__all__ = ["found_files", "is_pattern"]


def is_pattern(text: str) -> bool:
    """True when it stands for several names."""
    return any(sign in text for sign in "*?[")


def found_files(text: str, suffixes: Collection[str]) -> list[Path]:
    """The files that a path, a folder or a pattern names, in the order of their names.

    In a folder: all below it with one of the endings, but for names that begin with `_` or `.`,
    as those do that describe the others.

    Raises:
        DataError: there is none, or a folder has files of several endings.
    """
    path = Path(text).expanduser()
    if path.is_dir():
        below = sorted(p for p in path.rglob("*") if ending(p) in suffixes)
        files = [p for p in below if _counts(p.relative_to(path)) and p.is_file()]
    elif is_pattern(text) and not path.exists():
        files = sorted(Path(p) for p in glob.glob(str(path), recursive=True) if Path(p).is_file())
    else:
        files = [path] if path.is_file() else []
    if not files:
        what = ": no such file" if not (path.is_dir() or is_pattern(text)) else ""
        raise DataError(f"{path}{what}" if what else f"{path}: no file of vectors there")
    kinds = sorted({ending(p) for p in files})
    if len(kinds) > 1:
        raise DataError(f"{path}: files of {' and '.join(kinds)}; name one kind, as '*{kinds[0]}'")
    return files


def _counts(path: Path) -> bool:
    return not any(part.startswith(("_", ".")) for part in path.parts)
