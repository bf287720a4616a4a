"""A web server on the loopback that serves a folder, with ranges, and counts what it gives."""

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

__all__ = ["WebStandIn"]


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

        class Handler(_Handler):
            web = stand_in

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

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
            content, asked = path.read_bytes(), self.headers.get("Range", "")
            if asked:
                start, _, end = asked.removeprefix("bytes=").partition("-")
                low = int(start) if start else len(content) - int(end)
                high = min(int(end) + 1 if end and start else len(content), len(content))
                about = f"bytes {low}-{high - 1}/{len(content)}"
                content = content[low:high]
                self._send(206, content, body, about)
            else:
                self._send(200, content, body)
            if body:
                self.web.given[name] = self.web.given.get(name, 0) + len(content)

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
