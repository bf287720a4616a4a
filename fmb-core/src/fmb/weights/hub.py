"""References to weights on the Hugging Face hub, and the folders they were downloaded to."""

import re
from dataclasses import dataclass
from pathlib import Path

from fmb.messages.errors import WeightsError
from fmb.store.digests import Digests
from fmb.weights.card import CARD
from fmb.weights.lock import Lock
from fmb.weights.upstream import PICKLES, source_files

__all__ = ["Downloaded", "HubReference", "downloaded", "is_downloaded"]

_NAME = r"[A-Za-z0-9][\w.-]*"
_REFERENCE = re.compile(rf"hf:({_NAME}/{_NAME})(?:@({_NAME}(?:/{_NAME})*))?", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class HubReference:
    """A repository and a revision of it: a branch, a tag or a commit."""

    repo: str
    revision: str = "main"
    place: Path | None = None
    """Of a repository of data: the folder that its files go to; None = it is one of weights."""
    only: tuple[str, ...] = ()
    """Patterns of the files of data that are wanted; () = all."""

    @property
    def key(self) -> str:
        """What the lock knows it by: data may be called as weights are."""
        part = f"?{'&'.join(self.only)}" if self.only else ""
        return self.repo if self.place is None else f"datasets/{self.repo}{part}"

    @classmethod
    def parse(cls, text: str) -> "HubReference":
        """The reference written as "hf:OWNER/NAME" or "hf:OWNER/NAME@REVISION".

        Raises:
            WeightsError: it is not written so.
        """
        found = _REFERENCE.fullmatch(text)
        if found is None:
            raise WeightsError(f"{text!r} is no hub reference: write hf:OWNER/NAME@REVISION")
        return cls(found[1], found[2] or "main")

    @property
    def name(self) -> str:
        """The repository's name without its owner."""
        return self.repo.partition("/")[2]

    @property
    def is_commit(self) -> bool:
        """True where the revision is a commit and so cannot move."""
        return _COMMIT.fullmatch(self.revision) is not None

    def at(self, commit: str) -> str:
        """The reference that cannot move."""
        return f"hf:{self.repo}@{commit}"

    def command(self, asked: str, commit: str = "") -> str:
        """What is typed to download it, or a certain commit of it.

        Args:
            asked: model and weights as the user names them; plays no part for data.
            commit: "" = as it was asked for.
        """
        if self.place is None:
            words = f"{asked.split()[0]} {self.at(commit)}" if commit else asked
            return f"fmb weights download {words}"
        only = "".join(f" --only '{pattern}'" for pattern in self.only)
        return f"fmb data download {self.at(commit or self.revision)} --out {self.place}{only}"

    def folder(self, workspace: Path, commit: str) -> Path:
        """Where that commit is downloaded to."""
        if self.place is not None:
            return self.place
        return workspace / "weights" / "hub" / self.repo.replace("/", "--") / commit


@dataclass(frozen=True)
class Downloaded:
    """Files of one commit, as they were accepted."""

    folder: Path
    origin: str
    """"hf:REPO@COMMIT"."""

    @property
    def has_card(self) -> bool:
        """True when these are FMB weights already."""
        return (self.folder / CARD).is_file()

    @property
    def checkpoint(self) -> Path | None:
        """The one checkpoint file to import, where there is nothing safer than a pickle.

        Raises:
            WeightsError: there are several of them, or no tensors at all.
        """
        names = source_files(self.folder)
        pickles = [name for name in names if name.endswith(PICKLES)]
        if any(name.endswith(".safetensors") for name in names):
            return None
        if len(pickles) != 1:
            told = f"several checkpoints: {', '.join(pickles)}" if pickles else "no tensors"
            raise WeightsError(f"{self.folder} holds {told}; give the path of one file instead")
        return self.folder / pickles[0]


def is_downloaded(reference: HubReference, workspace: Path) -> bool:
    """True when the reference was accepted and its folder is there."""
    commit = Lock(workspace).commit(reference.key, reference.revision)
    return commit is not None and reference.folder(workspace, commit).is_dir()


def downloaded(
    reference: HubReference, workspace: Path, digests: Digests, *, asked: str
) -> Downloaded:
    """The folder a reference was downloaded to; nothing is asked of the network.

    Args:
        reference: any revision; a branch or tag stands for the commit recorded in the lock.
        workspace: where it was downloaded to.
        digests: of its files.
        asked: model and weights as the user names them, for the advice.

    Raises:
        WeightsError: it was not downloaded, or a file is not what was accepted.
    """
    lock = Lock(workspace)
    commit = lock.commit(reference.key, reference.revision)
    if commit is None or not is_downloaded(reference, workspace):
        raise WeightsError(
            f"hf:{reference.repo}@{commit or reference.revision} is not downloaded;"
            f" run `{reference.command(asked)}`, which shows what it is and locks its revision"
        )
    folder = reference.folder(workspace, commit)
    accepted = lock.files(reference.key, commit)
    beside = source_files(folder) if reference.place is None else []
    for name in sorted({*accepted, *beside}):
        path = folder / name
        if not path.is_file() or digests.of(path) != accepted.get(name):
            raise WeightsError(
                f"{folder}: {name} is not what {lock.path} records; remove the folder and run"
                f" `{reference.command(asked)}`"
            )
    return Downloaded(folder, reference.at(commit))
