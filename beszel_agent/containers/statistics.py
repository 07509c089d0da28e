"""Numbers asked of the engine, for containers whose cgroups cannot be seen from here.

That costs the engine a hundred times what reading the files costs this agent, so it is done at a slower pace and by few
threads. One reading each is asked for: a stream of them would have the engine take one every second.
"""

import logging
import threading
import time
from collections.abc import Callable, Container, Iterable, Iterator
from typing import Final, NamedTuple

from beszel_agent.containers.client import EngineClient
from beszel_agent.containers.documents import BlkioStatistics, MemoryStatistics, NetworkStatistics, Statistics
from beszel_agent.containers.model import Container as Subject
from beszel_agent.containers.model import Counters
from beszel_agent.errors import EngineFailed
from beszel_protocol.timestamps import parse_timestamp

PACE_SECONDS: Final = 5.0
MAX_THREADS: Final = 4
_REST_SECONDS: Final = 1.0
"""Between two rounds, however long they take."""
_STALE_ROUNDS: Final = 3

log = logging.getLogger(__name__)

Ask = tuple[EngineClient, Subject]


class Answer(NamedTuple):
    """One reading."""

    counters: Counters
    seconds: float
    """When it was taken, by the engine's clock if it tells."""


class Pair(NamedTuple):
    """The two newest readings of a container."""

    before: Answer | None
    now: Answer
    arrived: float
    """Monotonic."""


class StatisticsPoller:
    """Asks for the containers that `wanted` gives, round after round, in threads of its own."""

    def __init__(
        self,
        wanted: Callable[[], Iterable[Ask]],
        stacked: Callable[[], Container[bytes]],
        *,
        pace_seconds: float = PACE_SECONDS,
    ) -> None:
        self._wanted, self._stacked = wanted, stacked
        self._pace_seconds = pace_seconds
        self._round_seconds = pace_seconds
        self._pairs: dict[str, Pair] = {}
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def pace_seconds(self) -> float:
        """How long a round takes at present, with the rest after it."""
        return self._round_seconds

    def wake(self) -> None:
        """There may be something to ask now."""
        if self._thread is None and any(True for _ in self._wanted()) and not self._stopped.is_set():
            self._thread = threading.Thread(target=self._run, name="container statistics", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def find(self, full_id: str, now: float) -> Pair | None:
        """The newest readings; None if they are too old."""
        pair = self._pairs.get(full_id)
        return pair if pair is not None and now - pair.arrived < _STALE_ROUNDS * self._round_seconds else None

    def _run(self) -> None:
        while not self._stopped.is_set():
            started = time.monotonic()
            asks = list(self._wanted())
            self._round(asks)
            wanted = {subject.full_id for _, subject in asks}
            with self._lock:
                self._pairs = {full_id: pair for full_id, pair in self._pairs.items() if full_id in wanted}
            took = time.monotonic() - started
            pause = max(self._pace_seconds - took, _REST_SECONDS)
            self._round_seconds = max(self._pace_seconds, took + pause)
            self._stopped.wait(pause)

    def _round(self, asks: list[Ask]) -> None:
        queue = iter(asks)
        workers = [
            threading.Thread(target=self._work, args=(queue,), name="container statistics", daemon=True)
            for _ in range(min(MAX_THREADS, len(asks)))
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    def _work(self, queue: Iterator[Ask]) -> None:
        """Every request ends within the time-out of its client, and so does this."""
        while not self._stopped.is_set():
            with self._lock:
                ask = next(queue, None)
            if ask is None:
                return
            client, subject = ask
            try:
                answer = read_statistics(client.statistics(subject.full_id), self._stacked())
            except EngineFailed as error:
                log.debug("statistics of %s: %s", subject.facts.name, error)
                continue
            self._keep(subject.full_id, answer)

    def _keep(self, full_id: str, answer: Answer) -> None:
        with self._lock:
            known = self._pairs.get(full_id)
            before = None if known is None or known.now.seconds >= answer.seconds else known.now
            self._pairs[full_id] = Pair(before, answer, time.monotonic())


def read_statistics(document: Statistics, stacked: Container[bytes]) -> Answer:
    """The same numbers as from the files. `stacked` are the numbers of block devices that lie on others."""
    cpu = document.cpu_stats
    throttling = cpu.throttling_data if cpu is not None else None
    into, out = _disk(document.blkio_stats, stacked)
    received, sent = _traffic(document.networks)
    counters = Counters(
        cpu_ns=cpu.cpu_usage.total_usage if cpu is not None and cpu.cpu_usage is not None else None,
        periods=throttling.periods if throttling is not None else None,
        throttled_periods=throttling.throttled_periods if throttling is not None else None,
        memory_bytes=_memory(document.memory_stats),
        pids=document.pids_stats.current if document.pids_stats is not None else None,
        read_bytes=into,
        write_bytes=out,
        network_rx=received,
        network_tx=sent,
    )
    return Answer(counters, _instant(document.read))


def _memory(memory: MemoryStatistics | None) -> int | None:
    if memory is None or memory.usage is None:
        return None
    stats = memory.stats or {}
    cache = stats.get("total_inactive_file", stats.get("inactive_file"))
    return max(0, memory.usage - (cache if isinstance(cache, int) else 0))


def _disk(blkio: BlkioStatistics | None, stacked: Container[bytes]) -> tuple[int | None, int | None]:
    if blkio is None or not blkio.io_service_bytes_recursive:
        return None, None  # nothing was counted, or nothing was read and written; there is no telling which
    amounts = {"read": 0, "write": 0}
    for entry in blkio.io_service_bytes_recursive:
        operation = (entry.op or "").lower()
        if operation in amounts and f"{entry.major}:{entry.minor}".encode() not in stacked:
            amounts[operation] += entry.value
    return amounts["read"], amounts["write"]


def _traffic(networks: dict[str, NetworkStatistics] | None) -> tuple[int | None, int | None]:
    if not networks:
        return None, None
    return sum(item.rx_bytes for item in networks.values()), sum(item.tx_bytes for item in networks.values())


def _instant(text: str | None) -> float:
    try:
        return parse_timestamp(text or "") / 1000
    except ValueError:
        return time.time()
