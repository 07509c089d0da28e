"""Whatever comes in by whatever route, the hub answers with a refusal of its own: never a 500, never a stack trace."""

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.routing import Route

from beszel_hub.actions import Action
from beszel_hub.app import ROUTES
from tests.support.world import NAMES, Caller, World, open_world

SERVED = sorted(
    (method, route.path) for route in ROUTES if isinstance(route, Route) for method in (route.methods or set())
)
COLLECTIONS = [*sorted({action.partition(".")[0] for action in Action if action.endswith(".list")}), "nope"]
NASTY = [
    "", "x" * 5000, "\x00", "\ud800".encode("utf-16", "surrogatepass").decode("utf-16", "replace"), "' OR 1=1 --",
    "../../etc/passwd", "%00%ff", "é\u202e\u2028", "{{7*7}}", "-1", "1e999", "NaN", "null", "true", "9" * 40,
    "\r\nX: y", "[" * 200, "info.cpu > 1", "users.email ~ 'a'", "@now", "id ?= 'x'", "a" * 15, '{"a":',
    "$where", "\U0001f4a9",
]  # fmt: skip
PARAMETERS = [
    "filter", "sort", "fields", "expand", "page", "perPage", "skipTotal", "system", "metric", "from", "to", "points",
    "token", "enable", "permanent", "container", "service", "format", "options", "resolution",
]  # fmt: skip
FIELDS = [
    "id", "name", "host", "port", "status", "users", "tags", "interval", "info", "email", "username", "role",
    "password", "passwordConfirm", "oldPassword", "identity", "clientId", "subscriptions", "requests", "settings",
    "user", "scope", "systems", "expires", "otpId", "mfaId", "code", "provider", "redirectURL", "codeVerifier", "token",
    "fingerprint", "system", "@jsonPayload",
]  # fmt: skip
WORDS = st.sampled_from([*NASTY, *NAMES.values()]) | st.text(max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=8,
)
BODIES = st.one_of(
    st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=8).map(lambda value: json.dumps(value).encode()),
    VALUES.map(lambda value: json.dumps(value).encode("utf-16")),
    st.binary(max_size=200),
    st.sampled_from([b"", b"{", b"{}" * 1000, b"\xef\xbb\xbf{}", b"[" * 5000, b'{"a":1,"a":2}', b"\x1f\x8b\x08\x00"]),
)
DEEP = [b'{"x":' + b"[" * depth + b"]" * depth + b"}" for depth in (900, 100_000)] + [
    b'{"settings":' + b'{"a":' * 400 + b"1" + b"}" * 401,
    b'{"requests":[' + b"{}," * 300 + b"{}]}",
]
ORIGINS = st.sampled_from([
    "null", "http://[", "https://evil.example", "http://a]b", "//", "http://127.0.0.1:99999", "file:///etc", "http://",
])  # fmt: skip
UPGRADE = (
    b"Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
KINDS = st.sampled_from([
    "application/json", "multipart/form-data; boundary=x", "multipart/form-data", "text/plain; charset=utf-7",
    "application/x-www-form-urlencoded", "application/json; charset=\u00ff", "",
])  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("world")) as opened:
        yield opened


@st.composite
def paths(draw: st.DrawFn, route: str) -> str:
    for name in ("{collection}", "{id}"):
        if name in route:
            known = st.sampled_from(COLLECTIONS if name == "{collection}" else list(NAMES.values()))
            route = route.replace(name, quote(draw(known | WORDS)[:200], safe="") or "x")
    return route


def _answer(world: World, method: str, path: str, **request: Any) -> tuple[int, str]:
    """The status and the beginning of the body, which an event stream has no end of."""
    with (
        httpx2.Client(base_url=world.running.url, timeout=10) as client,
        client.stream(method, path, **request) as answer,
    ):
        if answer.headers.get("content-type", "").startswith("text/event-stream"):
            return answer.status_code, ""
        return answer.status_code, answer.read().decode()


