"""A server for reports of progress, on the loopback interface alone; whoever reports needs the token."""

import hmac
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from trainer.peers.progress import MOST_BYTES, NotAReport, Progress, parse_report

LOOPBACK = "127.0.0.1"


@contextmanager
def listening(token: str, take: Callable[[Progress], None]) -> Iterator[str]:
    """Take reports, one after the other, in a thread of its own; yield the URL to which they are sent."""
    server = HTTPServer((LOOPBACK, 0), _handler(token, take))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(token: str, take: Callable[[Progress], None]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5.0  # seconds that a silent sender may keep the others waiting

        def do_POST(self) -> None:
            given = self.headers.get("Authorization", "").encode()
            size = self.headers.get("Content-Length", "")
            if not hmac.compare_digest(given, f"Bearer {token}".encode()):
                self._answer(HTTPStatus.UNAUTHORIZED)
            elif not size.isdigit() or int(size) > MOST_BYTES:
                self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            else:
                self._take(self.rfile.read(int(size)))

        def _take(self, body: bytes) -> None:
            try:
                take(parse_report(body))
            except NotAReport:
                self._answer(HTTPStatus.BAD_REQUEST)
            else:
                self._answer(HTTPStatus.OK)

        def _answer(self, status: HTTPStatus) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing: standard error belongs to the script."""

    return Handler
