"""What a file is, as far as its first bytes tell: for people who gave the wrong one."""

from pathlib import Path

from fmb.messages.errors import WeightsError

__all__ = ["NO_KIND", "OLD_TORCH", "SAFETENSORS", "ZIP", "kind_of"]

NO_KIND, ZIP, SAFETENSORS = "something else", "a zip file", "a safetensors file"
OLD_TORCH = "a checkpoint as torch wrote before 1.6"

_BEGINNINGS = {
    b"": "an empty file",
    # The number that torch's old format begins with, as pickle protocol 2 writes it.
    b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.": OLD_TORCH,
    b"PK\x03\x04": ZIP,
    b"version https://git-lfs": "a Git LFS pointer, not the file: `git lfs pull` fetches that",
    b"<!doctype": "a web page: the download went wrong or wanted a login",
    b"<html": "a web page: the download went wrong or wanted a login",
    b"\x1f\x8b": "a gzip file: unpack it first",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a NumPy array",
    b"GGUF": "a GGUF file",
}
_HEAD = 512
_TAR = slice(257, 262)


def kind_of(path: Path) -> str:
    """What a regular file is, in words that go after "this is"; `NO_KIND` where nothing tells.

    Raises:
        WeightsError: it is missing, cannot be read or is no regular file.
    """
    if path.exists() and not path.is_file():
        raise WeightsError(f"{path}: not a regular file")
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror or error}") from None
    if head[_TAR] == b"ustar":
        return "a tar file, as torch wrote before 0.2, or an archive to be unpacked first"
    for beginning, kind in _BEGINNINGS.items():
        if head == beginning or (beginning and head.lower().startswith(beginning.lower())):
            return kind
    return SAFETENSORS if head[8:9] == b"{" and head[7:8] == b"\0" else NO_KIND
