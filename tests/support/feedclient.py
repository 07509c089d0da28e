"""A client of the live feed over a real WebSocket."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from beszel_protocol.feed import ClientFrame, Fleet, FleetRow, ServerFrame, Subscribe, encode, server_decoder

T = TypeVar("T")
REPLY_SECONDS = 5.0


class FeedClient:
    """Checks the sequence of every frame it reads, and keeps the fleet as a client would."""

    def __init__(self, websocket: ClientConnection) -> None:
        self.websocket = websocket
        self.rows: dict[str, FleetRow] = {}
        self._sequence = 0

    async def send(self, frame: ClientFrame) -> None:
        await self.websocket.send(encode(frame), text=True)

    async def subscribe(self, *topics: str) -> None:
        await self.send(Subscribe(topics=list(topics)))

    async def receive(self) -> ServerFrame:
        async with asyncio.timeout(REPLY_SECONDS):
            frame: ServerFrame = server_decoder.decode(await self.websocket.recv(decode=False))
        self._sequence += 1
        assert frame.sequence == self._sequence
        if isinstance(frame, Fleet):
            self.rows |= {row.id: row for row in frame.systems}
            for system_id in frame.removed:
                self.rows.pop(system_id, None)
        return frame

    async def receive_until(self, kind: type[T], accept: Callable[[T], bool] = lambda _: True) -> T:
        """The next frame of a kind that is accepted."""
        while True:
            frame = await self.receive()
            if isinstance(frame, kind) and accept(frame):
                return frame

    async def fleet_until(self, accept: Callable[[dict[str, FleetRow]], bool]) -> dict[str, FleetRow]:
        """Read until the fleet looks as wanted."""
        while not accept(self.rows):
            await self.receive()
        return self.rows

    async def close_code(self) -> int | None:
        try:
            while True:
                await self.receive()
        except ConnectionClosed as closed:
            return None if closed.rcvd is None else closed.rcvd.code


@asynccontextmanager
async def feed(
    url: str, token: str | None, *, origin: str | None = None, address: str | None = None
) -> AsyncIterator[FeedClient]:
    """Open the feed with the token in a header, or without one; from a loopback address of one's own."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    if origin is not None:
        headers["Origin"] = origin
    local = None if address is None else (address, 0)
    async with connect(url, additional_headers=headers, proxy=None, max_size=16 << 20, local_addr=local) as websocket:
        yield FeedClient(websocket)
