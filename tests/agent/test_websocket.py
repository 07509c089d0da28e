"""The agent's end of a WebSocket, over real sockets: against the server of websockets, and against what is none."""

import asyncio
import os
import socket
import ssl
import sys
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Response as HttpResponse
from websockets.protocol import Event
from websockets.typing import Subprotocol

from beszel_agent import websocket as websocket_module
from beszel_agent.link import explain
from beszel_agent.websocket import WebSocket, dialled
from beszel_protocol.messages import MAX_FRAME_BYTES
from beszel_protocol.version import LINK_SUBPROTOCOL
from tests.support.certificates import make_certificates

Behaviour = Callable[[ServerConnection], Awaitable[None]]


class CountingConnection(ServerConnection):
    """A server's end that counts the frames of each opcode."""

    opcodes: list[str] = []  # noqa: RUF012  # of one test

    def process_event(self, event: Event) -> None:
        if not isinstance(event, HttpResponse) and hasattr(event, "opcode"):
            self.opcodes.append(event.opcode.name)
        super().process_event(event)


def _deflated(size: int) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (compressor.compress(bytes(size)) + compressor.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\0\0\xff\xff")


def _frame(first: int, data: bytes) -> bytes:
    length = bytes([len(data)]) if len(data) < 126 else b"\x7e" + len(data).to_bytes(2, "big")
    return bytes([first]) + length + data


BOMB = _deflated(4 * MAX_FRAME_BYTES)


@asynccontextmanager
async def talking_to(
    behave: Behaviour, tls: ssl.SSLContext | None = None, trust: ssl.SSLContext | None = None
) -> AsyncIterator[WebSocket]:
    async with (
        asyncio.timeout(30),
        serve(
            behave, "127.0.0.1", 0, subprotocols=[Subprotocol(LINK_SUBPROTOCOL)], ping_interval=None, close_timeout=0.2,
            max_size=2 * MAX_FRAME_BYTES, ssl=tls, create_connection=CountingConnection,
        ) as server,
    ):  # fmt: skip
        port = next(iter(server.sockets)).getsockname()[1]
        url = f"{'ws' if tls is None else 'wss'}://127.0.0.1:{port}/"
        async with dialled(url, headers=(("X-Test", "1"),), tls=trust) as websocket:
            yield websocket


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def hold(connection: ServerConnection) -> None:
    await connection.wait_closed()


@pytest.mark.parametrize("is_encrypted", [False, True], ids=["plain", "TLS"])
def test_what_is_sent_arrives_and_what_comes_is_read_in_order(is_encrypted: bool, tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path) if is_encrypted else None
    messages = [
        b"",
        b"a",
        os.urandom(40).hex().encode(),
        b"b" * 70_000,
        os.urandom(MAX_FRAME_BYTES // 2).hex().encode(),
    ]

    async def main() -> None:
        trust = ssl.create_default_context(cafile=certificates.ca_file) if certificates else None
        async with talking_to(echo, certificates.server if certificates else None, trust) as websocket:
            assert websocket.subprotocol == LINK_SUBPROTOCOL
            for message in messages:
                await websocket.send(message)
            assert [await websocket.receive() for _ in messages] == messages

    asyncio.run(main())


def test_messages_in_fragments_are_put_together_up_to_the_limit() -> None:
    async def fragment(connection: ServerConnection) -> None:
        await connection.send(["", "in ", "three ", ""])
        await connection.send("whole")
        await connection.send(["x" * (MAX_FRAME_BYTES - 1), "xx"])

    async def main() -> None:
        async with talking_to(fragment) as websocket:
            assert [await websocket.receive(), await websocket.receive()] == [b"in three ", b"whole"]
            with pytest.raises(ConnectionClosed) as closed:
                await websocket.receive()
            assert closed.value.sent is not None
            assert closed.value.sent.code == 1009

    asyncio.run(main())


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (_frame(0xA1, b"x"), 1002),
        (_frame(0x83, b"x"), 1002),
        (b"\x81\x81abcdx", 1002),
        (_frame(0x89, b"x" * 126), 1002),
        (_frame(0x09, b"x"), 1002),
        (_frame(0x80, b"x"), 1002),
        (_frame(0x01, b"x") + _frame(0x81, b"y"), 1002),
        (b"\x81\x7f" + b"\xff" * 8, 1009),
        (_frame(0x88, b"x"), 1002),
        (_frame(0x88, b"\x03\xe8\xff"), 1007),
        (_frame(0xC1, b"\xff" * 4), 1002),
        (_frame(0xC1, BOMB), 1009),
        (_frame(0x41, BOMB[:500]) + _frame(0x80, BOMB[500:]), 1009),
    ],
    ids=[
        "reserved bit", "unknown opcode", "masked", "long ping", "ping in part", "end of nothing", "message in message",
        "endless", "half a code", "reason is no text", "no deflate", "bomb", "bomb in parts",
    ],
)  # fmt: skip
def test_what_no_peer_may_send_ends_the_connection(sent: bytes, code: int) -> None:
    async def misbehave(connection: ServerConnection) -> None:
        connection.transport.write(sent)
        await connection.wait_closed()

    async def main() -> None:
        async with talking_to(misbehave) as websocket:
            with pytest.raises(ConnectionClosed) as closed:
                await websocket.receive()
            assert closed.value.sent is not None
            assert closed.value.sent.code == code
            assert explain(closed.value) != "the connection to the hub broke"

    asyncio.run(main())


