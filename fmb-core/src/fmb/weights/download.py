"""Downloads weights or data from the Hugging Face hub: looked at, accepted, then published."""

import errno
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from importlib import import_module
from pathlib import Path
from typing import Any

from fmb.messages.errors import FailedError, FmbError, WeightsError
from fmb.store.atomic import ensure_folder, publish_folder, write_failure
from fmb.store.digests import Digests
from fmb.store.keys import file_sha256
from fmb.weights.hub import Downloaded, HubReference, downloaded, is_downloaded
from fmb.weights.lock import Lock
from fmb.weights.upstream import PICKLES, SAFE

__all__ = ["Offer", "download"]

_PLACE = re.compile(r"[^\x00-\x1f\x7f-\x9f\\/]+(/[^\x00-\x1f\x7f-\x9f\\/]+)*")
"""Of a file within a repository; what begins with a dot, ".." too, is not taken besides."""


@dataclass(frozen=True)
class Offer:
    """What a repository has for us at one commit."""

    repo: str
    commit: str
    sizes: Mapping[str, int]
    """File name -> bytes, as the hub states them."""
    stated: Mapping[str, str]
    """File name -> SHA-256 as the hub states it; only of files in its large file store."""
    locked: bool = False
    """True when these files were accepted before."""


def download(
    reference: HubReference,
    workspace: Path,
    *,
    asked: str,
    consider: Callable[[Offer], None],
    accept: Callable[[Mapping[str, str]], bool],
    allow_moving: bool = False,
) -> Downloaded:
    """Fetch the files of a reference, unless they are there, and lock what they are.

    Args:
        reference: a branch or tag is resolved to the commit it has now.
        workspace: the folder appears in its `weights/hub`, whole and accepted or not at all. What
            was fetched before an interruption is kept beside it for the next attempt.
        asked: model and weights as the user names them, for messages.
        consider: called before anything is fetched; raises to stop.
        accept: called with the digests of what was fetched, unless they are in the lock already.
        allow_moving: take the commit that a branch has now where the lock names another one.

    Raises:
        WeightsError: there is no such repository or revision, it needs a login, its branch moved,
            a file is not what hub or lock say, or `accept` said no.
        FailedError: the hub cannot be reached, the download broke off or the disk is full.
    """
    lock = Lock(workspace)
    known = lock.commit(reference.key, reference.revision)
    if reference.is_commit and is_downloaded(reference, workspace):
        return downloaded(reference, workspace, Digests(workspace), asked=asked)
    offer = _offer(reference)
    if known not in (None, offer.commit) and not allow_moving:
        raise WeightsError(
            f"hf:{reference.repo}: {reference.revision} moved from {known}, which {lock.path} has,"
            f" to {offer.commit}; `{reference.command(asked, str(known))}` gives"
            " the one recorded, --allow-moving-revision accepts the new one"
        )
    target = reference.folder(workspace, offer.commit)
    accepted = lock.files(reference.key, offer.commit)
    if target.is_dir() and accepted:
        lock.record(reference.key, reference.revision, offer.commit, accepted)
        return downloaded(reference, workspace, Digests(workspace), asked=asked)
    if target.exists() and reference.place is not None:
        raise WeightsError(f"{target}: is there already; choose another folder")
    consider(replace(offer, locked=bool(accepted)))
    staging = target.with_name(f".{offer.commit}.partial")
    if target.is_dir() and staging.exists():
        shutil.rmtree(target)
    elif target.is_dir():
        target.rename(staging)  # not in the lock: checked and accepted like what is new
    sha256 = _fetch(reference, offer, ensure_folder(staging))
    if accepted:
        _compare(offer, sha256, accepted, staging, lock)
    elif not accept(sha256):
        raise WeightsError(f"not accepted; the files wait in {staging} and nothing uses them")
    with _one_line(offer.repo, staging):
        shutil.rmtree(staging / ".cache", ignore_errors=True)
        lock.record(reference.key, reference.revision, offer.commit, sha256)
        publish_folder(staging, target)
    return Downloaded(target, reference.at(offer.commit))


def _compare(
    offer: Offer,
    sha256: Mapping[str, str],
    accepted: Mapping[str, str],
    staging: Path,
    lock: Lock,
) -> None:
    """Refuse, and remove, files that are not those that were accepted for this commit."""
    changed = [name for name, digest in accepted.items() if sha256.get(name) != digest]
    if changed:
        shutil.rmtree(staging)
        raise WeightsError(
            f"hf:{offer.repo}@{offer.commit}: {', '.join(changed)} is not what {lock.path} records;"
            " it was removed. A commit cannot change: something between here and the hub is wrong"
        )


def _hub() -> Any:
    """The module that talks to the hub; imported here because only a download needs it."""
    try:
        hub, parts = import_module("huggingface_hub"), import_module("huggingface_hub.utils")
        import_module("huggingface_hub.constants")  # which reads the environment
    except ImportError:
        raise WeightsError(
            "downloading needs huggingface_hub: pip install 'fmb-core[hub]'"
        ) from None
    except ValueError as error:
        raise WeightsError(
            f"huggingface_hub cannot be imported ({error}): a variable of the environment whose"
            " name begins with HF_ has a value that it does not take"
        ) from None
    if not sys.stderr.isatty():
        parts.disable_progress_bars()
    return hub


