"""Pages of real servers on loopback, well-behaved and not."""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from beszel_agent.checks.http import follow
from beszel_agent.checks.network import Network
from beszel_agent.checks.page import MAX_BODY_BYTES, MAX_HEAD_BYTES
from beszel_agent.checks.probing import Prober
from beszel_agent.errors import TargetDown
from beszel_agent.paths import HostPaths
from beszel_protocol.checks import CheckDefinition, problems_of
from beszel_protocol.reach import IpAddress, Reach
from beszel_protocol.sample import CheckMetrics
from beszel_protocol.targets import parse_url
from tests.support.certificates import make_certificates
from tests.support.scriptedserver import Answer, Conversation, ScriptedServer, page, says, scripted

T = TypeVar("T")
DAY = timedelta(days=1)


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(work, 30))


def define(target: str, **changes: Any) -> CheckDefinition:
    fields = {"name": "page", "kind": "http", "target": target, "allow_private": True, "timeout_seconds": 10.0}
    definition = CheckDefinition(**{**fields, **changes})
    assert problems_of(definition) == {}
    return definition


async def probe(
    definition: CheckDefinition, ca_file: Path | None = None, network: Network | None = None
) -> CheckMetrics:
    return await Prober(HostPaths(), None if ca_file is None else str(ca_file), network).probe(definition)


def probe_answer(answer: Answer, path: str = "/", **changes: Any) -> tuple[CheckMetrics, ScriptedServer]:
    async def main() -> tuple[CheckMetrics, ScriptedServer]:
        async with scripted(answer) as server:
            return await probe(define(server.url(path), **changes)), server

    return run(main())


def test_a_page_that_answers() -> None:
    result, server = probe_answer(says(page()), "/health?deep=1")
    assert (result.up, result.severity, result.status_code, result.state) == (1, 0, 200, "up")
    assert result.latency_ms is not None
    assert 0 < result.latency_ms < 5000
    assert result.certificate_expires_seconds is None
    assert server.heads[0].startswith(b"GET /health?deep=1 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n" % server.port)


@pytest.mark.parametrize(
    ("status", "expected", "up"),
    [("204 No Content", "", 1), ("404 Not Found", "", 0), ("404 Not Found", "404", 1), ("500 Oh", "200-399", 0),
     ("301 Moved", "301", 1), ("304 Not Modified", "", 0)],
)  # fmt: skip
def test_statuses(status: str, expected: str, up: int) -> None:
    result, _ = probe_answer(says(page(b"", status)), expected_status=expected)
    assert (result.up, result.severity, result.status_code) == (up, 0 if up else 2, int(status[:3]))
    assert result.state == ("up" if up else f"it answers with status {status[:3]}")


