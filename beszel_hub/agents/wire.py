"""A WebSocket as the link sees it: text frames in and out, each wait with an end."""

from typing import Final, Protocol

PADDING_BYTES: Final = 381
"""Sent with what is urgent: three Pong frames that nobody asked for, of 125 bytes and a header of two."""
PADDING: Final = "beszel.padding"
"""Among the `extensions` of an ASGI scope if the server can pad; in a message, whether it is to be padded."""
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

    @property
    def padding_bytes(self) -> int:
        """By how much what is urgent is padded; 0 if it cannot be."""

    async def receive(self) -> bytes:
        """The next text frame; raise `WireClosed` at the end, and for a binary frame after refusing it."""

    async def send(self, frame: bytes, *, is_urgent: bool = False) -> None:
        """Raise `WireClosed` if the peer is gone or takes no data.

        What is not urgent an agent may leave unread for a few samples.
        """

    async def close(self, code: int, reason: str) -> None:
        """Say why, urgently, and end; never raises."""
