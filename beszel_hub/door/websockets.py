"""WebSockets that hold no more than a frame or two in memory, however well what the peer sends deflates.

The server's own protocol parses everything that one read from the socket brought before it pauses, and a quarter of a
megabyte of deflated zeros is a quarter of a gigabyte of frames. Here bytes are parsed a little at a time, and none
while a message waits to be taken.
"""

from typing import Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

SLICE_BYTES: Final = 1 << 10
"""Deflate makes at most about a megabyte of these."""


class FrugalWebSocketProtocol(WebSocketsSansIOProtocol):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unparsed = bytearray()

    def data_received(self, data: bytes) -> None:
        self._unparsed += data
        self._parse()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unparsed.clear()
        super().connection_lost(exc)

    async def receive(self) -> Any:
        message = await super().receive()
        self._parse()
        return message

    async def send(self, message: Any) -> None:
        await super().send(message)
        self._parse()  # once the hub has closed, the peer's own close may still lie here

    def _parse(self) -> None:
        while self._unparsed and not self.read_paused and not self.transport.is_closing():
            portion = bytes(self._unparsed[:SLICE_BYTES])
            del self._unparsed[:SLICE_BYTES]
            super().data_received(portion)
