"""What wakes the agent between two samples: no ack, but all that is urgent. Over real sockets, plain and TLS."""

import asyncio
import fcntl
import sys
import termios
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from beszel_agent import websocket as websocket_module
from beszel_agent.config import Config
from beszel_agent.websocket import WebSocket
from beszel_protocol.messages import CLOSE_REPLACED, Interval, Request, Response
from beszel_protocol.ranges import SequenceRanges
from tests.support.certificates import make_certificates
from tests.support.linkagent import LinkedAgent, linked
from tests.support.linkhub import LinkHub

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere everything wakes")
PADDING_BYTES = 381
MOST_UNCONFIRMED = 4


class Scene(NamedTuple):
    """An agent that has sent a sample and was told so."""

    hub: LinkHub
    agent: LinkedAgent
    socket: int
    reads: list[int]
    """How much the loop handed over, each time that it was woken to."""

    @property
    def waiting_bytes(self) -> int:
        return int.from_bytes(fcntl.ioctl(self.socket, termios.FIONREAD, bytes(4)), sys.byteorder)

    def unconfirmed(self) -> list[int]:
        return [record.sequence for record in self.agent.spool.oldest(1 << 20, SequenceRanges())]

    async def sample(self) -> None:
        """One more, after which the agent dozes."""
        heard = len(self.hub.records)
        self.agent.append()
        await self.hub.until("heard", lambda: len(self.hub.records) > heard)
        await turns()

    async def until_waiting(self) -> None:
        """Something lies in the agent's socket, and was left there."""
        await self.agent.until("something waits", lambda: self.waiting_bytes > 0)
        await turns()
        assert self.waiting_bytes > 0

    async def until_dozing(self) -> None:
        """Take samples until an ack is left; what was under way before the first may wake the agent once more."""
        while self.waiting_bytes == 0:
            await self.sample()
            await self.agent.until("an ack", lambda: self.waiting_bytes > 0 or not self.unconfirmed())
            await turns()

    async def pad(self) -> None:
        for connection in self.hub.connections:
            for _ in range(3):
                await connection.pong(bytes(125))


async def turns() -> None:
    """Let the loop look at its sockets some times."""
    for _ in range(8):
        await asyncio.sleep(0)


async def answer(params: Mapping[str, Any]) -> dict[str, int]:
    return {"answer": 42}


@asynccontextmanager
async def dozing(monkeypatch: pytest.MonkeyPatch, hub: LinkHub, config: Config) -> AsyncIterator[Scene]:
    sockets: list[int] = []
    reads: list[int] = []
    made, received = WebSocket.connection_made, WebSocket.data_received

    def note_made(self: WebSocket, transport: asyncio.BaseTransport) -> None:
        sockets.append(transport.get_extra_info("socket").fileno())
        made(self, transport)

    def note_received(self: WebSocket, data: bytes) -> None:
        reads.append(len(data))
        received(self, data)

    monkeypatch.setattr(WebSocket, "connection_made", note_made)
    monkeypatch.setattr(WebSocket, "data_received", note_received)
    async with hub.running(), linked(hub, config=config, actions={"ask": answer}) as agent:
        await agent.until("connected", lambda: bool(agent.states))
        scene = Scene(hub, agent, sockets[0], reads)
        await scene.until_dozing()
        reads.clear()
        yield scene


@pytest.fixture(params=["plain", "TLS"])
def act(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[Scene], Awaitable[None]]], None]:
    """Plays a scene."""
    hub, config = LinkHub(padding_bytes=PADDING_BYTES), Config()
    if request.param == "TLS":
        certificates = make_certificates(tmp_path)
        hub.tls, config = certificates.server, Config(ca_file=str(certificates.ca_file))

    def play(script: Callable[[Scene], Awaitable[None]]) -> None:
        async def main() -> None:
            async with asyncio.timeout(30), dozing(monkeypatch, hub, config) as scene:
                await script(scene)

        asyncio.run(main())

    return play


Act = Callable[[Callable[[Scene], Awaitable[None]]], None]


def responses(scene: Scene) -> list[Response]:
    return [message for message in scene.hub.messages if isinstance(message, Response)]