@given(data=st.data())
@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_request_makes_the_hub_fail(world: World, data: st.DataObject) -> None:
    method, route = data.draw(st.sampled_from(SERVED))
    path = data.draw(paths(route))
    parameters = data.draw(st.dictionaries(st.sampled_from(PARAMETERS), WORDS, max_size=4))
    body = data.draw(BODIES) if method not in {"GET", "HEAD"} else b""
    token = world.token(data.draw(st.sampled_from([Caller.ANONYMOUS, Caller.USER, Caller.ADMIN, Caller.READONLY])))
    headers = {b"Content-Type": data.draw(KINDS).encode("latin-1")}
    if token is not None:
        headers[b"Authorization"] = token.encode()
    if data.draw(st.booleans()):
        headers[b"Origin"] = data.draw(ORIGINS).encode()
    status, text = _answer(world, method, path, params=parameters, content=body, headers=headers)
    world.forget_attempts()
    if status < 300 and method not in {"GET", "HEAD"}:
        world.reset()
    assert status < 500, (method, path, parameters, body, text)
    if status >= 400 and method != "HEAD":
        refusal = json.loads(text)
        assert refusal["status"] == status
        assert refusal.keys() == {"data", "message", "status"}
    assert "Traceback" not in text


@pytest.mark.parametrize(("method", "route"), SERVED, ids=[f"{method} {route}" for method, route in SERVED])
def test_every_route_withstands_what_is_deep_odd_and_foreign(world: World, method: str, route: str) -> None:
    """What chance seldom draws, tried at every route there is."""
    path = route.replace("{collection}", "user_settings").replace("{id}", "x" * 15)
    requests: list[dict[str, Any]] = [{"headers": {"Origin": "http://["}}, {"headers": {"Host": "a]b"}}]
    if method not in {"GET", "HEAD"}:
        requests += [{"content": body, "headers": {"Content-Type": "application/json"}} for body in DEEP]
    has_changed = False
    for request in requests:
        request["headers"]["Authorization"] = world.token(Caller.USER)
        status, text = _answer(world, method, path, **request)
        world.forget_attempts()
        assert status < 500, (request["headers"], text)
        has_changed |= status < 300 and method not in {"GET", "HEAD"}
    if has_changed:
        world.reset()


@pytest.mark.parametrize(
    "lines",
    [
        b"GET /api/collections/%ff%fe/records HTTP/1.1", b"GET /api/collections/systems/records?filter=%ff HTTP/1.1",
        b"GET /api/collections/systems/records?%00=%00&filter HTTP/1.1", b"GET //api//health HTTP/1.1",
        b"GET /api/health/../health HTTP/1.1", b"GET http://evil.example/api/health HTTP/1.1",
        b"OPTIONS * HTTP/1.1", b"BREW /api/health HTTP/1.1", b"GET /api/health HTTP/1.1\r\nHost: \xff\xff",
        b"GET /api/health HTTP/1.1\r\nAuthorization: Bearer \xe2\x80\xa8",
        b"GET /api/beszel/first-run HTTP/1.1\r\nHost:",
        b"POST /api/batch HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=\xff\r\nContent-Length: 3\r\n\r\nabc",
        b"POST /api/batch HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"GET /api/beszel/feed HTTP/1.1", b"GET /api/beszel/feed HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket",
        b"GET /api/beszel/agent-connect HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c",
        b"GET /" + b"%2e%2e%2f" * 400 + b" HTTP/1.1", b"GET /api/realtime HTTP/1.1\r\nOrigin: \xff",
        b"GET /api/beszel/feed HTTP/1.1\r\n" + UPGRADE + b"Origin: http://[",
    ],
)  # fmt: skip
def test_odd_bytes_on_the_wire_are_refused(world: World, lines: bytes) -> None:
    head = lines if b"\r\n\r\n" in lines else lines + b"\r\nX-End: 1\r\n\r\n"
    if b"Host" not in head:
        request_line, _, rest = head.partition(b"\r\n")
        head = request_line + b"\r\nHost: localhost\r\n" + rest
    with socket.create_connection(("127.0.0.1", world.running.port), timeout=5) as connection:
        connection.sendall(head)
        answer = connection.recv(4096)
    assert answer.startswith(b"HTTP/1.1 ")
    assert not answer.startswith(b"HTTP/1.1 5")
    assert b"Traceback" not in answer
