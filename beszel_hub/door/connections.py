"""HTTP connections that cost little while they are slow: heads that do not come, answers that nobody reads.

The server itself waits for both for ever. Bodies have a time of their own in `limits`.
"""

import asyncio
from typing import Any, Final, cast

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

HEAD_SECONDS: Final = 10.0
"""From the connection, or the first byte of a later request, to the end of the head."""
STALL_SECONDS: Final = 20.0
"""Within this time a client that is behind must have read something."""


class PatientHttpProtocol(H11Protocol):
    """Patient, but not endlessly."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_head()
        if self._stall_timer is not None:
            self._stall_timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        before = cast("RequestResponseCycle | None", self.cycle)  # there is none before the first request
        if self._head_timer is None and (before is None or before.response_complete):
            self._await_head()
        super().data_received(data)
        if self.cycle is not before or self.transport.get_protocol() is not self:
            self._end_head()  # the head is whole; a WebSocket has a protocol of its own

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stall_timer is None:
            self._watch_reader()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        if self._stall_timer is None and self.transport.get_write_buffer_size():
            self._watch_reader()  # closing waits for the client to take what is left

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _end_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _watch_reader(self) -> None:
        unread_bytes = self.transport.get_write_buffer_size()
        self._stall_timer = self.loop.call_later(STALL_SECONDS, self._check_reader, unread_bytes)

    def _check_reader(self, unread_bytes: int) -> None:
        self._stall_timer = None
        now_unread = self.transport.get_write_buffer_size()
        if now_unread == 0:
            return
        if now_unread >= unread_bytes:
            self.transport.abort()
        else:
            self._watch_reader()
