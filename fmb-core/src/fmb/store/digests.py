"""Digests of large files, computed once as long as the file stays as it is."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from fmb.messages.errors import StoreError, WeightsError
from fmb.store.atomic import ensure_folder, publish_json, read_json
from fmb.store.keys import file_sha256

__all__ = ["Digests"]

_SMALL_BYTES = 1 << 24
"""Smaller files (bundled weights) are hashed each time: hundredths of a second, no trace."""
_SETTLED_SECONDS = 2.0
"""A file that changed later than this could change again within one tick of its clock."""


class Digests:
    """Digests of files, remembered under inode, size and time of change in `workspace`.

    Args:
        workspace: where they are remembered, in `digests.json`.
        fresh: compute each of them anew.
    """

    def __init__(self, workspace: Path, *, fresh: bool = False) -> None:
        self.workspace = workspace
        self._path = workspace / "digests.json"
        self._fresh = fresh

    def of(self, path: Path, digest: Callable[[Path], str] = file_sha256) -> str:
        """The digest of one file.

        Args:
            path: the file.
            digest: makes it; SHA-256 of all of its bytes.

        Raises:
            WeightsError: it cannot be read.
        """
        try:
            stat = path.stat()
            key = f"{stat.st_dev}:{stat.st_ino}:{stat.st_size}:{stat.st_mtime_ns}"
            if digest is not file_sha256:
                key = f"{digest.__name__}:{key}"
            if stat.st_size < _SMALL_BYTES:
                return digest(path)
            known = self._known()
            if not self._fresh and isinstance(known.get(key), str):
                return str(known[key])
            value = digest(path)
        except OSError as error:
            raise WeightsError(f"{path}: cannot be read: {error.strerror or error}") from None
        if time.time() - stat.st_mtime > _SETTLED_SECONDS:
            ensure_folder(self._path.parent)
            publish_json(self._path, {**known, key: value})
        return value

    def of_all(self, folder: Path, names: Iterable[str]) -> dict[str, str]:
        """Name -> digest of files in `folder`."""
        return {name: self.of(folder / name) for name in names}

    def _known(self) -> dict[str, Any]:
        try:
            found = read_json(self._path)
        except StoreError:
            return {}  # absent or damaged: nothing is lost but time
        return found if isinstance(found, dict) else {}