def test_acks_wait_for_a_sample_and_are_read_a_few_at_a_time(act: Act) -> None:
    async def script(scene: Scene) -> None:
        for _ in range(12):
            before = scene.unconfirmed()
            await scene.until_waiting()
            assert scene.unconfirmed() == before
            await scene.sample()
            assert len(scene.unconfirmed()) <= MOST_UNCONFIRMED
        assert len(scene.hub.enrolments) == 1

    act(script)


def test_an_ack_wakes_nobody(act: Act) -> None:
    """The loop reads nothing of a plain connection: the session has done so, being awake."""

    async def script(scene: Scene) -> None:
        for _ in range(12):
            await scene.sample()
            await scene.until_waiting()
        assert len(scene.reads) <= (4 if scene.hub.tls is not None else 0)

    act(script)


def test_a_padded_request_is_answered_at_once(act: Act) -> None:
    async def script(scene: Scene) -> None:
        for number in range(1, 4):
            await scene.hub.send(Request(id=number, action="ask"))
            await scene.pad()
            await scene.hub.until("answered", lambda number=number: len(responses(scene)) == number)  # type: ignore[misc]
            await scene.until_dozing()

    act(script)


def test_after_padding_all_is_read_at_once_until_the_next_sample(act: Act) -> None:
    async def script(scene: Scene) -> None:
        await scene.pad()
        await scene.agent.until("awake", lambda: scene.waiting_bytes == 0)
        await scene.hub.send(Request(id=1, action="ask"))
        await scene.hub.until("answered", lambda: responses(scene))
        await scene.until_dozing()

    act(script)


def test_what_a_hub_forgets_to_pad_is_read_within_a_few_samples(act: Act) -> None:
    async def script(scene: Scene) -> None:
        await scene.hub.send(Request(id=1, action="ask"))
        await scene.until_waiting()
        assert responses(scene) == []
        for _ in range(MOST_UNCONFIRMED):
            await scene.sample()
        await scene.hub.until("answered", lambda: responses(scene))

    act(script)


def test_a_close_after_padding_is_noticed_at_once(act: Act) -> None:
    async def script(scene: Scene) -> None:
        await scene.pad()
        for connection in set(scene.hub.connections):
            await connection.close(CLOSE_REPLACED)
        await scene.agent.until_problem("was this machine cloned?")
        await scene.hub.until("back", lambda: len(scene.hub.enrolments) == 2)

    act(script)


@pytest.mark.parametrize("how", ["reset", "end"])
def test_the_end_of_the_connection_is_noticed_at_once(how: str, act: Act) -> None:
    async def script(scene: Scene) -> None:
        if how == "reset":
            scene.hub.reset_connections()
        else:
            for connection in scene.hub.connections:
                connection.transport.close()
        await scene.agent.until_problem("the connection to the hub broke")
        await scene.hub.until("back", lambda: len(scene.hub.enrolments) == 2)

    act(script)


def test_an_agent_that_measures_seldom_reads_everything_at_once(act: Act) -> None:
    async def script(scene: Scene) -> None:
        await scene.hub.send(Interval(seconds=60.0))
        await scene.pad()
        await scene.agent.until("asked", lambda: scene.agent.intervals[-1] == 60.0)
        for _ in range(3):
            scene.agent.append()
            await scene.agent.until_confirmed()

    act(script)


def test_a_backlog_is_confirmed_without_samples(act: Act) -> None:
    async def script(scene: Scene) -> None:
        scene.hub.acknowledges = False
        for _ in range(40):
            scene.agent.append()
        await scene.hub.until("a batch", lambda: scene.hub.batches)
        scene.hub.acknowledges = True
        await scene.hub.acknowledge()
        await scene.agent.until_confirmed()
        await scene.until_dozing()

    act(script)


def test_the_hubs_pings_are_answered_though_no_sample_comes(act: Act, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_module, "PING_INTERVAL_SECONDS", 0.3)

    async def script(scene: Scene) -> None:
        (connection,) = scene.hub.connections
        for _ in range(3):
            await (await connection.ping())

    act(script)


@pytest.mark.parametrize("padding_bytes", [0, -1, 1 << 20])
def test_a_hub_that_promises_nothing_sensible_is_heard_at_once(padding_bytes: int) -> None:
    async def main() -> None:
        hub = LinkHub(padding_bytes=padding_bytes)
        async with asyncio.timeout(30), hub.running(), linked(hub) as agent:
            for _ in range(3):
                agent.append()
                await agent.until_confirmed()

    asyncio.run(main())
