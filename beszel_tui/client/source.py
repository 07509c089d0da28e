"""Where data comes from, as the rest of the client sees it: a hub, or the demonstration."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from beszel_protocol.sample import HostDetails
from beszel_tui.state.events import FeedEvent
from beszel_tui.state.series import Columns, Trail

EVENT_QUEUE_SIZE = 256
"""When the client cannot keep up, the feed is not read further: the hub then skips frames and says `resync`."""


class Source(Protocol):
    """One hub. The requests raise `ClientError`."""

    @property
    def label(self) -> str:
        """How people call it."""

    @property
    def events(self) -> "asyncio.Queue[FeedEvent]":
        """What it tells by itself."""

    async def run(self) -> None:
        """Fill `events` until cancelled."""

    def watch(self, system_id: str | None) -> None:
        """Want the samples of this one system, and of no other."""

    def retry_now(self) -> None:
        """Do not wait for the next attempt to reconnect."""

    async def trail(self, system_id: str, hub_now_ms: int) -> Trail | None:
        """Recent processor usage."""

    async def columns(
        self, system_id: str, addresses: Sequence[str], start_ms: int, end_ms: int, points: int
    ) -> Columns:
        """Stored history between two instants of the hub's clock."""

    async def details(self, system_id: str) -> HostDetails | None:
        """Static facts; None if the agent has not told them yet."""

    async def set_paused(self, system_id: str, *, paused: bool) -> None:
        """Stop or go on collecting."""
