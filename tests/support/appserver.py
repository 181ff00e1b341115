"""A page of an app from elsewhere: a little HTTP server on this machine, on an origin of its own.

Folders are served as they are; `place` puts a text at a path. Each request is remembered, so that a test sees what a browser was led to.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from mimetypes import guess_type
from pathlib import Path
from urllib.parse import urlsplit

HTML, SCRIPT = "text/html; charset=utf-8", "text/javascript; charset=utf-8"


class AppServer:
    """`origin`: where its pages come from. `asked`: path and query of each request, in order."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._placed: dict[str, tuple[str, bytes]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def place(self, path: str, text: str | bytes, kind: str = HTML) -> str:
        """What is answered at this path from now on; its URL."""
        self._placed[path] = kind, text.encode() if isinstance(text, str) else text
        return f"{self.origin}{path}"

    def place_file(self, path: str, file: Path) -> str:
        return self.place(path, file.read_bytes(), guess_type(file.name)[0] or "application/octet-stream")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        app = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                app.asked.append(self.path)
                kind, body = app._placed.get(urlsplit(self.path).path, ("", b""))
                self.send_response(200 if kind else 404)
                self.send_header("Content-Type", kind or HTML)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing: a log of requests would be one of codes."""

        return Handler

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def serving_app() -> Iterator[AppServer]:
    app = AppServer()
    app.start()
    try:
        yield app
    finally:
        app.stop()