@pytest.mark.parametrize(
    ("answer", "up"),
    [
        (says(page(b"all is well")), 1),
        (says(page(b"all is w\xc3\xa9ll")), 0),
        (says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nis w\r\n", b"3\r\nell\r\n0\r\n\r\n"), 1),
        (says(b"HTTP/1.0 200 OK\r\n\r\n", b"is ", b"well"), 1),
        (says(page(b"x" * (MAX_BODY_BYTES - 7) + b"is well")), 1),
        (says(page(b"x" * (MAX_BODY_BYTES - 6) + b"is well")), 0),  # ends just past what is looked through
    ],
    ids=["there", "not there", "across chunks", "until the end of the connection", "at the bound", "past it"],
)
def test_keywords(answer: Answer, up: int) -> None:
    result, _ = probe_answer(answer, keyword="is well")
    assert result.up == up
    assert result.state == ("up" if up else "the keyword is not in its answer")


def test_a_body_without_end_is_not_read_to_its_end() -> None:
    async def flood(conversation: Conversation) -> None:
        await conversation.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            await conversation.send(b"x" * 65536)

    result, _ = probe_answer(flood, keyword="is well")
    assert result.state == "the keyword is not in its answer"
    result, _ = probe_answer(flood)
    assert result.up == 1


def test_head_asks_for_no_body() -> None:
    result, server = probe_answer(says(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), method="HEAD")
    assert result.up == 1
    assert server.heads[0].startswith(b"HEAD / ")


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (says(b"SSH-2.0-OpenSSH_9.6\r\n"), "it ended the connection before its answer"),
        (says(bytes(range(256)) * 4), "what it answers is no HTTP"),
        (says(b""), "it ended the connection before its answer"),
        (says(b"HTTP/1.1 200 OK\r\nContent-"), "it ended the connection before its answer"),
        (says(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"), "what it answers is no HTTP"),
        (says(b"HTTP/1.1 200 OK\r\nA: b\x00c\r\n\r\n"), "what it answers is no HTTP"),
        (says(b"HTTP/1.1 200 OK\r\nA: " + b"a" * 2 * MAX_HEAD_BYTES), "the head of its answer is longer than 32 KiB"),
        (says(b"HTTP/1.1 103 Early\r\n\r\n" * 1000), "it announces an answer again and again"),
    ],
    ids=["ssh", "bytes", "nothing", "cut", "length", "control", "huge head", "interim"],
)
def test_garbage(answer: Answer, state: str) -> None:
    result, _ = probe_answer(answer)
    assert (result.up, result.severity, result.state) == (0, 2, state)
    assert result.status_code is None


def test_a_server_that_dribbles_is_given_up() -> None:
    async def dribble(conversation: Conversation) -> None:
        await conversation.send(b"HTTP/1.1 200 OK\r\n")
        while True:
            await conversation.send(b"A: b\r\n")
            await asyncio.sleep(0.05)

    started = time.monotonic()
    result, _ = probe_answer(dribble, timeout_seconds=0.5)
    assert result.state == "no answer within 0.5 s"
    assert time.monotonic() - started < 5


def test_a_body_that_dribbles_is_given_up_too() -> None:
    async def dribble(conversation: Conversation) -> None:
        await conversation.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            await conversation.send(b"x")
            await asyncio.sleep(0.05)

    result, _ = probe_answer(dribble, timeout_seconds=0.5, keyword="is well")
    assert (result.up, result.state) == (0, "no answer within 0.5 s")


async def redirect(conversation: Conversation) -> None:
    """`/3` leads to `/2`, and so on; `/0` is the page."""
    left = int(conversation.path.lstrip("/") or 0)
    if left:
        await conversation.send(page(b"", "302 Found", f"Location: /{left - 1}"))
    else:
        await conversation.send(page(b"is well"))


@pytest.mark.parametrize(
    ("path", "follows", "status", "state"),
    [
        ("/1", True, 200, "up"),
        ("/5", True, 200, "up"),
        ("/6", True, None, "it redirects more than 5 times"),
        ("/1", False, 302, "it answers with status 302"),
    ],
)
def test_redirects_are_followed_so_far(path: str, follows: bool, status: int | None, state: str) -> None:
    keyword = "is well" if follows else ""
    result, _ = probe_answer(redirect, path, follow_redirects=follows, keyword=keyword)
    assert (result.status_code, result.state) == (status, state)


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/b?c", "http://a.example/b?c"),
        ("b", "http://a.example/x/b"),
        ("//b.example/", "http://b.example/"),
        ("https://b.example:8443", "https://b.example:8443/"),
    ],
)
def test_where_a_redirect_leads(location: str, url: str) -> None:
    assert str(follow(parse_url("http://a.example/x/y"), location)) == url


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "gopher://a/", "http://[", "http://a@b/", "http://a/ b", "javascript:1", "http://\xe9/"]
)  # fmt: skip
def test_a_redirect_to_what_is_no_url_of_http(location: str) -> None:
    with pytest.raises(TargetDown, match="no URL of HTTP"):
        follow(parse_url("http://a.example/"), location)


class PublicFace(Network):
    """Takes 127.0.0.1 for public, and everything else for what it is."""

    @staticmethod
    def judge(address: IpAddress) -> Reach:
        return Reach.PUBLIC if str(address) == "127.0.0.1" else Network.judge(address)


@pytest.mark.parametrize(
    "host", ["127.0.0.2", "10.0.0.1", "[::1]", "[::ffff:127.0.0.2]", "inside.example", "2130706434", "169.254.169.254"]
)
def test_no_redirect_leads_into_the_private_network(host: str) -> None:
    async def resolve(name: str) -> Sequence[str]:
        return ["127.0.0.2"] if name in {"inside.example", "2130706434"} else ["1.1.1.1"]

    async def main() -> CheckMetrics:
        async with scripted(says(page(b"a secret"))) as inside:
            answer = says(page(b"", "302 Found", f"Location: http://{host}:{inside.port}/"))
            async with scripted(answer) as outside:
                result = await probe(define(outside.url(), allow_private=False), network=PublicFace(resolve))
            assert outside.connections == 1
            assert inside.connections == 0
            return result

    result = run(main())
    assert (result.up, result.severity, result.status_code) == (None, None, None)
    assert (result.state or "").startswith("refused: it leads to")


