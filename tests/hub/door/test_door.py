"""Limits, headers, origins and names, over a real socket."""

import http.client
import socket
from collections.abc import Iterator
from contextlib import suppress

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from beszel_hub.config import HubConfig
from beszel_hub.door import limits
from beszel_hub.door.answers import exception_handlers
from beszel_hub.door.headers import SECURITY_HEADERS
from beszel_hub.door.limits import MAX_BODY_BYTES, MAX_HEADER_BYTES, MAX_HEADERS
from beszel_hub.door.origins import is_allowed_origin, is_known_host
from beszel_hub.door.stack import middleware
from tests.support.runninghub import RunningHub, running_hub

ORIGIN = "https://dashboard.example.net"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with running_hub(tmp_path_factory.mktemp("hub"), allowed_origins=(ORIGIN,)) as running:
        yield running


@pytest.fixture(scope="module")
def client(hub: RunningHub) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=hub.url) as opened:
        yield opened


def _is_refusal(answer: httpx2.Response, status: int) -> bool:
    body = answer.json()
    return answer.status_code == status == body["status"] and body["data"] == {} and bool(body["message"])


@pytest.mark.parametrize("path", ["/api/health", "/nothing", "/api/collections/users/records/x", "/api/beszel/info"])
def test_every_answer_has_the_security_headers(client: httpx2.Client, path: str) -> None:
    answer = client.get(path)
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers[name] == value
    assert "server" not in answer.headers


def test_refusals_have_one_shape(client: httpx2.Client) -> None:
    assert _is_refusal(client.get("/nothing"), 404)
    assert _is_refusal(client.get("/api/collections/users/records/%00"), 404)
    assert _is_refusal(client.delete("/api/health"), 405)
    assert _is_refusal(client.get("/api/beszel/info"), 401)


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'"x"', b"1", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 50_000, b"identity=x&password=y"]
)
def test_a_body_that_is_no_object_is_refused(client: httpx2.Client, body: bytes) -> None:
    assert _is_refusal(client.post("/api/collections/users/auth-with-password", content=body), 400)


