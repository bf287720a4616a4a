"""Files by path or URL: opened for reading some of their bytes."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from fmb import ConfigError, DataError, FailedError, FmbError

__all__ = ["file_system", "is_url", "opened", "reading", "visible"]

_DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    RuntimeError,
    OverflowError,
    MemoryError,
)
"""What pyarrow and numpy raise for damaged bytes."""


def is_url(place: str) -> bool:
    """True for what is not on this machine."""
    return "://" in place


def file_system(url: str) -> tuple[Any, str]:
    """What reads such URLs, and the path in it.

    Raises:
        ConfigError: it is not installed, or nothing knows such URLs.
    """
    try:
        # Imported here: only URLs need it.
        import fsspec

        system, path = fsspec.core.url_to_fs(url)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"{url}: needs {error.name or 'fsspec'}: pip install 'fmb-surveys[remote]'"
        ) from None
    except (ImportError, ValueError) as error:  # no such protocol, or what it needs is missing
        reason = " ".join(str(error).split())[:150]
        raise ConfigError(f"{url}: {reason}: pip install 'fmb-surveys[remote]'") from None
    return system, path


@contextmanager
def reading(place: str) -> Iterator[None]:
    """Says of what a library raises in this block that the file is damaged, or out of reach.

    Raises:
        DataError: there is no such file, it may not be read, or is damaged.
        FailedError: the network fails.
    """
    try:
        yield
    except FmbError:
        raise
    except FileNotFoundError:
        raise DataError(f"{place}: no such file or folder") from None
    except PermissionError:
        raise DataError(f"{place}: cannot be read: permission denied") from None
    except Exception as error:  # each file system raises what its own library does
        reason = " ".join(str(error).split())[:150] or type(error).__name__
        if is_url(place) and not isinstance(error, _invalid()):
            raise FailedError(
                f"{place}: cannot be reached: {reason}; try again with network"
            ) from error
        if isinstance(error, _DAMAGE):
            raise DataError(f"{place} is damaged: {reason}") from None
        raise


def _invalid() -> type[Exception]:
    import pyarrow as pa

    kind: type[Exception] = pa.ArrowInvalid
    return kind


@contextmanager
def opened(place: str) -> Iterator[IO[bytes]]:
    """A file of this machine or of a URL, of which only what is asked for is read.

    Raises:
        DataError: it is not there, may not be read, or is damaged, by what is done in the block.
        FailedError: the network fails.
        ConfigError: what reads such URLs is not installed.
    """
    with reading(place), ExitStack() as stack:
        if is_url(place):
            system, path = file_system(place)
            # No block around what is asked for: a footer is not five megabytes.
            stream = system.open(path, "rb", cache_type="none")
        else:
            stream = open(place, "rb")  # noqa: SIM115 - the stack closes it
        yield stack.enter_context(stream)


def visible(folder: Path, *patterns: str) -> Iterator[Path]:
    """What is below a folder and fits a pattern of `glob`, in no order.

    Names that begin with "." are no data, and neither is what is in such folders.
    """
    for pattern in patterns:
        for path in folder.glob(pattern):
            if not any(part.startswith(".") for part in path.relative_to(folder).parts):
                yield path
