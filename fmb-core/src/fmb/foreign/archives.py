"""Zip files as `torch.save` writes them: looked through before anything in them is read."""

import struct
import zipfile
from pathlib import Path

from fmb.messages.errors import WeightsError

__all__ = ["check_archive"]

MOST_MEMBERS = 100_000


def check_archive(path: Path) -> None:
    """Refuse a zip file that is not whole or that `torch.save` did not write.

    Such a file has one folder, each member once, none compressed: nothing in it can grow, and no
    two readers see different ones.

    Raises:
        WeightsError: which of these it is.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, struct.error, ValueError, EOFError, NotImplementedError):
        raise WeightsError(f"{path}: cut short: the zip file has no end") from None
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror or error}") from None
    names = [member.filename for member in members]
    told = _problem(names)
    if not told and any(member.compress_type != zipfile.ZIP_STORED for member in members):
        told = "members of it are compressed"
    if not told and sum(member.file_size for member in members) > path.stat().st_size:
        told = "its members are larger than it is"
    if told:
        raise WeightsError(f"{path}: a zip file, but not one that torch.save wrote: {told}")


def _problem(names: list[str]) -> str:
    tops = {name.partition("/")[0] for name in names}
    if any(name.endswith("/constants.pkl") for name in names):
        return "it is a TorchScript program, not a checkpoint"
    if len(names) > MOST_MEMBERS:
        return f"{len(names):,} members"
    if len(set(names)) < len(names):
        return "a member stands there twice"
    if any(part in ("", ".", "..") or "\\" in part for n in names for part in n.split("/")):
        return "a member has a place outside of it"
    if len(tops) != 1 or f"{tops.pop()}/data.pkl" not in names:
        return "it has no data.pkl in one folder"
    return ""
