"""`weights.lock`: the revisions and digests that somebody has looked at and accepted."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from fmb.messages.errors import StoreError, WeightsError
from fmb.store.atomic import ensure_folder, publish_json, read_json
from fmb.weights.folder import Weights

__all__ = ["Lock", "State"]

LOCK = "weights.lock"
FORMAT = "fmb-weights-lock/1"

State = Literal["drawn", "bundled", "verified", "unverified"]


class Lock:
    """The lock of one workspace.

    `hub` holds, for each repository, the commit each branch or tag had and the digests of the
    files of each commit; `folders` the digests of other weights, named relative to the workspace
    where they are in it.

    Raises:
        WeightsError: the file is damaged or of another format.
    """

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self.path = workspace / LOCK
        try:
            found = read_json(self.path) if self.path.exists() else {"format": FORMAT}
        except StoreError:
            found = None
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise WeightsError(
                f"{self.path} is damaged, or not a {FORMAT} file; remove it and accept again"
            )
        self._hub: dict[str, Any] = found.get("hub", {})
        self._folders: dict[str, dict[str, str]] = found.get("folders", {})

    def state(self, weights: Weights) -> State:
        """Whether these weights were accepted before.

        Drawn weights need no acceptance, nor do those that came with an installed package.

        Raises:
            WeightsError: they were accepted with other digests.
        """
        if weights.card.random_seed is not None:
            return "drawn"
        if weights.origin.startswith("hf:"):
            return "verified"  # nothing is opened that is not as recorded here
        accepted = self._folders.get(self._key(weights))
        if accepted is None:
            return "bundled" if weights.origin.startswith("package:") else "unverified"
        changed = [name for name, digest in weights.sha256.items() if accepted.get(name) != digest]
        if changed:
            raise WeightsError(
                f"{weights.folder}: {', '.join(changed)} changed since {self.path} was written; if"
                f" that is intended run `fmb weights verify {weights.card.model}"
                f" {weights.reference} --accept`"
            )
        return "verified"

    def accept(self, weights: Weights) -> None:
        """Write the digests of `weights` down; those of a download were accepted there."""
        if weights.origin.startswith("hf:"):
            return
        self._folders[self._key(weights)] = dict(weights.sha256)
        self._write()

    def commit(self, repo: str, revision: str) -> str | None:
        """The commit that a branch, tag or commit of `repo` was accepted at."""
        known = self._hub.get(repo, {})
        if revision in known.get("commits", {}):
            return revision
        found = known.get("revisions", {}).get(revision)
        return None if found is None else str(found)

    def files(self, repo: str, commit: str) -> Mapping[str, str]:
        """File name -> digest as accepted; empty when that commit was not."""
        known: Mapping[str, str] = self._hub.get(repo, {}).get("commits", {}).get(commit, {})
        return known

    def record(self, repo: str, revision: str, commit: str, sha256: Mapping[str, str]) -> None:
        """Write down that `revision` of `repo` is `commit` and what its files are."""
        known = self._hub.setdefault(repo, {"revisions": {}, "commits": {}})
        if revision != commit:
            known["revisions"][revision] = commit
        known["commits"][commit] = dict(sha256)
        self._write()

    def _write(self) -> None:
        ensure_folder(self.path.parent)
        publish_json(self.path, {"format": FORMAT, "hub": self._hub, "folders": self._folders})

    def _key(self, weights: Weights) -> str:
        folder, home = weights.folder.resolve(), self._workspace.resolve()
        inside = folder.is_relative_to(home)
        place = folder.relative_to(home).as_posix() if inside else str(folder)
        return f"{weights.card.model}:{weights.origin or place}"