def _offer(reference: HubReference) -> Offer:
    # As huggingface_hub reads them, but when they are asked for, not when it is imported.
    switch = "HF_HUB_OFFLINE" if os.environ.get("HF_HUB_OFFLINE") else "TRANSFORMERS_OFFLINE"
    if os.environ.get(switch, "").upper() in ("1", "ON", "YES", "TRUE"):
        raise WeightsError(
            f"hf:{reference.repo}: {switch} is set; unset it to download. What is downloaded"
            " already needs no network"
        )
    hub = _hub()
    with _one_line(reference.repo, reference.revision):
        api = hub.HfApi(endpoint=_endpoint())
        info = (api.model_info if reference.place is None else api.dataset_info)(
            reference.repo, revision=reference.revision, files_metadata=True, timeout=30
        )
    commit = HubReference(reference.repo, str(info.sha))
    if not commit.is_commit or (reference.is_commit and commit.revision != reference.revision):
        raise WeightsError(f"hf:{reference.repo}: the hub gives {info.sha!r} as its commit")
    for file in info.siblings or []:
        if not _PLACE.fullmatch(file.rfilename):
            raise WeightsError(f"hf:{reference.repo}: {file.rfilename[:80]!r} is no name of a file")
    shown = {f.rfilename: f for f in info.siblings or [] if not _hidden(f.rfilename)}
    files = {name: shown[name] for name in _wanted(reference, sorted(shown))}
    return Offer(
        reference.repo,
        commit.revision,
        {name: int(file.size or 0) for name, file in files.items()},
        {name: file.lfs.sha256 for name, file in files.items() if file.lfs},
    )


def _wanted(reference: HubReference, names: Sequence[str]) -> list[str]:
    """The files to fetch of those that there are.

    Raises:
        WeightsError: there are none.
    """
    if reference.place is not None:
        only = reference.only or ("*",)
        wanted = [name for name in names if any(fnmatchcase(name, one) for one in only)]
        if not wanted:
            raise WeightsError(f"hf:{reference.repo} has no file that {' or '.join(only)} names")
        return wanted
    safe = any(name.endswith(".safetensors") for name in names)
    endings = SAFE if safe else SAFE + PICKLES
    wanted = [name for name in names if name.endswith(endings)]
    if all(name.endswith(".json") for name in wanted):
        raise WeightsError(
            f"hf:{reference.repo} has no weights: no file ends in {', '.join(endings[1:])}"
        )
    return wanted


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))


def _fetch(reference: HubReference, offer: Offer, staging: Path) -> dict[str, str]:
    """Fetch all files into `staging`, check them and return their digests."""
    hub, sha256 = _hub(), {}
    for name, size in offer.sizes.items():
        with _one_line(offer.repo, staging / name):
            hub.hf_hub_download(
                offer.repo,
                name,
                revision=offer.commit,
                repo_type="model" if reference.place is None else "dataset",
                local_dir=staging,
                endpoint=_endpoint(),
            )
            path = staging / name
            got, digest = path.stat().st_size, file_sha256(path)
        stated = offer.stated.get(name, digest)
        if got != size or digest != stated:
            path.unlink()  # the next attempt must not take it for fetched
            told = f"{got} bytes instead of {size}" if got != size else f"sha256 {digest}"
            raise WeightsError(
                f"hf:{offer.repo}: {name} came with {told}, which is not what the hub states;"
                " it was removed, repeat the command"
            )
        sha256[name] = digest
    return sha256


def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT") or None


@contextmanager
def _one_line(repo: str, what: Path | str) -> Iterator[None]:
    """Whatever goes wrong between here and the hub becomes one line."""
    try:
        with _online():
            yield
    except FmbError:
        raise
    except Exception as error:
        told = _explain(error, repo, what)
        if told is None:
            raise
        raise told from error


@contextmanager
def _online() -> Iterator[None]:
    """What huggingface_hub read when it was imported does not stand in the way."""
    constants: Any = import_module("huggingface_hub.constants")
    before, constants.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE, False
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def _explain(error: BaseException, repo: str, what: Path | str) -> FmbError | None:
    """What to tell of an error of the hub, the network or the disk; None for any other."""
    errors = import_module("huggingface_hub.errors")

    endpoint = (_endpoint() or "https://huggingface.co").rstrip("/")
    login = "log in with `hf auth login` or set HF_TOKEN, then repeat"
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, errors.HFValidationError):
        return WeightsError(f"hf:{repo} cannot be the name of a repository: {error}")
    if isinstance(error, errors.GatedRepoError):
        return WeightsError(f"hf:{repo} is gated: ask for access at {endpoint}/{repo}, {login}")
    if isinstance(error, errors.RevisionNotFoundError):
        return WeightsError(f"hf:{repo} has no revision {what}; see {endpoint}/{repo}/commits")
    if isinstance(error, errors.RepositoryNotFoundError) or status in (401, 403):
        return WeightsError(
            f"hf:{repo}: no repository of that name that you may read (HTTP {status});"
            f" check the name, or where it is private or gated {login}"
        )
    if isinstance(error, errors.LocalEntryNotFoundError) and error.__cause__ is not None:
        return _explain(error.__cause__, repo, what)
    if isinstance(error, errors.HfHubHTTPError):
        return FailedError(f"hf:{repo}: the hub answered HTTP {status}; repeat the command later")
    if isinstance(error, OSError) and error.filename and isinstance(what, str):
        return WeightsError(  # before anything of ours is written: its own files
            f"hf:{repo}: cannot use {error.filename}: {error.strerror}; HF_HOME says where"
            " huggingface_hub keeps its files"
        )
    if isinstance(error, OSError) and error.errno in _DISK:
        return write_failure(Path(what), error)
    if isinstance(error, OSError | ValueError) or type(error).__module__.startswith(_CLIENTS):
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        return FailedError(
            f"hf:{repo}: no connection to {endpoint}, or it broke off ({reason}); repeat the"
            " command, it goes on. What is downloaded already needs no network"
        )
    return None


_CLIENTS = ("httpx", "httpcore", "requests", "urllib3", "huggingface_hub", "hf_xet")
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EIO, errno.EPERM)
