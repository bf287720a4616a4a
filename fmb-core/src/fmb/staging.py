"""Folders that appear whole or not at all."""

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from fmb.paths import ensure_folder
from fmb.store import sync, write_failure

__all__ = ["publish_folder", "staged_folder"]

_STALE_SECONDS = 86400.0


@contextlib.contextmanager
def staged_folder(target: Path) -> Iterator[Path]:
    """An empty folder beside `target` that becomes `target` when the block ends well.

    After an error or an interruption nothing of it stays; what a killed process left is swept a
    day later.

    Raises:
        FailedError: the disk is full or the place cannot be written to.
    """
    ensure_folder(target.parent)
    for old in target.parent.glob(f".{target.name}.*.partial"):
        with contextlib.suppress(OSError):
            if old.stat().st_mtime < time.time() - _STALE_SECONDS:
                shutil.rmtree(old)
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
