"""What libraries make of bytes that are not what a file should hold, told in one line."""

import struct
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fmb.messages.errors import DataError

__all__ = ["DAMAGE", "quiet_fits", "reason", "undamaged"]

DAMAGE = (
    OSError, EOFError, ValueError, TypeError, LookupError, RuntimeError, OverflowError, MemoryError,
    SyntaxError, tokenize.TokenError, zipfile.BadZipFile, zlib.error, struct.error,
)  # fmt: skip
"""Errors of h5py, pyarrow, astropy, numpy and zipfile for damaged bytes, as they were met."""


def reason(error: BaseException) -> str:
    """An error of a library in a line that is not too long."""
    return " ".join(str(error).split())[:200] or type(error).__name__


@contextmanager
def undamaged(where: str) -> Iterator[None]:
    """Says of what a library makes of damaged bytes, in this block, that they are damaged.

    Raises:
        DataError: the library fails.
    """
    try:
        yield
    except DAMAGE as error:
        raise DataError(f"{where} is damaged: {reason(error)}") from None


@contextmanager
def quiet_fits(path: Path) -> Iterator[None]:
    """Keeps astropy's warnings inside: of units and dates none is told, a cut is an error.

    Raises:
        DataError: the file is cut short.
        ValueError: its header is damaged.
    """
    from astropy.io.fits.verify import VerifyError

    with warnings.catch_warnings(record=True) as doubts:
        warnings.simplefilter("always")
        try:
            yield
        except (VerifyError, UnboundLocalError) as error:  # the latter is a slip of astropy
            raise ValueError(str(error)) from None
    if any("truncated" in str(doubt.message) for doubt in doubts):
        raise DataError(f"{path}: the FITS file is cut short; copy it again")
