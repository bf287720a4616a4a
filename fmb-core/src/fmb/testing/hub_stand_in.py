"""A stand-in for the Hugging Face hub on the loopback: what huggingface_hub asks of it, no more."""

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

__all__ = ["HubStandIn"]


@dataclass
class HubStandIn:
    """One repository with commits and branches, and ways to misbehave.

    Inside `with`, set HF_ENDPOINT to its `endpoint`.
    """

    repo: str
    """"OWNER/NAME"."""
    commits: dict[str, Mapping[str, bytes]]
    """Commit of 40 hexadecimal digits -> file name -> content."""
    branches: dict[str, str]
    """Branch or tag -> commit."""
    datasets: bool = False
    """True when the repository is one of data."""
    token: str = ""
    """When set, others than its bearer get 401 or 403 and the code of a gated repository."""
    listing_is_public: bool = False
    """True when a token is asked for files only, as the hub does for gated repositories."""
    refused: tuple[int, str] | None = None
    """A status and an error code for every request."""
    page: bytes = b""
    """What a network that wants a login first gives for every request."""
    stated_sha256: dict[str, str] = field(default_factory=dict)
    """What the hub claims of a file, where that is not the truth."""
    broken_after: dict[str, int] = field(default_factory=dict)
    """File -> bytes after which the connection is closed and the server answers 503."""
    stalled: threading.Event | None = None
    """When given, set where a connection would be closed, which then stays open and silent."""
    released: threading.Event = field(default_factory=threading.Event)
    """To be set to end a stall."""
    asked: list[str] = field(default_factory=list)
    """Method and path of every request so far."""

    def __enter__(self) -> "HubStandIn":
        hub = self

        class Handler(_Handler):
            stand_in = hub

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def large(name: str) -> bool:
    """Files that the hub keeps in its large file store, whose SHA-256 it states."""
    return name.endswith((".safetensors", ".ckpt", ".pt"))


class _Handler(BaseHTTPRequestHandler):
    stand_in: HubStandIn

    def log_message(self, *arguments: object) -> None: ...

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        hub, path = self.stand_in, unquote(self.path.partition("?")[0])
        hub.asked.append(f"{self.command} {path}")
        kind = "datasets" if hub.datasets else "models"
        files = f"{'/datasets' if hub.datasets else ''}/{hub.repo}/resolve/"
        bearer = self.headers.get("Authorization", "")
        if hub.page:
            self._send(200, {"Content-Type": "text/html"}, hub.page)
        elif hub.refused:
            self._send(hub.refused[0], {"X-Error-Code": hub.refused[1]})
        elif self._locked(path, bearer):
            self._send(403 if bearer else 401, {"X-Error-Code": "GatedRepo"})
        elif path.startswith(f"/api/{kind}/{hub.repo}/revision/"):
            self._info(path.rpartition("/revision/")[2])
        elif path.startswith(files):
            commit, _, name = path.removeprefix(files).partition("/")
            self._file(commit, name, body)
        else:
            self._send(404, {"X-Error-Code": "RepoNotFound"})

    def _locked(self, path: str, bearer: str) -> bool:
        hub = self.stand_in
        asked = bool(hub.token) and not (hub.listing_is_public and path.startswith("/api/"))
        return asked and bearer != f"Bearer {hub.token}"

    def _info(self, revision: str) -> None:
        hub = self.stand_in
        commit = hub.branches.get(revision, revision)
        if commit not in hub.commits:
            self._send(404, {"X-Error-Code": "RevisionNotFound"})
            return
        siblings = []
        for name, content in hub.commits[commit].items():
            sha256 = hub.stated_sha256.get(name, hashlib.sha256(content).hexdigest())
            lfs = {"sha256": sha256, "size": len(content), "pointerSize": 130}
            one = {"rfilename": name, "size": len(content), "blobId": "0" * 40}
            siblings.append({**one, "lfs": lfs} if large(name) else one)
        info = {"id": hub.repo, "sha": commit, "siblings": siblings, "tags": [], "downloads": 0}
        self._send(200, {"Content-Type": "application/json"}, json.dumps(info).encode())

    def _file(self, commit: str, name: str, body: bool) -> None:
        hub = self.stand_in
        content = hub.commits[commit][name]
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        digest = hashlib.sha256(content) if large(name) else hashlib.sha1(content)
        headers = {
            "X-Repo-Commit": commit,
            "ETag": f'"{digest.hexdigest()}"',
            "X-Linked-Size": str(len(content)),
            "Accept-Ranges": "bytes",
        }
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        most = hub.broken_after.get(name) if body else None
        self._send(206 if start else 200, headers, content[start:], body=body, most=most)
        if most is not None:
            if hub.stalled is not None:
                hub.stalled.set()
                hub.released.wait(60)
            else:
                hub.refused = (503, "")
            self.close_connection = True

    def _send(
        self,
        status: int,
        headers: Mapping[str, str],
        content: bytes = b"",
        *,
        body: bool = True,
        most: int | None = None,
    ) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(key, value)
        self.end_headers()
        if body:
            self.wfile.write(content[:most])
            self.wfile.flush()
