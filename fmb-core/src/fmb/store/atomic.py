"""Files and folders that appear whole or not at all."""

import contextlib
import errno
import json
import os
import secrets
import shutil
import socket
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from fmb.messages.errors import ConfigError, FailedError, FmbError, StoreError
from fmb.store.keys import canonical_json

__all__ = [
    "ensure_folder",
    "place",
    "publish",
    "publish_folder",
    "publish_json",
    "publish_new_json",
    "read_json",
    "read_record",
    "staged_folder",
    "sweep",
    "sync",
    "write_failure",
]

_STALE_SECONDS = 86400.0
_PART_BYTES = 1 << 20
"""Of a file that is copied, at a time."""


def publish(path: Path, body: bytes | Iterable[bytes]) -> None:
    """Write `body` to `path` so that a reader sees the old file or the whole new one.

    Args:
        path: in a folder that is there.
        body: the content, whole or in parts; parts are written as they come.

    Raises:
        FailedError: the disk is full or the folder cannot be written to; `path` is as before.
    """
    temporary = _beside(path)
    try:
        with temporary.open("xb") as stream:
            stream.writelines([body] if isinstance(body, bytes) else body)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
        sync(path.parent)
    except OSError as error:
        raise write_failure(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def place(kept: Path, target: Path) -> None:
    """Make `target` the file `kept`, which fills the disk once; a reader sees old or new, whole.

    It is copied where it cannot be linked: to another file system, or on one without links.

    Args:
        kept: a published file, which nobody writes to any more.
        target: in a folder that is there; replaced where it is another file.

    Raises:
        FailedError: the disk is full or the folder cannot be written to; `target` is as before.
    """
    temporary = _beside(target)
    try:
        try:
            os.link(kept, temporary)
        except OSError:
            with kept.open("rb") as stream:
                publish(target, iter(lambda: stream.read(_PART_BYTES), b""))
        else:
            temporary.replace(target)
            sync(target.parent)
    except OSError as error:
        raise write_failure(target, error) from error
    finally:
        with contextlib.suppress(OSError):  # replacing a file by its twin leaves both names
            temporary.unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    """A name in the same folder that no other process takes."""
    owner = f"{socket.gethostname()}.{os.getpid()}"
    return path.with_name(f".{path.name}.{owner}.{secrets.token_hex(4)}.tmp")


def write_failure(path: Path, error: OSError) -> FmbError:
    """What to tell where `path` could not be written."""
    if error.errno == errno.ENAMETOOLONG:
        name = max(Path(str(error.filename or path)).parts, key=len)
        return ConfigError(f"{name[:40]}...: longer than the name of a file can be")
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return FailedError(f"no space left for {path}; free some and repeat the command")
    return FailedError(f"cannot write {path}: {error.strerror or error}")


def sync(path: Path) -> None:
    """Return when a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def publish_json(path: Path, value: Any) -> None:
    """Publish `value` as indented JSON with sorted keys."""
    text = json.dumps(json.loads(canonical_json(value)), indent=1, sort_keys=True)
    publish(path, text.encode() + b"\n")


def publish_new_json(path: Path, value: Any) -> bool:
    """Publish `value` where nothing is yet; False where somebody was first, whose file stays."""
    ensure_folder(path.parent)
    staged = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    publish_json(staged, value)
    try:
        os.link(staged, path)  # one of two gets the name
    except FileExistsError:
        return False
    except OSError:  # a file system without links: the second of two replaces the first
        if path.exists():
            return False
        staged.replace(path)
    finally:
        staged.unlink(missing_ok=True)
    return True


def read_json(path: Path) -> Any:
    """The content of a JSON file this package wrote.

    Raises:
        StoreError: it is missing or damaged.
    """
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        raise StoreError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        raise StoreError(f"{path} is damaged ({error}); delete its folder and repeat") from None


def ensure_folder(folder: Path) -> Path:
    """`folder`, made if it is not there.

    Raises:
        FailedError: it cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FailedError(
            f"cannot make {folder}: {error.strerror}; choose another workspace with FMB_HOME"
        ) from None
    if not os.access(folder, os.W_OK):
        raise FailedError(
            f"no permission to write in {folder}; choose another workspace with FMB_HOME"
        )
    return folder


def read_record(path: Path) -> dict[str, Any]:
    """The content of a JSON file this package wrote, names and values.

    Raises:
        StoreError: it is missing or damaged.
    """
    record = read_json(path)
    if not isinstance(record, dict):
        raise StoreError(f"{path} is damaged (no record); delete its folder and repeat")
    return record


@contextlib.contextmanager
def staged_folder(target: Path) -> Iterator[Path]:
    """An empty folder beside `target` that becomes `target` when the block ends well.

    After an error or an interruption nothing of it stays; what a killed process left is swept a
    day later.

    Raises:
        FailedError: the disk is full or the place cannot be written to.
    """
    ensure_folder(target.parent)
    sweep(target.parent, f".{target.name}.*.partial")
    staging = target.with_name(f".{target.name}.{os.getpid()}.{secrets.token_hex(4)}.partial")
    try:
        staging.mkdir()
        yield staging
        publish_folder(staging, target)
    except OSError as error:
        raise write_failure(target, error) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def publish_folder(staging: Path, target: Path) -> None:
    """Rename `staging` to `target`; where another process was first, its folder stays.

    Raises:
        OSError: the rename failed and `target` is not there.
    """
    for path in (*staging.rglob("*"), staging):
        sync(path)  # a rename must not outlive the bytes it promises
    try:
        staging.rename(target)
    except OSError:
        if not (target.is_dir() and any(target.iterdir())):
            raise
    sync(target.parent)


def sweep(folder: Path, pattern: str) -> None:
    """Remove what matches `pattern` in `folder` and was left a day ago by a killed process."""
    limit = time.time() - _STALE_SECONDS
    for old in folder.glob(pattern):
        with contextlib.suppress(OSError):
            if old.stat().st_mtime < limit:
                shutil.rmtree(old) if old.is_dir() else old.unlink()
