"""WebSockets that hold no more than a frame or two in memory, however well what the peer sends deflates.

The server's own protocol parses everything that one read from the socket brought before it pauses, and a quarter of a
megabyte of deflated zeros is a quarter of a gigabyte of frames. Here bytes are parsed a little at a time, and none
while a message waits to be taken. Only a peer that sends more meanwhile is no longer read from: telling the kernel so
before every message, and taking it back after, would cost as much as reading it.

What an application marks as urgent is padded with Pong frames (RFC 6455, 5.5.3: nobody answers them), so that it wakes
a peer that lets small messages wait.
"""

from typing import Any, Final

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State

from beszel_hub.agents.wire import PADDING, PADDING_BYTES

SLICE_BYTES: Final = 1 << 10
"""Deflate makes at most about a megabyte of these."""
SMALL_BYTES: Final = 125
"""Up to here a frame is sent as it is: deflating it saves a few bytes and costs both sides more than the rest of it."""
_PONG: Final = Frame(Opcode.PONG, bytes(125)).serialize(mask=False)
_PADDING: Final = _PONG * (PADDING_BYTES // len(_PONG))


class FrugalWebSocketProtocol(WebSocketsSansIOProtocol):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unparsed = bytearray()
        self._late_pongs = b""
        """For a peer that pings and does not read."""

    def data_received(self, data: bytes) -> None:
        self._unparsed += data
        if self.read_paused:
            self.transport.pause_reading()
        self._parse()

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.handshake_initiated and not self.handshake_complete:
            self.scope["extensions"][PADDING] = {}

    def handle_ping(self) -> None:
        """While there is no room, of pongs the last only (RFC 6455 §5.5.3): all of them could fill the memory."""
        if self.writable.is_set() or self.conn.state is not State.OPEN:
            super().handle_ping()
        else:
            self._late_pongs = b"".join(self.conn.data_to_send()) or self._late_pongs

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._is_open and not self.transport.is_closing():
            self.transport.write(self._late_pongs)
        self._late_pongs = b""

    def send_receive_event_to_app(self) -> None:
        # What is parsed waits in `_unparsed` from now on; the transport need not know unless more comes.
        self.read_paused = not self.close_sent
        super().send_receive_event_to_app()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unparsed.clear()
        super().connection_lost(exc)

    async def receive(self) -> Any:
        message = await super().receive()  # reads on once no message waits
        self._parse()
        return message

    async def send(self, message: Any) -> None:
        is_padded = message.pop(PADDING, False)
        text = message.get("text") if message["type"] == "websocket.send" else None
        if text is not None and len(text) <= SMALL_BYTES and self._is_open:
            await self._send_small(text.encode(), _PADDING if is_padded else b"")
        elif is_padded and text is None:
            self._pad()  # as nothing may follow a close
            await super().send(message)
        else:
            await super().send(message)
            if is_padded:
                self._pad()
        self._parse()  # once the hub has closed, the peer's own close may still lie here

    async def _send_small(self, data: bytes, padding: bytes) -> None:
        await self.writable.wait()
        if self.disconnected or not self._is_open:
            raise ClientDisconnected
        self.transport.write(Frame(Opcode.TEXT, data).serialize(mask=False) + padding)

    def _pad(self) -> None:
        if self._is_open and not self.transport.is_closing():
            self.transport.write(_PADDING)

    @property
    def _is_open(self) -> bool:
        return self.handshake_complete and not self.close_sent and self.conn.state is State.OPEN

    def _parse(self) -> None:
        while self._unparsed and not self.read_paused and not self.transport.is_closing():
            portion = bytes(self._unparsed[:SLICE_BYTES])
            del self._unparsed[:SLICE_BYTES]
            super().data_received(portion)
