"""Servers on the loopback that give a folder in ranges: a web server, and a hub of datasets."""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

__all__ = ["HubOfDatasets", "WebStandIn"]


@dataclass
class WebStandIn:
    """Serves what is below a folder; inside `with`, at `url`."""

    root: Path
    given: dict[str, int] = field(default_factory=dict)
    """Path -> bytes of it that were sent."""
    status: int = 0
    """When set, of every answer."""

    def __enter__(self) -> "WebStandIn":
        stand_in = self

        class Handler(self.handler()):  # type: ignore[misc]
            web = stand_in

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def handler(self) -> type["_Handler"]:
        return _Handler

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    web: WebStandIn
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, *args: object) -> None:
        pass

    def _answer(self, body: bool) -> None:
        name = unquote(self.path).split("?")[0].strip("/")
        path = self.web.root / name
        if self.web.status or not path.exists():
            self._send(self.web.status or 404, b"", body)
        elif path.is_dir():
            names = [one.name + "/" * one.is_dir() for one in sorted(path.iterdir())]
            links = "".join(f'<a href="{one}">{one}</a>\n' for one in names)
            self._send(200, links.encode(), body, kind="text/html")
        else:
            self._give(path, name, body)

    def _give(self, path: Path, name: str, body: bool) -> None:
        content, asked, about = path.read_bytes(), self.headers.get("Range", ""), ""
        if asked:
            start, _, end = asked.removeprefix("bytes=").partition("-")
            low = int(start) if start else len(content) - int(end)
            high = min(int(end) + 1 if end and start else len(content), len(content))
            about = f"bytes {low}-{high - 1}/{len(content)}"
            content = content[low:high]
        if body:
            self.web.given[name] = self.web.given.get(name, 0) + len(content)
        self._send(206 if asked else 200, content, body, about)

    def _send(
        self, status: int, content: bytes, body: bool, about: str = "", kind: str = "binary/data"
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Accept-Ranges", "bytes")
        if about:
            self.send_header("Content-Range", about)
        self.end_headers()
        if body:
            self.wfile.write(content)


class HubOfDatasets(WebStandIn):
    """The folder as the dataset `me/sky`; inside `with`, set HF_ENDPOINT to `url`."""

    def handler(self) -> type["_Handler"]:
        return _HubHandler


class _HubHandler(_Handler):
    API, FILES = "/api/datasets/me/sky", "/datasets/me/sky/resolve/"

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        names = json.loads(asked)["paths"] if asked.startswith("{") else parse_qs(asked)["paths"]
        found = [self.web.root / name for name in names]
        self._json([self._entry(path) for path in found if path.exists()])

    def _answer(self, body: bool) -> None:
        path, _, query = unquote(self.path).partition("?")
        if path == self.API or path.startswith(f"{self.API}/revision/"):
            told = {"id": "me/sky", "sha": "a" * 40, "private": False, "tags": [], "siblings": []}
            self._json({**told, "downloads": 0, "likes": 0})
        elif path.startswith(f"{self.API}/tree/"):
            folder = self.web.root / path.removeprefix(f"{self.API}/tree/").partition("/")[2]
            inside = folder.rglob("*") if "recursive=true" in query.lower() else folder.glob("*")
            self._json([self._entry(one) for one in sorted(inside)])
        elif path.startswith(self.FILES):
            name = path.removeprefix(self.FILES).partition("/")[2]
            self._give(self.web.root / name, name, body)
        else:
            self._send(404, b"", body)

    def _entry(self, path: Path) -> dict[str, Any]:
        kind = "directory" if path.is_dir() else "file"
        name = path.relative_to(self.web.root).as_posix()
        return {"type": kind, "oid": "0" * 40, "size": path.stat().st_size, "path": name}

    def _json(self, told: Any) -> None:
        self._send(200, json.dumps(told).encode(), True, kind="application/json")