def test_a_certificate_tells_when_it_ends(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path, until=90 * DAY)

    async def main() -> CheckMetrics:
        async with scripted(says(page()), tls=certificates.server) as server:
            return await probe(define(server.url(scheme="https")), certificates.ca_file)

    result = run(main())
    assert (result.up, result.severity, result.state) == (1, 0, "up")
    assert result.certificate_expires_seconds == pytest.approx(90 * 86400, abs=60)


@pytest.mark.parametrize(
    ("since", "until", "severity", "state"),
    [
        (-80 * DAY, 10 * DAY, 1, "its certificate ends in 9 days"),
        (-80 * DAY, DAY, 1, "its certificate ends in 23 h"),
        (-1 * DAY, 5 * DAY, 0, "up"),  # one that only lives for days
        (-5 * DAY, DAY, 1, "its certificate ends in 23 h"),
    ],
)
def test_a_certificate_that_ends_soon_is_of_concern(
    since: timedelta, until: timedelta, severity: int, state: str, tmp_path: Path
) -> None:
    certificates = make_certificates(tmp_path, since=since, until=until)

    async def main() -> CheckMetrics:
        async with scripted(says(page()), tls=certificates.server) as server:
            return await probe(define(server.url(scheme="https")), certificates.ca_file)

    result = run(main())
    assert (result.up, result.severity, result.state) == (1, severity, state)


@pytest.mark.parametrize(
    ("trusts", "until", "verify", "up", "expires", "reason"),
    [
        (True, -DAY / 2, True, 0, 0, "certificate has expired"),
        (False, 30 * DAY, True, 0, None, "unable to get local issuer"),
        (False, 30 * DAY, False, 1, 30 * 86400, "up"),
        (False, -DAY / 2, False, 1, 0, "its certificate ends in 0 h"),
    ],
)
def test_certificates_that_are_not_trusted(
    trusts: bool, until: timedelta, verify: bool, up: int, expires: int | None, reason: str, tmp_path: Path
) -> None:
    certificates = make_certificates(tmp_path, until=until)

    async def main() -> CheckMetrics:
        async with scripted(says(page()), tls=certificates.server) as server:
            definition = define(server.url(scheme="https"), verify_certificate=verify)
            return await probe(definition, certificates.ca_file if trusts else None)

    result = run(main())
    assert result.up == up
    assert reason in (result.state or "")
    expected = None if expires is None else pytest.approx(expires, abs=60)
    assert result.certificate_expires_seconds == expected


def test_a_certificate_of_another_name(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path)

    async def resolve(name: str) -> Sequence[str]:
        return ["127.0.0.1"]

    async def main() -> tuple[CheckMetrics, list[str | None]]:
        asked: list[str | None] = []
        certificates.server.sni_callback = lambda _, name, __: asked.append(name)
        async with scripted(says(page()), tls=certificates.server) as server:
            definition = define(server.url(scheme="https", host="other.example"))
            return await probe(definition, certificates.ca_file, Network(resolve)), asked

    result, asked = run(main())
    assert asked == ["other.example"]
    assert (result.up, "Hostname mismatch" in (result.state or "")) == (0, True)


def test_plain_http_where_tls_is_expected(tmp_path: Path) -> None:
    async def main() -> CheckMetrics:
        async with scripted(says(page())) as server:
            return await probe(define(server.url(scheme="https"), timeout_seconds=1.0))

    result = run(main())
    assert result.up == 0
    assert (result.state or "").startswith(("TLS fails", "no answer", "it broke"))


def test_the_name_is_asked_for_at_the_address_that_was_judged() -> None:
    async def resolve(name: str) -> Sequence[str]:
        return ["127.0.0.1"]

    async def main() -> ScriptedServer:
        async with scripted(says(page())) as server:
            result = await probe(define(server.url(host="web.example")), network=Network(resolve))
            assert result.up == 1
            return server

    server = run(main())
    assert b"\r\nHost: web.example:%d\r\n" % server.port in server.heads[0]


def test_authorities_that_cannot_be_loaded_say_nothing_of_the_target(tmp_path: Path) -> None:
    result = run(probe(define("https://127.0.0.1:1/"), tmp_path / "none.pem"))
    assert result.up is None
    assert (result.state or "").startswith("cannot be made")


def test_tls_server_that_says_nothing(tmp_path: Path) -> None:
    async def main() -> CheckMetrics:
        async def silent(conversation: Conversation) -> None:
            await asyncio.sleep(20)

        async with scripted(silent) as server:
            return await probe(define(server.url(scheme="https"), timeout_seconds=0.3))

    assert run(main()).state == "no answer within 0.3 s"
