"""Text files of users: read whole, in UTF-8, from what can be read again."""

from pathlib import Path

from fmb.messages.errors import DataError

__all__ = ["read_text"]


def read_text(path: Path, what: str) -> str:
    """The text of a regular file, without the mark that may begin it.

    Args:
        path: of the file.
        what: it holds, for messages: "list of ids".

    Raises:
        DataError: it is missing, no regular file (a pipe could be waited for for ever), unreadable
            or no text.
    """
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise DataError(f"{path}: {what} cannot be read: not a regular file; write it to one")
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise DataError(f"{path}: {what} cannot be read: {reason}") from None