def test_what_nobody_takes_is_not_read() -> None:
    sent: list[str] = []

    async def flood(connection: ServerConnection) -> None:
        for number in range(80):
            message = f"{number} {os.urandom(MAX_FRAME_BYTES // 4).hex()}"
            await connection.send(message)
            sent.append(message)

    async def main() -> None:
        async with talking_to(flood) as websocket:
            first = await websocket.receive()
            assert len(sent) < 80  # 40 MB, more than the kernel keeps for anybody
            rest = [await websocket.receive() for _ in range(79)]
        assert [first, *rest] == [message.encode() for message in sent]

    asyncio.run(main())


def test_zeros_that_deflate_well_are_inflated_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    offered: list[int] = []

    async def burst(connection: ServerConnection) -> None:
        for _ in range(100):
            await connection.send("0" * MAX_FRAME_BYTES)
        await connection.send("that is all")
        await connection.wait_closed()

    async def main() -> None:
        async with talking_to(burst) as websocket:
            take = websocket._protocol.receive_data

            def count(data: bytes | bytearray) -> None:
                offered.append(len(data))
                take(data)

            monkeypatch.setattr(websocket._protocol, "receive_data", count)
            await websocket.receive()
            for _ in range(50):
                await asyncio.sleep(0)
            assert sum(offered) < 20 << 10  # a megabyte of zeros takes a kilobyte
            while await websocket.receive() != b"that is all":
                pass

    asyncio.run(main())


