"""A source whose feed is what a test says, and whose history is what a test put there."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from beszel_protocol.containers import LogBatch, LogsQuery
from beszel_protocol.details import HostDetails
from beszel_protocol.feed import Alert, Alerts, Containers, Fleet, FleetRow, HostContainers, SystemSample
from beszel_protocol.processes import ProcessList, ProcessOrder
from beszel_protocol.sample import Metrics
from beszel_protocol.services import ServiceDetail
from beszel_protocol.timestamps import format_timestamp
from beszel_tui.errors import ClientError, HubRefused, HubUnreachable
from beszel_tui.state.components import DiskRecord
from beszel_tui.state.enrolment import Enrolment
from beszel_tui.state.events import Connected, Disconnected, FeedEvent, Received, Refused
from beszel_tui.state.series import Columns, Trail
from tests.support.alertbook import ScriptedAlerts
from tests.support.containers import make_log_line
from tests.support.scriptedaccount import ScriptedAccount

NOW_MS = 1_795_343_071_000


class ManualClock:
    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms

    def advance(self, seconds: float) -> None:
        self.now_ms += int(seconds * 1000)


class ScriptedSource:
    """Records what it is asked for; says what it is told to say."""

    def __init__(self, clock: ManualClock | None = None) -> None:
        self.label = "hub.example.net"
        self.clock = clock or ManualClock()
        self.events: asyncio.Queue[FeedEvent] = asyncio.Queue(1000)
        self.watched: str | None = None
        self.asked: list[tuple[str, tuple[str, ...], int, int, int]] = []
        self.trails_asked: list[str] = []
        self.paused: list[tuple[str, bool]] = []
        self.retries = 0
        self.paces: list[int] = []
        self.history: Columns | None = None
        self.births_ms: dict[str, int] = {}
        """By system: since when the hub has it."""
        self.births_asked: list[str] = []
        self.trails: dict[str, Trail] = {}
        self.host: HostDetails | None = None
        self.container_topics: list[str | None] = []
        self.container_history: dict[str, Trail] = {}
        """By name."""
        self.log_queries: list[tuple[str, LogsQuery]] = []
        self.log_streams: asyncio.Queue[LogBatch | ClientError | None] = asyncio.Queue()
        """What `logs` tells: batches, then a failure or None for the end."""
        self.inspections: dict[str, str] = {}
        self.processes_asked: list[tuple[str, str]] = []
        self.running: ProcessList | ClientError = HubRefused(502, "no agent here")
        """What `processes` tells."""
        self.services: dict[str, ServiceDetail | ClientError] = {}
        self.disks: dict[str, DiskRecord] = {}
        self.answering = asyncio.Event()
        """Until then nobody hears of services and disks."""
        self.answering.set()
        self.disks_read: list[str] = []
        """Systems whose disks were to be read."""
        self.disk_problem: ClientError | None = None
        self.account: ScriptedAccount | None = ScriptedAccount(self.clock())
        self.tagged: list[tuple[str, tuple[str, ...]]] = []
        self.deleted: list[str] = []
        self.refusal = ""
        """Why tags are not changed and systems not deleted."""
        self.enrolled: list[str] = []
        self.enrol_problem = ""
        self.alerts = ScriptedAlerts()
        self._sequence = 0

    # The source

    async def run(self) -> None:
        await asyncio.Event().wait()

    def watch(self, system_id: str | None) -> None:
        self.watched = system_id

    async def close(self) -> None:
        pass

    def watch_containers(self, topic: str | None) -> None:
        self.container_topics.append(topic)

    async def container_trails(self, system_id: str, names: Sequence[str], hub_now_ms: int) -> Mapping[str, Trail]:
        return {name: trail for name, trail in self.container_history.items() if name in names}

    async def logs(self, system_id: str, query: LogsQuery) -> AsyncIterator[LogBatch]:
        self.log_queries.append((system_id, query))
        while (told := await self.log_streams.get()) is not None:
            if isinstance(told, ClientError):
                raise told
            yield told

    async def inspect(self, system_id: str, container_id: str) -> str:
        if container_id not in self.inspections:
            raise HubRefused(404, "There is nothing here.")
        return self.inspections[container_id]

    def pace(self, seconds: int) -> None:
        self.paces.append(seconds)

    def retry_now(self) -> None:
        self.retries += 1

    async def trail(self, system_id: str, hub_now_ms: int) -> Trail | None:
        self.trails_asked.append(system_id)
        return self.trails.get(system_id)

    async def columns(
        self, system_id: str, addresses: Sequence[str], start_ms: int, end_ms: int, points: int
    ) -> Columns:
        self.asked.append((system_id, tuple(addresses), start_ms, end_ms, points))
        if self.history is None:
            raise HubUnreachable("no history here")
        return self.history

    async def created_ms(self, system_id: str) -> int | None:
        self.births_asked.append(system_id)
        return self.births_ms.get(system_id)

    async def details(self, system_id: str) -> HostDetails | None:
        return self.host

    async def processes(self, system_id: str, by: ProcessOrder) -> ProcessList:
        self.processes_asked.append((system_id, by))
        if isinstance(self.running, ClientError):
            raise self.running
        return self.running

    async def service_detail(self, system_id: str, name: str) -> ServiceDetail:
        await self.answering.wait()
        told = self.services.get(name, HubRefused(404, "There is nothing here."))
        if isinstance(told, ClientError):
            raise told
        return told

    async def disk_detail(self, system_id: str, key: str) -> DiskRecord | None:
        await self.answering.wait()
        return self.disks.get(key)

    async def refresh_disks(self, system_id: str) -> None:
        self.disks_read.append(system_id)
        if self.disk_problem is not None:
            raise self.disk_problem

    async def enrol(self, name: str) -> Enrolment:
        if self.enrol_problem:
            raise HubRefused(400, self.enrol_problem)
        self.enrolled.append(name)
        return make_enrolment(name)

    async def enrolment(self, system_id: str, name: str) -> Enrolment:
        return make_enrolment(name)

    async def set_paused(self, system_id: str, *, paused: bool) -> None:
        self.paused.append((system_id, paused))

    async def set_tags(self, system_id: str, tags: Sequence[str]) -> None:
        if self.refusal:
            raise HubRefused(403, self.refusal)
        self.tagged.append((system_id, tuple(tags)))

    async def delete_system(self, system_id: str) -> None:
        if self.refusal:
            raise HubRefused(403, self.refusal)
        self.deleted.append(system_id)

    # The script

    def connect(self) -> None:
        self.events.put_nowait(Connected(at_ms=self.clock()))

    def lose(self, reason: str = "connection refused", *, retry_seconds: int = 1) -> None:
        at_ms = self.clock()
        self.events.put_nowait(Disconnected(at_ms=at_ms, reason=reason, retry_at_ms=at_ms + retry_seconds * 1000))

    def refuse(self) -> None:
        self.events.put_nowait(Refused(at_ms=self.clock(), reason="the hub does not accept the token"))

    def tell(self, *rows: FleetRow, removed: Sequence[str] = ()) -> None:
        self._sequence += 1
        frame = Fleet(sequence=self._sequence, hub_ms=self.clock(), systems=list(rows), removed=list(removed))
        self.events.put_nowait(Received(at_ms=self.clock(), frame=frame))

    def sample(self, system_id: str, metrics: Metrics) -> None:
        self._sequence += 1
        frame = SystemSample(
            sequence=self._sequence, system=system_id, timestamp=format_timestamp(self.clock()), metrics=metrics
        )
        self.events.put_nowait(Received(at_ms=self.clock(), frame=frame))

    def tell_alerts(self, *alerts: Alert, removed: Sequence[str] = ()) -> None:
        self._sequence += 1
        frame = Alerts(sequence=self._sequence, hub_ms=self.clock(), alerts=list(alerts), removed=list(removed))
        self.events.put_nowait(Received(at_ms=self.clock(), frame=frame))

    def tell_containers(self, *hosts: HostContainers, removed: Sequence[str] = ()) -> None:
        self._sequence += 1
        frame = Containers(sequence=self._sequence, hub_ms=self.clock(), hosts=list(hosts), removed=list(removed))
        self.events.put_nowait(Received(at_ms=self.clock(), frame=frame))

    def write(self, *texts: str, stream: str = "stdout", first: int = 0) -> None:
        """Lines of a log, a second apart; the first of them so many seconds after the clock."""
        lines = [
            make_log_line(text, stream=stream, timestamp=format_timestamp(self.clock() + 1000 * (first + number)))
            for number, text in enumerate(texts)
        ]
        self.log_streams.put_nowait(LogBatch(lines=lines))


def make_enrolment(name: str) -> Enrolment:
    return Enrolment(
        system_id=make_row(name).id, name=name, key="ssh-ed25519 AAAAkey", token="token-of-16-chars",
        hub_url="https://hub.example.net",
    )  # fmt: skip


def make_row(
    name: str,
    *,
    cpu: float | None = 10.0,
    at_ms: int = NOW_MS,
    status: str = "up",
    memory: float | None = 50.0,
    disk: float | None = 40.0,
    tags: Sequence[str] = (),
    **numbers: float | str | bool | list[float] | None,
) -> FleetRow:
    """A row of a system whose id follows from its name."""
    return FleetRow(
        id=f"id{name.encode().hex()[:20]}",
        name=name,
        status=status,  # type: ignore[arg-type]
        updated_ms=at_ms,
        cpu_percent=cpu,
        memory_percent=memory,
        disk_percent=disk,
        tags=list(tags),
        **numbers,  # type: ignore[arg-type]
    )
