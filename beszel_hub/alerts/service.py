"""Alerts as the hub runs them: feeds the engine, and stores its steps together with what delivery makes of them.

A step leaves the engine's memory at once and the hub in one transaction: history, state, and whatever `on_transition`
writes. What is not committed when the hub dies never happened, and the engine comes to the same step again.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeVar

from beszel_hub.alerts import queries
from beszel_hub.alerts.derived import COUNTED_EVENTS
from beszel_hub.alerts.engine import Engine, Watched
from beszel_hub.alerts.moment import Moment
from beszel_hub.alerts.recollector import Recollector
from beszel_hub.alerts.rule import InvalidRule, Rule
from beszel_hub.alerts.silences import About, Silence, is_silent
from beszel_hub.alerts.steps import Kept, Place, Step
from beszel_hub.alerts.telling import Told, summarize, tell
from beszel_hub.alerts.transition import OnTransition, Transition
from beszel_hub.alerts.trial import Trial, run_trial
from beszel_hub.alerts.trial_request import TrialRequest
from beszel_hub.alerts.validation import check_rule
from beszel_hub.clock import Clock
from beszel_hub.errors import HubError, NotFound
from beszel_hub.permissions import Actor
from beszel_hub.scheduler import Job
from beszel_hub.store.database import Database
from beszel_hub.store.ids import new_id
from beszel_hub.systems.directory import Directory, Entry
from beszel_protocol.containers import ContainerFacts
from beszel_protocol.messages import Event
from beszel_protocol.sample import Metrics

SAVE_SECONDS: Final = 5.0
"""How long the worst value of an alert, or the beginning of a wait, may be in memory only."""
RETRY_SECONDS: Final = 1.0
FAILURE_SECONDS: Final = 10.0
"""After what should not have happened."""
MAX_WAITING: Final = 20_000
"""Steps that wait for a database that does not answer; the oldest go beyond that, and are told in the log."""

LONGEST_RAW_MS: Final = 3_600_000
"""Over the API a rule is tried on single samples for no longer, and on minutes beyond."""

T = TypeVar("T")

log = logging.getLogger(__name__)


class Live(Protocol):
    """What alerts need of a sample that has just arrived."""

    @property
    def system_id(self) -> str: ...
    @property
    def instant_ms(self) -> int: ...
    @property
    def metrics(self) -> Metrics: ...


class Alerts:
    """`monotonic_ms` never goes back; `on_transition` runs inside the transaction that stores a step."""

    def __init__(
        self, database: Database, directory: Directory, clock: Clock, monotonic_ms: Callable[[], int],
        on_transition: OnTransition = lambda _: None,
    ) -> None:  # fmt: skip
        self.on_transition = on_transition
        self.end_plans: Callable[[str], None] = lambda _: None
        """Nobody is to be told of this alert again; runs inside the transaction that stores why."""
        self.on_told: list[Callable[[Sequence[Told]], None]] = []
        """Told on the event loop which steps were committed."""
        self.on_acknowledged: list[Callable[[str], None]] = []
        self._database = database
        self._directory = directory
        self._clock = clock
        self._monotonic_ms = monotonic_ms
        self._engine = Engine(new_id, self._moment())
        self.past = Recollector(database, directory, self._engine, clock, monotonic_ms)
        self._silences: list[Silence] = []
        self._admins: frozenset[str] = frozenset()
        self._names: dict[str, Entry] = {}
        self._waiting: list[Told] = []
        self._unsaved: dict[Place, Kept] = {}
        self._has_waiting = asyncio.Event()
        self._saving = asyncio.Lock()
        self._loading = asyncio.Lock()
        self._trying = asyncio.Lock()
        self._asked = self._answered = 0
        self._marks: tuple[object, ...] = ()
        self._saved_ms = monotonic_ms()
        self._is_open = False

    async def open(self) -> list[Told]:
        """Go on where the last hub on this database stopped; gives what fires already, as it was last told."""
        await self._load()
        states, alive_ms = await self._database.read(queries.load_states)
        orphans = self._engine.restore(states, alive_ms, self._moment())
        now_ms = self._clock()
        await self._database.write(lambda: self._note_start(orphans, now_ms))
        await self.past.remember_events(self.event_arrived)
        self._is_open = True
        return [self._tell(step) for kept in states if (step := self._engine.step_of(kept)) is not None]

    def jobs(self, tick_seconds: float) -> tuple[Job, ...]:
        return (
            Job("alerts", tick_seconds, self.tick),
            Job("windows of alerts", tick_seconds, self.past.recall),
            Job("rules of alerts", 10.0, self.follow),
            Job("what quiet hours held back", 10.0, self.tell_held),
            Job("traffic that alerts count", 300.0, self.past.count_traffic),
            Job("old alerts", 900.0, self.tidy),
        )

    async def refresh(self) -> None:
        """Rules or quiet hours have changed. Who calls while others wait for the same is served with them."""
        self._asked += 1
        asked = self._asked
        async with self._loading:
            if self._is_open and self._answered < asked:
                self._answered = self._asked
                await self._load()

    async def follow(self) -> None:
        """Look whether others have changed rules, quiet hours or roles."""
        if self._is_open and await self._database.read(queries.read_marks) != self._marks:
            await self.refresh()

    async def run(self) -> None:
        """Store steps as they happen, until cancelled."""
        while True:
            await self._has_waiting.wait()
            self._has_waiting.clear()
            try:
                await self.save()
            except HubError as error:
                log.warning("steps of alerts could not be stored and wait: %s", error)
                await asyncio.sleep(RETRY_SECONDS)
                self._has_waiting.set()
            except Exception:
                log.exception("steps of alerts could not be stored and wait")
                await asyncio.sleep(FAILURE_SECONDS)
                self._has_waiting.set()

    def sample_arrived(self, sample: Live) -> None:
        steps = self._engine.take(sample.system_id, sample.instant_ms, sample.metrics, self._moment())
        if steps:
            self._queue(steps)

    def event_arrived(self, system_id: str, instant_ms: int, event: Event) -> None:
        """Counts from when it happened, however late it is told."""
        if event.kind in COUNTED_EVENTS:
            at_ms = self._moment().monotonic_of(instant_ms)
            self._engine.around(system_id).note(event.kind, event.subject, at_ms)

    def processes_of(self, system_id: str) -> tuple[str, ...]:
        """Patterns of the names of processes that rules want to be counted there."""
        return self._engine.process_names(system_id)

    def containers_changed(self, system_id: str, facts: Sequence[ContainerFacts]) -> None:
        self._engine.around(system_id).containers = facts

    def system_changed(self, entry: Entry) -> None:
        self._names[entry.id] = entry
        self._queue(self._engine.set_system(self._watched(entry), self._moment()))

    def system_removed(self, entry: Entry) -> None:
        self._queue(self._engine.remove_system(entry.id, self._moment()))
        self._names.pop(entry.id, None)

    async def tick(self) -> None:
        """Let time pass for statuses and for what is absent; called about once a second."""
        moment = self._moment()
        self._queue(self._engine.tick(moment))
        if moment.monotonic_ms - self._saved_ms >= SAVE_SECONDS * 1000:
            self._has_waiting.set()

    async def tell_held(self) -> None:
        """Sum up for users whose quiet hours are over what these held back."""
        held = await self._database.read(queries.load_held)
        for user_id, rows in held.items():
            due = [row for row in rows if not self._is_silent(user_id, row[1])]
            if due:
                await self._tell_summary(user_id, due)

    def _sees(self, user_id: str, system_id: str) -> bool:
        entry = self._directory.get(system_id)
        return entry is not None and user_id in entry.members | self._admins

    async def acknowledge(self, actor: Actor, alert_id: str) -> bool:
        """Note that somebody looks after an alert; False for one that the actor does not see or that is over."""
        row = await self._database.read(lambda: queries.find_alert(actor, alert_id))
        if row is None or row.resolved is not None:
            return False
        place = Place(row.rule_id, row.system_id, row.target)
        now_ms, user_id = self._clock(), actor.user_id or ""
        if not self._engine.acknowledge(place, alert_id, self._moment()):
            return False

        def note() -> None:
            queries.acknowledge(alert_id, user_id, now_ms)
            self.end_plans(alert_id)

        await self.save(note)
        for listener in self.on_acknowledged:
            listener(alert_id)
        return True

    async def try_rule(self, actor: Actor, request: TrialRequest) -> tuple[str, Trial]:
        """The name of the system, and what the rule would have said of it; `NotFound` for what the actor sees not."""
        entry = self._directory.get(request.system)
        if entry is None or self.past.history is None or not self._directory.is_visible(actor, entry.id):
            raise NotFound
        history, until_ms = self.past.history, self._clock()
        from_ms = until_ms - request.since_seconds * 1000

        containers = self._engine.around(entry.id).containers

        def work() -> Trial:
            rule = request.find_rule(actor)
            return run_trial(
                history, _at_once, rule, entry.id, from_ms, until_ms, containers=containers,
                longest_raw_ms=LONGEST_RAW_MS,
            )  # fmt: skip

        async with self._trying:
            return entry.name, await self._database.read(work)

    async def tidy(self) -> None:
        now_ms = self._clock()
        await self._database.write(lambda: queries.tidy(now_ms))

    async def save(self, also: Callable[[], None] = lambda: None) -> None:
        """Store everything that has happened until now, and in the same transaction something else."""
        async with self._saving:
            told, self._waiting = self._waiting, []
            self._unsaved.update((kept.place, kept) for kept in self._engine.take_unsaved(self._moment()))
            states = list(self._unsaved.values())
            now_ms = self._clock()
            try:
                await self._database.write(lambda: self._store(told, states, now_ms, also))
            except BaseException:
                self._waiting = told + self._waiting
                raise
            self._unsaved.clear()
            self._saved_ms = self._monotonic_ms()
        if told:
            for listener in self.on_told:
                listener(told)

    def _note_start(self, orphans: Sequence[Kept], now_ms: int) -> None:
        queries.close_orphans(orphans, now_ms)
        for kept in orphans:
            self.end_plans(kept.alert_id)
        queries.note_alive(now_ms)

    def _store(self, told: Sequence[Told], states: Sequence[Kept], now_ms: int, also: Callable[[], None]) -> None:
        for one in told:
            queries.save_step(one.step, one.transition.threshold)
            queries.hold(one.held_from, one.transition)
            self.on_transition(one.transition)
        queries.save_states(states)
        also()
        queries.note_alive(now_ms)

    async def _load(self) -> None:
        loaded = await self._database.read(
            lambda: (queries.load_rules(), queries.load_silences(), queries.load_admins(), queries.read_marks())
        )
        rules, self._silences, self._admins, self._marks = loaded
        moment = self._moment()
        for entry in self._directory:
            self._names[entry.id] = entry
            self._queue(self._engine.set_system(self._watched(entry), moment))
        self._queue(self._engine.set_rules(_sound(rules), moment))

    async def _tell_summary(self, user_id: str, due: Sequence[tuple[int, Transition]]) -> None:
        seen = [row for row in due if self._sees(user_id, row[1].system_id)]
        now_ms = self._clock()

        def write() -> None:
            if queries.delete_held([row_id for row_id, _ in due]) and seen:
                over = queries.find_over(transition.alert_id for _, transition in seen)
                self.on_transition(summarize(user_id, seen, now_ms, over))

        await self._database.write(write)

    def _is_silent(self, user_id: str, transition: Transition) -> bool:
        entry = self._directory.get(transition.system_id)
        about = About(user_id, transition.system_id, () if entry is None else entry.tags, transition.rule_id)
        return is_silent(self._silences, about, self._clock())

    def _queue(self, steps: Sequence[Step]) -> None:
        for step in steps:
            entry = self._names.get(step.system_id)
            if entry is not None:
                self._waiting.append(
                    tell(step, system_name=entry.name, tags=entry.tags, members=entry.members, silences=self._silences)
                )
        surplus = len(self._waiting) - MAX_WAITING
        if surplus > 0:
            log.error("%d steps of alerts are lost: the database has not answered for too long", surplus)
            del self._waiting[:surplus]
        if steps:
            self._has_waiting.set()

    def _tell(self, step: Step) -> Told:
        entry = self._names[step.system_id]
        return tell(step, system_name=entry.name, tags=entry.tags, members=entry.members, silences=self._silences)

    def _watched(self, entry: Entry) -> Watched:
        return Watched(
            id=entry.id, status=entry.status, status_since_ms=entry.status_since_ms, tags=entry.tags,
            seen_by=entry.members | self._admins,
        )  # fmt: skip

    def _moment(self) -> Moment:
        return Moment(self._monotonic_ms(), self._clock())


def _sound(rules: Sequence[Rule]) -> list[Rule]:
    """Those that can be watched; a metric may have gone with an older version."""
    sound: list[Rule] = []
    for rule in rules:
        try:
            sound.append(check_rule(rule))
        except InvalidRule as error:
            log.warning("the rule %r is left out: %s", rule.name, error)
    return sound


def _at_once(call: Callable[[], T], /) -> T:
    return call()