def test_who_sends_waits_for_room() -> None:
    may_read = asyncio.Event()

    async def read_late(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await may_read.wait()
        connection.transport.resume_reading()
        async for _ in connection:
            pass

    async def main() -> None:
        async with talking_to(read_late) as websocket:

            async def send_much() -> None:
                for _ in range(40):
                    await websocket.send(os.urandom(MAX_FRAME_BYTES // 2).hex().encode())

            sending = asyncio.create_task(send_much())
            done, _ = await asyncio.wait((sending,), timeout=0.3)
            assert not done
            may_read.set()
            await sending

    asyncio.run(main())


def test_pings_of_a_peer_that_reads_no_pongs_fill_no_memory() -> None:
    pings = (b"\x89\x7d" + bytes(125)) * 500

    async def main() -> None:
        flooded = asyncio.Event()

        async def ping_on(connection: ServerConnection) -> None:
            connection.transport.pause_reading()
            for _ in range(200):  # 12 MB, more than the kernel keeps
                connection.transport.write(pings)
                while connection.transport.get_write_buffer_size():  # noqa: ASYNC110 - another end's reading
                    await asyncio.sleep(0)
            flooded.set()
            connection.transport.resume_reading()
            await echo(connection)

        async with talking_to(ping_on) as websocket:
            most_unsent = 0
            while not flooded.is_set():
                most_unsent = max(most_unsent, websocket._transport.get_write_buffer_size())
                await asyncio.sleep(0)
            assert most_unsent < 128 << 10
            await websocket.send(b"still there")
            assert await websocket.receive() == b"still there"
            assert not websocket._late_pongs

    asyncio.run(main())


def test_a_peer_that_answers_pings_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_module, "PING_INTERVAL_SECONDS", 0.02)
    monkeypatch.setattr(websocket_module, "PONG_TIMEOUT_SECONDS", 0.1)
    monkeypatch.setattr(CountingConnection, "opcodes", [])

    async def main() -> None:
        async with talking_to(echo) as websocket:
            while CountingConnection.opcodes.count("PING") < 6:  # noqa: ASYNC110 - another end's events
                await asyncio.sleep(0.01)
            await websocket.send(b"still there")
            assert await websocket.receive() == b"still there"

    asyncio.run(main())


def test_a_peer_that_answers_no_ping_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_module, "PING_INTERVAL_SECONDS", 0.05)
    monkeypatch.setattr(websocket_module, "PONG_TIMEOUT_SECONDS", 0.1)

    async def main() -> None:
        over = asyncio.Event()

        async def play_dead(connection: ServerConnection) -> None:
            connection.transport.pause_reading()
            await over.wait()
            connection.transport.abort()

        async with talking_to(play_dead) as websocket:
            with pytest.raises(ConnectionClosed) as closed:
                await websocket.receive()
            assert explain(closed.value) == "the connection to the hub broke: keepalive ping timeout"
            assert closed.value.sent is not None
            assert closed.value.sent.code == 1011
            with pytest.raises(ConnectionClosed):
                await websocket.send(b"too late")
            assert not websocket.push(b"too late")
            over.set()

    asyncio.run(main())


@pytest.mark.parametrize("answers", [True, False])
def test_closing_waits_a_moment_for_the_answer(answers: bool) -> None:
    codes: list[int | None] = []

    async def main() -> None:
        over = asyncio.Event()

        async def behave(connection: ServerConnection) -> None:
            if not answers:
                connection.transport.pause_reading()
                await over.wait()
                connection.transport.abort()
            await connection.wait_closed()
            codes.append(connection.close_code)

        async with talking_to(behave) as websocket:
            await websocket.close(1001, "enough")
            await websocket.close(1001, "enough")
            with pytest.raises(ConnectionClosed) as closed:
                await websocket.receive()
            assert (closed.value.rcvd is not None) is answers
            over.set()
        assert codes == [1001 if answers else 1006]

    asyncio.run(main())


def test_what_the_peer_said_last_is_told() -> None:
    async def say_goodbye(connection: ServerConnection) -> None:
        await connection.send("last words")
        await connection.close(4403, "not you")

    async def main() -> None:
        async with talking_to(say_goodbye) as websocket:
            assert await websocket.receive() == b"last words"
            with pytest.raises(ConnectionClosed) as closed:
                await websocket.receive()
            assert explain(closed.value) == "the hub closed the connection, 4403 not you"

    asyncio.run(main())


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 502 Bad\r\nContent-Length: 4\r\n\r\nbad\n", "the hub answers HTTP 502; does HUB_URL lead to it?"),
        (b"HTTP/1.1 404 Not Found\r\n\r\nuntil the end", "the hub answers HTTP 404; does HUB_URL lead to it?"),
        (
            b"HTTP/1.1 301 Moved\r\nLocation: https://hub.example\r\nContent-Length: 0\r\n\r\n",
            "the hub answers HTTP 301 and points to https://hub.example; does HUB_URL lead to it?",
        ),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "Sec-WebSocket-Accept"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "did not receive a valid HTTP response"),
        (b"x" * 4000 + b"\r\n", "did not receive a valid HTTP response"),
        (b"", "did not receive a valid HTTP response"),
    ],
    ids=["502", "404 to the end", "elsewhere", "no key", "ssh", "noise", "nothing"],
)  # fmt: skip
def test_what_is_no_websocket_is_told(answer: bytes, said: str) -> None:
    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async def main() -> None:
        async with asyncio.timeout(30), await asyncio.start_server(respond, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(Exception) as failed:  # noqa: PT011 - which one it is `explain` knows
                async with dialled(f"ws://127.0.0.1:{port}/", headers=(), tls=None):
                    pass
            assert said in explain(failed.value)

    asyncio.run(main())


@pytest.mark.skipif(sys.platform != "linux", reason="needs a backlog that the kernel does not go beyond")
def test_an_address_that_leads_nowhere_keeps_nobody_from_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with (
            asyncio.timeout(30),
            serve(hold, "127.0.0.2", 0, subprotocols=[Subprotocol(LINK_SUBPROTOCOL)], close_timeout=0.2) as server,
        ):
            port = next(iter(server.sockets)).getsockname()[1]

            async def resolve(*_: object, **__: object) -> list[object]:
                return [
                    (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))
                    for host in ("127.0.0.3", "127.0.0.2")
                ]

            monkeypatch.setattr(loop, "getaddrinfo", resolve)
            with unanswering("127.0.0.3", port):
                async with dialled(f"ws://hub.example:{port}/", headers=(), tls=None) as websocket:
                    assert websocket.subprotocol == LINK_SUBPROTOCOL

    asyncio.run(main())


@contextmanager
def unanswering(host: str, port: int) -> Iterator[None]:
    """An address whose queue is full: the kernel passes over whoever else would like to connect."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex((host, port))
        yield


def test_a_listener_that_says_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_module, "HANDSHAKE_TIMEOUT_SECONDS", 0.2)
    ended: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        ended.append(await reader.read())
        writer.close()

    async def main() -> None:
        async with asyncio.timeout(30), await asyncio.start_server(listen, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(TimeoutError) as failed:
                async with dialled(f"ws://127.0.0.1:{port}/", headers=(), tls=None):
                    pass
            assert explain(failed.value) == "the hub does not answer"
            while not ended:  # noqa: ASYNC110 - another end's events
                await asyncio.sleep(0.01)

    asyncio.run(main())
