"""A WebSocket as the link sees it: text frames in and out, each wait with an end."""

from typing import Final, Protocol

SEND_TIMEOUT_SECONDS: Final = 20.0
"""A peer that takes no data for so long is given up."""


class WireClosed(Exception):
    """The connection has ended."""

    code = "wire_closed"


class Wire(Protocol):
    """One connection; the link knows nothing else of HTTP."""

    @property
    def address(self) -> str:
        """Of the peer, as far as trusted proxies tell."""

    @property
    def is_encrypted(self) -> bool:
        """Whether the peer's side of the connection runs over TLS."""

    async def receive(self) -> bytes:
        """The next text frame; raise `WireClosed` at the end, and for a binary frame after refusing it."""

    async def send(self, frame: bytes) -> None:
        """Raise `WireClosed` if the peer is gone or takes no data."""

    async def close(self, code: int, reason: str) -> None:
        """Say why and end; never raises."""
