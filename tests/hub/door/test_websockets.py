"""What a burst of frames that deflate well may cost, against the real server over a real socket."""

import asyncio
import socket
from typing import Any

import uvicorn
from websockets.asyncio.client import connect
from websockets.frames import Frame, Opcode

from beszel_hub.door.websockets import FrugalWebSocketProtocol

FRAME_BYTES = 1 << 20
FRAMES = 60


class Application:
    """Accepts, waits until it is told to, then counts what comes."""

    def __init__(self) -> None:
        self.may_read = asyncio.Event()
        self.received: list[int] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "websocket"
        await receive()
        await send({"type": "websocket.accept"})
        await self.may_read.wait()
        while (event := await receive())["type"] == "websocket.receive":
            self.received.append(len(event["text"]))


class WatchedProtocol(FrugalWebSocketProtocol):
    instances: list["WatchedProtocol"] = []  # noqa: RUF012  # of one test

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instances.append(self)

    @property
    def waiting(self) -> int:
        """Messages that were parsed and not taken."""
        return self.queue.qsize()


async def burst(application: Application, port: int) -> int:
    async with connect(f"ws://127.0.0.1:{port}", proxy=None, max_size=None) as client:
        extensions = client.protocol.extensions
        frame = Frame(Opcode.TEXT, b"x" * FRAME_BYTES).serialize(mask=True, extensions=extensions)
        frames = b"".join(
            Frame(Opcode.TEXT, b"x" * FRAME_BYTES).serialize(mask=True, extensions=extensions)
            for _ in range(FRAMES - 1)
        )
        client.transport.write(frame + frames)
        (protocol,) = WatchedProtocol.instances
        most_waiting = 0
        for _ in range(20):
            await asyncio.sleep(0.01)
            most_waiting = max(most_waiting, protocol.waiting)
        application.may_read.set()
        return most_waiting


def test_frames_that_nobody_takes_are_not_inflated() -> None:
    WatchedProtocol.instances.clear()

    async def run() -> None:
        application = Application()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = uvicorn.Server(
                uvicorn.Config(
                    application, ws=WatchedProtocol, ws_max_size=2 * FRAME_BYTES, lifespan="off", log_config=None
                )
            )
            async with asyncio.TaskGroup() as group:
                group.create_task(server.serve([listener]))
                assert await burst(application, listener.getsockname()[1]) <= 2
                server.should_exit = True
        assert application.received == [FRAME_BYTES] * FRAMES

    asyncio.run(run())


async def echo(scope: Any, receive: Any, send: Any) -> None:
    assert scope["type"] == "websocket"
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": event["text"]})


def test_small_frames_go_undeflated_between_others() -> None:
    texts = ["ä" * 60, "b" * 5000, "", "ä" * 125, "b" * 5000, "c" * 125, "c" * 126]

    async def run() -> list[str | bytes]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = uvicorn.Server(
                uvicorn.Config(echo, ws=FrugalWebSocketProtocol, lifespan="off", log_config=None)
            )  # fmt: skip
            async with asyncio.TaskGroup() as group:
                group.create_task(server.serve([listener]))
                async with connect(f"ws://127.0.0.1:{listener.getsockname()[1]}", proxy=None) as client:
                    for text in texts:
                        await client.send(text)  # all at once: the server reads on although none is taken yet
                    answers = [await client.recv() for _ in texts]
                server.should_exit = True
        return answers

    assert asyncio.run(run()) == texts


def test_pings_of_a_peer_that_reads_no_pongs_fill_no_memory() -> None:
    pings = Frame(Opcode.PING, bytes(125)).serialize(mask=True) * 500

    async def flood(port: int) -> int:
        async with connect(f"ws://127.0.0.1:{port}", proxy=None) as client:
            client.transport.pause_reading()
            (protocol,) = WatchedProtocol.instances
            most_unsent = 0
            for _ in range(200):  # 13 MB, more than the kernel keeps
                client.transport.write(pings)
                while client.transport.get_write_buffer_size():
                    most_unsent = max(most_unsent, protocol.transport.get_write_buffer_size())
                    await asyncio.sleep(0)
            client.transport.resume_reading()
            await client.send("still there")
            assert await client.recv() == "still there"
            return most_unsent

    async def run() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = uvicorn.Server(uvicorn.Config(echo, ws=WatchedProtocol, lifespan="off", log_config=None))
            async with asyncio.TaskGroup() as group:
                group.create_task(server.serve([listener]))
                assert await flood(listener.getsockname()[1]) < 256 << 10
                server.should_exit = True

    WatchedProtocol.instances.clear()
    asyncio.run(run())
