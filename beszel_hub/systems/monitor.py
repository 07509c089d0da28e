"""Watches over all systems: gathers the facts that the status machine wants, asks it, and passes changes on."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from beszel_hub.systems.directory import Directory, Entry
from beszel_hub.systems.status import Facts, next_status
from beszel_protocol.feed import SystemStatus
from beszel_protocol.messages import MAX_INTERVAL_SECONDS

_SHORTEST_SPACING_MS: Final = 500
_LONGEST_SPACING_MS: Final = round(MAX_INTERVAL_SECONDS * 1000)

StatusChange = tuple[str, SystemStatus]


class _Watch:
    """What is known of one system since the hub started."""

    __slots__ = ("connected", "last_change_ms", "last_sample_ms", "paused", "spacing_ms", "watched_since_ms")

    def __init__(self, now_ms: int) -> None:
        self.connected = False
        self.last_change_ms = now_ms
        self.last_sample_ms: int | None = None
        self.watched_since_ms = now_ms
        self.paused = False
        self.spacing_ms = 0
        """How far apart samples come, in truth: the host's owner may have set a slower interval than the hub's."""

    def sampled(self, now_ms: int) -> None:
        if self.last_sample_ms is not None and self.last_sample_ms >= self.last_change_ms:
            gap_ms = now_ms - self.last_sample_ms
            if gap_ms >= _SHORTEST_SPACING_MS:  # records of a batch come together
                self.spacing_ms = min(max(gap_ms, self.spacing_ms // 2), _LONGEST_SPACING_MS)
        self.last_sample_ms = now_ms


class Monitor:
    """`monotonic_ms` never goes back; `apply` stores changes of status and makes them known."""

    def __init__(
        self,
        directory: Directory,
        apply: Callable[[Sequence[StatusChange]], Awaitable[None]],
        monotonic_ms: Callable[[], int],
    ) -> None:
        self._directory = directory
        self._apply = apply
        self._now = monotonic_ms
        self._watches: dict[str, _Watch] = {}

    def connected(self, system_id: str) -> None:
        self._note_link(system_id, connected=True)

    def disconnected(self, system_id: str) -> None:
        self._note_link(system_id, connected=False)

    def sampled(self, system_id: str) -> None:
        self._watch(system_id).sampled(self._now())

    def changed(self, entry: Entry) -> None:
        """The record is another than before; the end of a pause is a new beginning."""
        watch = self._watch(entry.id)
        if watch.paused and entry.status != "paused":
            watch.watched_since_ms = self._now()
        watch.paused = entry.status == "paused"

    def forget(self, system_id: str) -> None:
        self._watches.pop(system_id, None)

    async def tick(self) -> None:
        """Decide for every system; called about once a second."""
        now_ms = self._now()
        changes: list[StatusChange] = []
        for entry in self._directory:
            status = next_status(entry.status, self._facts(entry), now_ms)
            if status != entry.status:
                changes.append((entry.id, status))
        if changes:
            await self._apply(changes)

    def _facts(self, entry: Entry) -> Facts:
        watch = self._watch(entry.id)
        return Facts(
            interval_seconds=max(entry.interval_seconds, watch.spacing_ms / 1000),
            connected=watch.connected,
            last_sample_ms=watch.last_sample_ms,
            last_change_ms=watch.last_change_ms,
            watched_since_ms=watch.watched_since_ms,
            ever_seen=entry.ever_seen,
        )

    def _note_link(self, system_id: str, *, connected: bool) -> None:
        watch = self._watch(system_id)
        watch.connected = connected
        watch.last_change_ms = self._now()

    def _watch(self, system_id: str) -> _Watch:
        watch = self._watches.get(system_id)
        if watch is None:
            watch = self._watches[system_id] = _Watch(self._now())
        return watch
