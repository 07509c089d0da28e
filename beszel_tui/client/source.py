"""Where data comes from, as the rest of the client sees it: a hub, or the demonstration."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from beszel_protocol.containers import LogBatch, LogsQuery
from beszel_protocol.details import HostDetails
from beszel_protocol.processes import ProcessList, ProcessOrder
from beszel_protocol.services import ServiceDetail
from beszel_tui.state.components import DiskRecord
from beszel_tui.state.enrolment import Enrolment
from beszel_tui.state.events import FeedEvent
from beszel_tui.state.series import Columns, Trail

if TYPE_CHECKING:
    from beszel_tui.client.account import Account
    from beszel_tui.client.alerts import AlertDesk

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

    @property
    def account(self) -> "Account | None":
        """Who we are there; None where there is more than one hub, or no real one."""

    async def run(self) -> None:
        """Fill `events` until cancelled, then close."""

    async def close(self) -> None:
        """Let go of what requests have opened; a later request opens it anew."""

    def watch(self, system_id: str | None) -> None:
        """Want the samples of this one system, and of no other."""

    def watch_containers(self, topic: str | None) -> None:
        """Want the containers of a topic of the feed: of all systems, or of one; None for none."""

    def pace(self, seconds: int) -> None:
        """Want to hear of the fleet and of containers no more often than this; of alerts and samples at once."""

    def retry_now(self) -> None:
        """Do not wait for the next attempt to reconnect."""

    @property
    def alerts(self) -> "AlertDesk":
        """Rules, history, quiet hours and channels."""

    async def trail(self, system_id: str, hub_now_ms: int) -> Trail | None:
        """Recent processor usage."""

    async def container_trails(self, system_id: str, names: Sequence[str], hub_now_ms: int) -> Mapping[str, Trail]:
        """Recent processor usage of containers, by name."""

    async def columns(
        self, system_id: str, addresses: Sequence[str], start_ms: int, end_ms: int, points: int
    ) -> Columns:
        """Stored history between two instants of the hub's clock."""

    async def created_ms(self, system_id: str) -> int | None:
        """Since when the hub has this system, by its clock; None if it does not say."""

    async def details(self, system_id: str) -> HostDetails | None:
        """Static facts; None if the agent has not told them yet."""

    def logs(self, system_id: str, query: LogsQuery) -> AsyncIterator[LogBatch]:
        """What a container wrote, as it arrives; with `follow` it goes on until it is closed or the hub ends it."""

    async def inspect(self, system_id: str, container_id: str) -> str:
        """How a container is configured: JSON, indented."""

    async def processes(self, system_id: str, by: ProcessOrder) -> ProcessList:
        """What runs there now, those first that use most."""

    async def service_detail(self, system_id: str, name: str) -> ServiceDetail:
        """What the manager of a service knows of it now."""

    async def disk_detail(self, system_id: str, key: str) -> DiskRecord | None:
        """A disk as the hub has it from its last reading."""

    async def refresh_disks(self, system_id: str) -> None:
        """Have the disks of a system read now, which may take a minute."""

    async def enrol(self, name: str) -> Enrolment:
        """Make a system that waits for its agent."""

    async def enrolment(self, system_id: str, name: str) -> Enrolment:
        """What the agent of a system needs that is there already."""

    async def set_paused(self, system_id: str, *, paused: bool) -> None:
        """Stop or go on collecting."""

    async def set_tags(self, system_id: str, tags: Sequence[str]) -> None:
        """These, and no others."""

    async def delete_system(self, system_id: str) -> None:
        """With all that is stored of it."""
