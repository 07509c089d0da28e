"""The only writer of the state: takes what the source tells, reduces it in batches, and tells the screens.

Events are gathered for `BATCH_SECONDS` before the screens hear of them, so a thousand systems cost ten paints a second
at most. One tick a second moves the clocks. Requests run as tasks of one group and come back as events.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final, TypeVar

from textual.app import App
from textual.signal import Signal

from beszel_protocol.containers import LogBatch, LogsQuery
from beszel_protocol.feed import Resync
from beszel_protocol.processes import ProcessOrder
from beszel_tui.client.source import Source
from beszel_tui.errors import ClientError, Unauthorized
from beszel_tui.pages import Pages
from beszel_tui.state.enrolment import Enrolment
from beszel_tui.state.events import (
    AlertBookFailed,
    AlertBookLoaded,
    Connected,
    ContainersChosen,
    DetailsLoaded,
    Event,
    HistoryFailed,
    HistoryLoaded,
    ProcessesFailed,
    ProcessesLeft,
    ProcessesLoaded,
    Received,
    SystemClosed,
    SystemOpened,
    Ticked,
    WindowChosen,
    concerns_alerts,
)
from beszel_tui.state.model import State
from beszel_tui.state.reduce import reduce
from beszel_tui.state.series import Columns
from beszel_tui.state.windows import Window
from beszel_tui.timemachine import TimeMachine
from beszel_tui.trails import Trails

BATCH_SECONDS: Final = 0.1
TICK_SECONDS: Final = 1.0
SLOW_SECONDS: Final = 5.0
"""In place of both, for lines that carry little."""
AWAY_SECONDS: Final = 15.0
"""In place of both, while nobody looks."""
AWAY_PACE_SECONDS: Final = 4
"""In which a hub tells an absent reader what changed: each column of a sparkline still has its reading."""
LEAST_REFRESH_SECONDS: Final = 10.0
"""History that follows the clock is asked for again no more often."""
PARALLEL_REQUESTS: Final = 4
REQUEST_SECONDS: Final = 20.0
LONG_SECONDS: Final = 75.0
"""Of what the hub itself may wait a minute for."""
_FINAL: Final = frozenset({400, 403, 404})
"""Answers that another attempt would not change."""
PROCESSES_SECONDS: Final = 2.0
"""Between an answer and the next question; the host takes half a second for each."""
PROCESSES_RETRY_SECONDS: Final = 10.0
ALERTS_DELAY_SECONDS: Final = 0.1
"""Several alerts at once are one question."""
SETTLE_SECONDS: Final = 0.05
"""A hand on `zoom` asks many times; only the last one reaches the hub."""


AnswerT = TypeVar("AnswerT")


class Bridge:
    def __init__(self, app: App[Any], source: Source, clock: Callable[[], int], *, is_slow: bool = False) -> None:
        self.source = source
        self._batch_seconds, self._tick_seconds = (SLOW_SECONDS,) * 2 if is_slow else (BATCH_SECONDS, TICK_SECONDS)
        self.changed: Signal[State] = Signal(app, "state changed")
        self._is_away = False
        self._clock = clock
        self._state = State(hub=source.label, now_ms=clock())
        self._group: asyncio.TaskGroup | None = None
        self._requests = asyncio.Semaphore(PARALLEL_REQUESTS)
        self._wanted: list[str] = []
        self._history_points = 0
        self._history_task: asyncio.Task[None] | None = None
        self._history_at_ms = 0
        self._processes_wanted: tuple[str, ProcessOrder] | None = None
        self._processes_task: asyncio.Task[None] | None = None
        self.trails = Trails(source, lambda: self._state, self._apply, self._load, self._requests, REQUEST_SECONDS)
        pages = Pages(
            lambda: self._state.hub_now_ms, self._apply, self._load, self._past_columns, self._created_ms
        )  # fmt: skip
        self.times = TimeMachine(lambda: self._state, self._apply, self.choose_window, pages)
        self._alert_viewers: set[object] = set()
        self._alerts_task: asyncio.Task[None] | None = None
        self._viewers: dict[object, str] = {}
        """By who looks at containers: the topic of the feed."""

    @property
    def pace_seconds(self) -> float:
        """How long events are gathered. What there is to begin with comes in pieces, which do not wait so long."""
        if not self._state.loaded:
            return BATCH_SECONDS
        return AWAY_SECONDS if self._is_away else self._batch_seconds

    @property
    def state(self) -> State:
        return self._state

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            group.create_task(self._pump(), name="feed")
            group.create_task(self._tick(), name="tick")

    def absorb(self) -> None:
        """Take in what is already there, before the first picture."""
        events = self._waiting()
        if events:
            self._apply(events)

    def rest(self, *, is_away: bool) -> None:
        """Whether nobody looks; who comes back finds everything as it is now."""
        if is_away != self._is_away:
            self._is_away = is_away
            self.source.pace(AWAY_PACE_SECONDS if is_away else 1)
        if not is_away:
            self._apply([*self._waiting(), Ticked(at_ms=self._clock())])

    # What the screens ask for

    def open_system(self, system_id: str) -> None:
        self._apply([SystemOpened(system_id=system_id)])
        self.source.watch(system_id)
        self._load(self._load_details(system_id))
        self._reload_history()
        self.times.follow_charts()

    def close_system(self) -> None:
        self.source.watch(None)
        self._apply([SystemClosed()])

    def choose_window(self, window: Window) -> None:
        self._apply([WindowChosen(window=window)])
        self._reload_history()

    def want_series(self, addresses: Sequence[str], points: int) -> None:
        """What the charts on the screen draw, and how many columns of dots they have: more is not asked for."""
        if list(addresses) != self._wanted or points > self._history_points:
            self._wanted = list(addresses)
            self._history_points = points
            self._reload_history()

    def watch_containers(self, viewer: object, topic: str | None) -> None:
        """Want the containers of all systems, of one, or none; of several viewers the newest has its way."""
        before = self._container_topic
        self._viewers.pop(viewer, None)
        if topic is not None:
            self._viewers[viewer] = topic
        if self._container_topic != before:
            self.source.watch_containers(self._container_topic)
            self._apply([ContainersChosen()])

    @property
    def _container_topic(self) -> str | None:
        return next(reversed(self._viewers.values()), None)

    def read_logs(
        self, system_id: str, query: LogsQuery, told: Callable[[LogBatch], None], ended: Callable[[str, bool], None]
    ) -> "asyncio.Task[None] | None":
        """Tell batches as they arrive, until the task is cancelled or the stream ends.

        `ended` hears why, and whether asking again may help.
        """
        return self._load(self._read_logs(system_id, query, told, ended))

    def want_processes(self, order: ProcessOrder | None) -> None:
        """What runs on the open system, again and again until this is called with None."""
        focus = self._state.focus
        wanted = None if order is None or focus is None else (focus.system_id, order)
        if wanted == self._processes_wanted:
            return
        had, self._processes_wanted = self._processes_wanted, wanted
        if self._processes_task is not None:
            self._processes_task.cancel()
            self._processes_task = None
        if wanted is not None:
            self._processes_task = self._load(self._follow_processes(*wanted))
        elif had is not None:
            self._apply([ProcessesLeft()])

    def set_paused(self, system_id: str, *, paused: bool, failed: Callable[[str], None]) -> None:
        self.ask(lambda: self.source.set_paused(system_id, paused=paused), lambda _: None, failed)

    def enrol(self, name: str, done: Callable[[Enrolment], None], failed: Callable[[str], None]) -> None:
        """Make a system; one of this name that still waits for its agent is shown again."""
        known = next((row for row in self._state.systems.values() if row.name == name), None)
        if known is None:
            self.ask(lambda: self.source.enrol(name), done, failed)
        elif known.status == "pending":
            self.ask(lambda: self.source.enrolment(known.id, name), done, failed)
        else:
            failed(f"there is a system called {name}, and its agent has come already")

    def ask(
        self, request: Callable[[], Awaitable[AnswerT]], done: Callable[[AnswerT], None],
        failed: Callable[[str], None], *, is_long: bool = False,
    ) -> None:  # fmt: skip
        """What the state has no place for; `failed` hears a sentence. Nothing else waits for what is long."""
        self._load(self._ask(request, done, failed, is_long=is_long))

    def watch_alerts(self, viewer: object, *, looks: bool) -> None:
        """Whether somebody looks at rules, history and the rest, which are read again whenever an alert changes."""
        if looks == (viewer in self._alert_viewers):
            return
        self._alert_viewers ^= {viewer}
        if looks:
            self.read_alerts()

    def read_alerts(self) -> None:
        """Soon, and once for all who ask until then."""
        if self._alerts_task is None and self._state.is_live:
            self._alerts_task = self._load(self._read_alerts())

    # Inside

    async def _pump(self) -> None:
        while True:
            first = await self.source.events.get()
            self._apply([first, *self._waiting()])
            await asyncio.sleep(self.pace_seconds)

    async def _tick(self) -> None:
        while True:
            seconds = AWAY_SECONDS if self._is_away else self._tick_seconds
            await asyncio.sleep(seconds - self._clock() % 1000 / 1000)
            self._apply([Ticked(at_ms=self._clock())])
            self.times.tick()
            self._refresh_history()

    def _waiting(self) -> list[Event]:
        events: list[Event] = []
        queue = self.source.events
        while not queue.empty():
            events.append(queue.get_nowait())
        return events

    def _apply(self, events: list[Event]) -> None:
        self._state = reduce(self._state, events)
        if any(isinstance(getattr(event, "event", event), Connected) for event in events):
            self.trails.forget()
            self._reload_history()
        elif any(isinstance(event, Received) and isinstance(event.frame, Resync) for event in events):
            self._reload_history()
        if self._alert_viewers and any(concerns_alerts(event) for event in events):
            self.read_alerts()
        self.changed.publish(self._state)

    def _load(self, request: Coroutine[Any, Any, None]) -> "asyncio.Task[None] | None":
        if self._group is None:
            request.close()
            return None
        return self._group.create_task(request)

    async def _load_details(self, system_id: str) -> None:
        try:
            async with asyncio.timeout(REQUEST_SECONDS), self._requests:
                details = await self.source.details(system_id)
        except (ClientError, TimeoutError):
            return  # the strip above the charts goes without
        if details is not None:
            self._apply([DetailsLoaded(system_id=system_id, details=details)])

    def _reload_history(self) -> None:
        focus = self._state.focus
        if focus is None or not self._wanted or not self._state.is_live:
            return
        if self._history_task is not None:
            self._history_task.cancel()
        self._history_at_ms = self._state.now_ms
        self._history_task = self._load(self._load_history(focus.system_id, focus.window))

    def _refresh_history(self) -> None:
        """Ask again for a window that follows the clock, once it has moved by a column."""
        focus = self._state.focus
        if focus is None or focus.window.live or not focus.window.follows or focus.loading:
            return
        column_seconds = focus.window.span_ms / max(1, self._history_points) / 1000
        if self._state.now_ms - self._history_at_ms >= 1000 * max(LEAST_REFRESH_SECONDS, column_seconds):
            self._reload_history()

    async def _past_columns(
        self, system_id: str, addresses: Sequence[str], start_ms: int, end_ms: int, points: int
    ) -> Columns:
        async with self._requests, asyncio.timeout(REQUEST_SECONDS):
            return await self.source.columns(system_id, addresses, start_ms, end_ms, points)

    async def _created_ms(self, system_id: str) -> int | None:
        async with self._requests, asyncio.timeout(REQUEST_SECONDS):
            return await self.source.created_ms(system_id)

    async def _load_history(self, system_id: str, window: Window) -> None:
        start_ms, end_ms = window.bounds(self._state.hub_now_ms)
        points = window.span_ms // 1000 if window.live else self._history_points
        await asyncio.sleep(SETTLE_SECONDS)
        try:
            async with asyncio.timeout(REQUEST_SECONDS), self._requests:
                columns = await self.source.columns(system_id, self._wanted, start_ms, end_ms, points)
        except (ClientError, TimeoutError) as error:
            reason = str(error) or "the hub does not answer"
            self._apply([HistoryFailed(system_id=system_id, window=window, reason=reason)])
        else:
            self._apply([HistoryLoaded(system_id=system_id, window=window, columns=columns)])

    async def _follow_processes(self, system_id: str, order: ProcessOrder) -> None:
        """Asks over and over, less often while nobody answers; an answer that is final ends it."""
        while True:
            pause_seconds = PROCESSES_SECONDS
            try:
                async with asyncio.timeout(REQUEST_SECONDS), self._requests:
                    told = await self.source.processes(system_id, order)
            except (ClientError, TimeoutError) as error:
                self._apply([ProcessesFailed(system_id=system_id, reason=str(error) or "the hub does not answer")])
                if isinstance(error, Unauthorized) or getattr(error, "status", 0) in _FINAL:
                    return
                pause_seconds = PROCESSES_RETRY_SECONDS
            else:
                self._apply([ProcessesLoaded(system_id=system_id, processes=told)])
            await asyncio.sleep(pause_seconds)

    async def _read_logs(
        self, system_id: str, query: LogsQuery, told: Callable[[LogBatch], None], ended: Callable[[str, bool], None]
    ) -> None:
        try:
            async for batch in self.source.logs(system_id, query):
                told(batch)
        except ClientError as error:
            ended(str(error), not isinstance(error, Unauthorized) and getattr(error, "status", 0) not in _FINAL)
        else:
            ended("", query.follow)

    async def _ask(
        self, request: Callable[[], Awaitable[AnswerT]], done: Callable[[AnswerT], None],
        failed: Callable[[str], None], *, is_long: bool = False,
    ) -> None:  # fmt: skip
        gate = contextlib.nullcontext() if is_long else self._requests
        try:
            async with asyncio.timeout(LONG_SECONDS if is_long else REQUEST_SECONDS), gate:
                answer = await request()
        except (ClientError, TimeoutError) as error:
            failed(str(error) or "the hub does not answer")
        else:
            done(answer)

    async def _read_alerts(self) -> None:
        await asyncio.sleep(ALERTS_DELAY_SECONDS)
        self._alerts_task = None  # what changes from now on needs another answer
        await self._ask(
            self.source.alerts.read,
            lambda book: self._apply([AlertBookLoaded(book=book)]),
            lambda reason: self._apply([AlertBookFailed(reason=reason)]),
        )
