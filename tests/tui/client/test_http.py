"""Requests against a real HTTP server that answers what a test says."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, TypeVar

import msgspec
import pytest

from beszel_tui.client.http import HubHttp
from beszel_tui.errors import HubRefused, HubUnreachable, Unauthorized

AnswerT = TypeVar("AnswerT")
TOKEN = "secret"


class Seen(NamedTuple):
    method: str
    path: str
    token: str | None
    body: Any


class Server(ThreadingHTTPServer):
    def __init__(self, status: int, answer: object) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = status
        self.answer = answer if isinstance(answer, bytes) else msgspec.json.encode(answer)
        self.seen: list[Seen] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        decoded = msgspec.json.decode(body) if body else None
        self.server.seen.append(Seen(self.command, self.path, self.headers.get("Authorization"), decoded))
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.answer)))
        self.end_headers()
        self.wfile.write(self.server.answer)

    do_GET = do_POST = do_PATCH = _answer  # noqa: N815 (names of the library)

    def log_message(self, *_: object) -> None:
        """Not a word."""


@contextmanager
def answering(status: int, answer: object) -> Iterator[Server]:
    with Server(status, answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def ask(server: Server, request: Callable[[HubHttp], Awaitable[AnswerT]], token: str | None = TOKEN) -> AnswerT:
    async def main() -> AnswerT:
        http = HubHttp(server.url, token)
        try:
            return await request(http)
        finally:
            await http.close()

    return asyncio.run(main())


SERIES = {
    "resolution_seconds": 10,
    "timestamps": [1000, 11_000],
    "series": {
        "cpu.usage_percent": {"mean": [1.0, None], "min": [0.5, None], "max": [2.0, None]},
        "disk[a,b].usage_percent": {"mean": [1, 2], "min": [1, 2], "max": [1, 2]},
    },
}


def test_series_become_columns() -> None:
    with answering(200, SERIES) as server:
        columns = ask(server, lambda http: http.series("abc", ["cpu.usage_percent"], 1, 2, 60))
    assert columns.resolution_ms == 10_000
    assert columns.timestamps_ms == (1000, 11_000)
    assert columns.lanes["cpu.usage_percent"].high == (2.0, None)
    assert columns.lanes["disk[a,b].usage_percent"].is_exact
    assert server.seen[0].token == "Bearer secret"
    assert "system=abc" in server.seen[0].path
    assert "points=60" in server.seen[0].path


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>",
        {"resolution_seconds": 1, "timestamps": [1], "series": {"a": {"mean": [], "min": [], "max": []}}},
        {"resolution_seconds": "x", "timestamps": [], "series": {}},
        {},
    ],
)
def test_what_is_no_answer_of_a_hub(answer: object) -> None:
    with answering(200, answer) as server, pytest.raises(HubUnreachable, match="not the answer of a hub"):
        ask(server, lambda http: http.series("abc", ["a"], 1, 2, 60))


@pytest.mark.parametrize(
    ("status", "body", "error", "says"),
    [
        (401, {}, Unauthorized, "does not accept the token"),
        (403, {"message": "Not yours."}, HubRefused, "Not yours."),
        (500, b"<html>", HubRefused, "answers 500"),
        (400, {"message": "a\x1b[31mb"}, HubRefused, r"a\[31mb"),
        (400, {"message": "No.", "data": {"name": {"message": "Too\nlong."}}}, HubRefused, r"^No\. name: Too.*long\.$"),
    ],
)
def test_errors(status: int, body: object, error: type[Exception], says: str) -> None:
    with answering(status, body) as server, pytest.raises(error, match=says):
        ask(server, lambda http: http.series("abc", ["a"], 1, 2, 60))


def test_details() -> None:
    record = {"id": "abc", "hostname": "web-1", "os_name": "Debian\x1b 12", "cores": 4, "memory": 17, "podman": False}
    with answering(200, record) as server:
        details = ask(server, lambda http: http.details("abc"))
    assert details is not None
    assert (details.hostname, details.os_name, details.cores, details.memory_total_bytes) == (
        "web-1",
        "Debian 12",
        4,
        17,
    )
    assert details.kernel is None


def test_no_details_yet() -> None:
    with answering(404, {"message": "Missing."}) as server:
        assert ask(server, lambda http: http.details("abc")) is None


@pytest.mark.parametrize("system_id", ["", "../users", "a/b", "a?b", "ä"])
def test_an_id_cannot_lead_elsewhere(system_id: str) -> None:
    with answering(200, {}) as server, pytest.raises(HubUnreachable):
        ask(server, lambda http: http.details(system_id))
    assert server.seen == []


def test_pausing() -> None:
    with answering(200, {"id": "abc"}) as server:
        ask(server, lambda http: http.change_system("abc", {"status": "paused"}))
    assert server.seen[0] == Seen(
        "PATCH", "/api/collections/systems/records/abc", "Bearer secret", {"status": "paused"}
    )


def test_nobody_there() -> None:
    with answering(200, {}) as server:
        pass
    with pytest.raises(HubUnreachable, match="cannot be reached"):
        ask(server, lambda http: http.details("abc"))
