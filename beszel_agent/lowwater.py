"""How much has to wait in a socket before it wakes the process (SO_RCVLOWAT)."""

import socket
import sys
from asyncio.trsock import TransportSocket
from typing import Final

_LOWEST: Final = 1


class LowWaterMark:
    """Of one connected TCP socket. The end of the connection wakes at any mark.

    Linux alone applies it to who waits for many sockets at once, and says at once what lies there already when it is
    lowered (tcp(7), since 4.18). Elsewhere it stays as it is.
    """

    def __init__(self, connected: TransportSocket) -> None:
        self._socket = connected
        self._wanted = _LOWEST
        self.can_move = sys.platform == "linux" and connected.family in (socket.AF_INET, socket.AF_INET6)
        """False for good where there is no such thing."""

    @property
    def is_raised(self) -> bool:
        return self._wanted > _LOWEST

    def raise_to(self, waiting_bytes: int) -> None:
        """Fewer wake nobody."""
        if waiting_bytes != self._wanted:
            self._set(waiting_bytes)

    def lower(self) -> None:
        """Every byte wakes."""
        if self.is_raised:
            self._set(_LOWEST)

    def _set(self, waiting_bytes: int) -> None:
        if not self.can_move:
            return
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, waiting_bytes)
        except OSError:  # a kernel that does not know it, or a socket that is just gone
            self.can_move = False
        else:
            self._wanted = waiting_bytes
