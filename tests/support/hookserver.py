"""A real HTTP server that notes what it is sent and answers as a test says."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import msgspec

from tests.support.programs import wait_until


class Request(NamedTuple):
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def key(self) -> str:
        return self.headers["Idempotency-Key"]

    @property
    def document(self) -> Any:
        return msgspec.json.decode(self.body)


class Receiver:
    """Made by `receiving`; answers with `statuses` one after the other, then with 200."""

    def __init__(self, port: int, statuses: Sequence[int], headers: Mapping[str, str]) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}/hook"
        self.requests: list[Request] = []
        self.headers = headers
        self.before_answer: Callable[[], None] = lambda: None
        self._statuses = list(statuses)
        self._lock = threading.Lock()

    def take(self, request: Request) -> int:
        with self._lock:
            self.requests.append(request)
            status = self._statuses.pop(0) if self._statuses else 200
        self.before_answer()
        return status

    def wait_for(self, count: int) -> list[Request]:
        """The requests, once there are that many."""
        wait_until(f"{count} requests have come", lambda: len(self.requests) >= count)
        return list(self.requests)


@contextmanager
def receiving(*statuses: int, headers: Mapping[str, str] | None = None) -> Iterator[Receiver]:
    """Serve on loopback until the block ends; `headers` go with every answer."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    receiver = Receiver(server.server_address[1], statuses, headers or {})
    server.receiver = receiver  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        receiver: Receiver = self.server.receiver  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status = receiver.take(Request(self.command, self.path, dict(self.headers), body))
        self.send_response(status)
        for name, value in receiver.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST  # noqa: N815 - the base class calls it so
    do_HEAD = do_POST  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
        """Quiet."""
