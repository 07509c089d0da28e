"""Where messages may go, judged on the address that is connected to."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address

import pytest

from beszel_hub.notifications.egress import FORBIDDEN, PRIVATE, Policy, find
from beszel_hub.notifications.failures import DeliveryFailed, TargetRefused
from beszel_hub.notifications.http_client import Call, send
from beszel_protocol.targets import parse_url
from tests.support.hookserver import Receiver, receiving

OPEN = Policy(allows_private=True)


@pytest.mark.parametrize(
    ("address", "public", "networks", "admin"),
    [
        ("1.1.1.1", True, True, True), ("10.1.2.3", False, True, True), ("192.168.0.1", False, False, True),
        ("127.0.0.1", False, False, True), ("::1", False, False, True), ("fd00::1", False, False, True),
        ("169.254.169.254", False, False, False), ("fd00:ec2::254", False, False, False),
        ("0.0.0.1", False, False, False), ("100.64.0.1", False, False, True),
    ],
)  # fmt: skip
def test_policies(address: str, public: bool, networks: bool, admin: bool) -> None:
    judged = ip_address(address)
    assert Policy().permits(judged) is public
    assert Policy(networks=("10.0.0.0/8", "169.254.0.0/16")).permits(judged) is networks
    assert OPEN.permits(judged) is admin


def test_a_name_is_what_it_resolves_to() -> None:
    async def resolve(_: str) -> Sequence[str]:
        return ["10.0.0.1", "::ffff:127.0.0.1"]

    async def resolve_metadata(_: str) -> Sequence[str]:
        return ["169.254.169.254"]

    with pytest.raises(TargetRefused, match=PRIVATE):
        asyncio.run(find("innocent.example.org", Policy(), resolve))
    assert [str(address) for address in asyncio.run(find("x.example.org", OPEN, resolve))] == ["10.0.0.1", "127.0.0.1"]
    with pytest.raises(TargetRefused, match=FORBIDDEN):
        asyncio.run(find("x.example.org", OPEN, resolve_metadata))


def test_the_connection_goes_where_was_judged(tmp_path: object) -> None:
    """A name that means something else at every look is asked once."""
    looks: list[str] = []

    async def rebinding(host: str) -> Sequence[str]:
        looks.append(host)
        return ["127.0.0.1"] if len(looks) == 1 else ["169.254.169.254"]

    with receiving() as receiver:
        url = receiver.url.replace("127.0.0.1", "rebinding.example.org")
        status = asyncio.run(send(Call(url=parse_url(url), body=b"{}"), OPEN, timeout_seconds=5, resolve=rebinding))
        assert (status, looks) == (200, ["rebinding.example.org"])
        assert receiver.requests[0].headers["Host"] == f"rebinding.example.org:{receiver.port}"


def failure_of(receiver: Receiver, timeout_seconds: float = 5) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        asyncio.run(send(Call(url=parse_url(receiver.url), body=b"{}"), OPEN, timeout_seconds=timeout_seconds))
    return caught.value


def test_redirects_are_refused() -> None:
    with receiving() as inner, receiving(302, headers={"Location": inner.url}) as outer:
        assert "redirects" in failure_of(outer).reason
        assert inner.requests == []


@pytest.mark.parametrize(("status", "is_lasting"), [(404, True), (410, True), (429, False), (500, False), (503, False)])
def test_statuses(status: int, is_lasting: bool) -> None:
    with receiving(status, headers={"Retry-After": "120", "Set-Cookie": "secret-of-the-target"}) as receiver:
        failure = failure_of(receiver)
    assert failure.is_lasting is is_lasting
    assert failure.reason == f"it answers HTTP {status}"
    assert failure.retry_after_seconds == 120


@asynccontextmanager
async def answering(
    speak: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    """The port of a server for one conversation, which is over in the end."""
    is_over = asyncio.Event()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):  # whoever asked may leave first
            await speak(reader, writer)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        is_over.set()

    server = await asyncio.start_server(converse, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
        await asyncio.wait_for(is_over.wait(), 5)
    finally:
        server.close()


def test_a_target_that_says_nothing_is_left() -> None:
    async def idle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX: ")
        await reader.read()

    async def scenario() -> DeliveryFailed:
        async with answering(idle) as port:
            with pytest.raises(DeliveryFailed) as caught:
                await send(Call(url=parse_url(f"http://127.0.0.1:{port}/")), OPEN, timeout_seconds=0.2)
        return caught.value

    assert asyncio.run(scenario()).reason == "it takes too long"


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nA: " + b"x" * 100_000])
def test_a_target_that_speaks_no_http(answer: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)

    async def scenario() -> None:
        async with answering(speak) as port:
            with pytest.raises(DeliveryFailed):
                await send(Call(url=parse_url(f"http://127.0.0.1:{port}/")), OPEN, timeout_seconds=5)

    asyncio.run(scenario())
