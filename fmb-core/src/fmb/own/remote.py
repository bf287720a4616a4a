"""Files of vectors from elsewhere: copied once into the workspace, from a URL."""

import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from fmb.files.endings import ending
from fmb.messages.errors import ConfigError, DataError, FailedError
from fmb.messages.progress import Progress
from fmb.store.atomic import ensure_folder, publish
from fmb.store.keys import content_key
from fmb.vectors.found import found_files, is_pattern

__all__ = ["local_files"]

_PART_BYTES = 1 << 20
_SECONDS = 60.0
"""After which a server that says nothing is given up."""


def local_files(text: str, suffixes: Sequence[str], copies: Path, told: Progress) -> list[Path]:
    """The files that a path, a folder, a pattern or a URL names; those of a URL as copies.

    Args:
        text: as typed; `file://`, `http://` and `https://`, and whatever fsspec knows (`s3://`,
            `hf://`, `gs://` ...), where folders and patterns work too.
        suffixes: endings of files of vectors.
        copies: folder for copies; a file that is as it was is not copied again.
        told: how far a copy is.

    Raises:
        DataError: there is no such file.
        ConfigError: what opens such URLs is not installed.
        FailedError: the network or the disk fails.
    """
    scheme, _, rest = text.partition("://")
    if not rest:
        return found_files(text, suffixes)
    if scheme == "file":
        return found_files(unquote(rest), suffixes)
    if scheme in ("http", "https"):
        return [_from_web(text, copies, told)]
    return _from_fsspec(text, suffixes, copies, told)


def _from_web(url: str, copies: Path, told: Progress) -> Path:
    name = Path(unquote(urlsplit(url).path)).name
    if not name:
        raise DataError(f"{url}: names no file; of the web, name files one by one")
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS) as answer:
            size = int(answer.headers.get("Content-Length") or 0)
            told_of = [answer.headers.get(head) for head in ("ETag", "Last-Modified")]
            target = copies / content_key([url, size, told_of])[:12] / name
            if not any(told_of):
                target.unlink(missing_ok=True)  # it may have changed, and nobody says so
            return _copied(answer, size, target, told)
    except urllib.error.HTTPError as error:
        raise DataError(f"{url}: {error.code} {error.reason}") from None
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise FailedError(f"{url}: cannot be reached: {reason}; try again with network") from None


def _from_fsspec(url: str, suffixes: Sequence[str], copies: Path, told: Progress) -> list[Path]:
    try:
        import fsspec  # imported here: only such URLs need it
    except ModuleNotFoundError:
        raise ConfigError(f"{url}: needs fsspec: pip install 'fmb-core[remote]'") from None
    try:
        system, path = fsspec.core.url_to_fs(url)
        names = _listed(system, path, suffixes)
        made = []
        for name in names:
            size = int(system.info(name).get("size") or 0)
            key = content_key([url.partition("://")[0], name, system.ukey(name)])[:12]
            with system.open(name, "rb") as stream:
                made.append(_copied(stream, size, copies / key / Path(name).name, told))
    except (ImportError, ValueError) as error:  # no such protocol, or what it needs is missing
        raise ConfigError(f"{url}: {' '.join(str(error).split())[:150]}") from None
    except (FailedError, DataError):
        raise
    except Exception as error:  # each file system raises what its own library does
        reason = " ".join(str(error).split())[:150] or type(error).__name__
        raise FailedError(f"{url}: cannot be read: {reason}") from error
    if not made:
        raise DataError(f"{url}: no file of vectors there")
    return made


def _listed(system: Any, path: str, suffixes: Sequence[str]) -> list[str]:
    """Names of the files that a pattern, a folder or a name stands for."""
    if is_pattern(path):
        return sorted(system.glob(path))
    if not system.isdir(path):
        return [path]
    below = [name for name in sorted(system.find(path)) if ending(name) in suffixes]
    inside = [(name, name[len(path) :].strip("/").split("/")) for name in below]
    return [name for name, parts in inside if not any(p.startswith(("_", ".")) for p in parts)]


def _copied(stream: IO[bytes], size: int, target: Path, told: Progress) -> Path:
    """A copy of a stream of `size` bytes (0 = unknown), made unless it is there.

    Raises:
        FailedError: the disk has no space, or the stream ends too early.
    """
    if target.is_file():
        return target
    if size > (free := shutil.disk_usage(ensure_folder(target.parent)).free):
        raise FailedError(
            f"{target.name} has {size / 1e9:,.1f} GB and {target.parent} {free / 1e9:,.1f} GB left;"
            " choose another workspace with FMB_HOME"
        )
    publish(target, _parts(stream, size, target.name, told))
    return target


def _parts(stream: IO[bytes], size: int, name: str, told: Progress) -> Iterator[bytes]:
    done = 0
    while part := stream.read(_PART_BYTES):
        done += len(part)
        told(f"copy {name}", min(done, size), size or 1)
        yield part
    if done < size:
        raise FailedError(f"{name}: {done:,} of {size:,} bytes came; try again")