def test_a_large_body_is_refused_as_announced_and_as_counted(hub: RunningHub, client: httpx2.Client) -> None:
    path = "/api/collections/users/auth-with-password"
    assert _is_refusal(client.post(path, content=b"x" * (MAX_BODY_BYTES + 1)), 413)

    def pieces() -> Iterator[bytes]:
        for _ in range(20):
            yield b" " * (MAX_BODY_BYTES // 16)

    assert _is_refusal(httpx2.post(hub.url + path, content=pieces()), 413)
    assert _is_refusal(client.post(path, content=b"[]".ljust(MAX_BODY_BYTES)), 400)


@pytest.mark.parametrize("length", [b"-1", b"1e9", b"99999999999999999999", b"x"])
def test_a_length_that_is_none_disturbs_nobody(hub: RunningHub, client: httpx2.Client, length: bytes) -> None:
    head = b"POST /api/collections/users/auth-with-password HTTP/1.1\r\nHost: x\r\n"
    with socket.create_connection(("127.0.0.1", hub.port), timeout=5) as connection:
        connection.sendall(head + b"Content-Length: " + length + b"\r\n\r\n")
        assert b" 4" in connection.recv(1000)[:20]
    assert client.get("/api/health").status_code == 200


def test_a_body_that_does_not_come_is_not_awaited_for_ever(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_TIMEOUT_SECONDS", 0.05)
    head = b"POST /api/collections/users/auth-with-password HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab"
    with socket.create_connection(("127.0.0.1", hub.port), timeout=5) as connection:
        connection.sendall(head)
        assert b" 408 " in connection.recv(1000)


def test_large_headers_are_refused(client: httpx2.Client) -> None:
    assert _is_refusal(client.get("/api/health", headers={"X-Large": "x" * MAX_HEADER_BYTES}), 431)
    assert _is_refusal(client.get("/api/health", headers={f"X-{n}": "x" for n in range(MAX_HEADERS)}), 431)
    assert _is_refusal(client.get("/api/health?" + "x" * 20_000), 431)
    assert client.get("/api/health", headers={"X-Large": "x" * (MAX_HEADER_BYTES // 2)}).status_code == 200


def test_garbage_disturbs_nobody(hub: RunningHub, client: httpx2.Client) -> None:
    for garbage in (b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n", b"\x00" * 1000, b"A" * 200_000):
        # The hub may hang up before it has all of it.
        with socket.create_connection(("127.0.0.1", hub.port), timeout=5) as connection, suppress(OSError):
            connection.sendall(garbage)
            connection.shutdown(socket.SHUT_WR)
    assert client.get("/api/health").status_code == 200


def test_an_authorization_header_of_any_bytes_is_no_token(hub: RunningHub) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=5)
    connection.putrequest("GET", "/api/beszel/info")
    connection.putheader("Authorization", b"Bearer \xff\xfe\x80")
    connection.endheaders()
    assert connection.getresponse().status == 401
    connection.close()


def test_a_failure_tells_nothing(hub: RunningHub, caplog: pytest.LogCaptureFixture) -> None:
    async def fail(_: Request) -> Response:
        raise LookupError("a secret detail")

    app = Starlette(
        routes=[Route("/fail", fail)], exception_handlers=exception_handlers(),
        middleware=middleware(HubConfig(), hub.hub.accounts),
    )  # fmt: skip
    answer = TestClient(app, raise_server_exceptions=False).get("/fail")
    assert _is_refusal(answer, 500)
    assert "a secret detail" in caplog.text
    assert "secret" not in answer.text
    assert "LookupError" not in answer.text


def test_other_origins_get_no_cors_and_known_ones_no_credentials(client: httpx2.Client) -> None:
    def preflight(origin: str) -> httpx2.Response:
        asked = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization"}
        headers = {"Origin": origin, **asked}
        return client.options("/api/collections/systems/records", headers=headers)

    allowed = preflight(ORIGIN)
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-credentials" not in allowed.headers
    assert "access-control-allow-origin" not in preflight("https://evil.example").headers
    assert "access-control-allow-origin" not in client.get("/api/health", headers={"Origin": "null"}).headers


CONFIG = HubConfig(
    app_url="https://hub.example.net:8443/beszel", allowed_hosts=("hub.lan",), allowed_origins=("https://grafana.lan",)
)


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        (None, "anything", True),
        ("https://hub.lan", "hub.lan", True),
        ("https://hub.lan:8090", "hub.lan:8090", True),
        ("https://hub.lan:8091", "hub.lan:8090", False),
        ("https://HUB.example.net:8443", "127.0.0.1:8090", True),
        ("https://hub.example.net", "127.0.0.1:8090", False),
        ("https://grafana.lan", "127.0.0.1:8090", True),
        ("http://grafana.lan", "127.0.0.1:8090", False),
        ("https://grafana.lan.evil.example", "127.0.0.1:8090", False),
        ("https://evil.example", "127.0.0.1:8090", False),
        ("null", "127.0.0.1:8090", False),
        ("", "127.0.0.1:8090", False),
        ("file://", "", False),
        ("chrome-extension://abc", "abc", False),
    ],
)
def test_origins(origin: str | None, host: str, allowed: bool) -> None:
    headers = {"host": host} if origin is None else {"host": host, "origin": origin}
    assert is_allowed_origin(Headers(headers), CONFIG) is allowed


def test_no_app_url_allows_no_empty_origin() -> None:
    assert not is_allowed_origin(Headers({"host": "x", "origin": "://"}), HubConfig())


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("localhost", True), ("LOCALHOST:8090", True), ("127.0.0.1:8090", True), ("[::1]:8090", True),
        ("192.0.2.7", True), ("hub.lan", True), ("hub.lan:1", True), ("hub.example.net", True),
        ("evil.example", False), ("", False),
        ("hub.lan.evil.example", False), ("localhost.evil.example", False), ("[::1", False), ("a@localhost", True),
    ],
)  # fmt: skip
def test_hosts(host: str, known: bool) -> None:
    assert is_known_host(host, CONFIG) is known
