"""The newest version: asked of a real server, seldom, and believed only as far as it makes sense."""

import itertools
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest

from beszel_hub.updates import releases
from tests.support.runninghub import RunningHub, running_hub

numbers = itertools.count(1)
GOOD = json.dumps({"info": {"version": "9.8.7", "package_url": "https://example.org/x"}, "releases": {}}).encode()


class Index:
    """A package index that answers what a test wants."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer = (200, GOOD)
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                index.asked += 1
                status, body = index.answer
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/pypi/x/json"


@pytest.fixture
def index() -> Iterator[Index]:
    opened = Index()
    thread = threading.Thread(target=opened.server.serve_forever)
    thread.start()
    yield opened
    opened.server.shutdown()
    thread.join()
    opened.server.server_close()


def ask(hub: RunningHub, path: str = "/api/beszel/update") -> httpx2.Response:
    token = hub.create_token(hub.create_user(f"user{next(numbers)}@example.org"))
    hub.refresh()
    return httpx2.get(hub.url + path, headers={"Authorization": token})


def test_the_index_is_asked_once_in_six_hours(tmp_path: Path, index: Index) -> None:
    with running_hub(tmp_path, check_updates=True, update_url=index.url) as hub:
        assert ask(hub, "/api/beszel/info").json()["cu"] is True
        for _ in range(3):
            assert ask(hub).json() == {"v": "9.8.7", "url": "https://example.org/x"}
        assert index.asked == 1
        index.answer = (500, b"")
        assert hub.hub.releases is not None
        hub.hub.releases._due_ms = 0
        assert ask(hub).json()["v"] == "9.8.7", "what was known stays known"
        assert index.asked == 2


@pytest.mark.parametrize(
    "answer",
    [
        (404, b"{}"), (302, b""), (200, b"<html>"), (200, b"{}"), (200, b"[" * 5000),
        (200, b'{"info": {"version": "<script>"}}'), (200, b'{"info": {"version": 5}}'),
        (200, b" " * (releases.MAX_BODY_BYTES + 1)),
    ],
)  # fmt: skip
def test_an_index_that_makes_no_sense_is_not_believed(tmp_path: Path, index: Index, answer: tuple[int, bytes]) -> None:
    index.answer = answer
    with running_hub(tmp_path, check_updates=True, update_url=index.url) as hub:
        assert [ask(hub).status_code for _ in range(2)] == [503, 503]
        assert index.asked == 1, "a failure is not repeated at once"


def test_a_page_that_is_none_is_left_out(tmp_path: Path, index: Index) -> None:
    index.answer = (200, b'{"info": {"version": "1.2", "package_url": "javascript:alert(1)"}}')
    with running_hub(tmp_path, check_updates=True, update_url=index.url) as hub:
        assert ask(hub).json() == {"v": "1.2", "url": ""}


def test_a_hub_that_was_not_told_to_look_does_not(tmp_path: Path, index: Index) -> None:
    with running_hub(tmp_path, update_url=index.url) as hub:
        assert ask(hub).status_code == 404
        assert ask(hub, "/api/beszel/info").json()["cu"] is False
        assert httpx2.get(f"{hub.url}/api/beszel/update").status_code == 401
    assert index.asked == 0
