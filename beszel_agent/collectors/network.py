"""Traffic of the interfaces that count, from `/proc/net/dev`."""

from typing import ClassVar, Final, NamedTuple, Self

from beszel_agent.config import Config
from beszel_agent.deltas import gained_wrapping, per_second
from beszel_agent.errors import ReadingFailed, Unavailable
from beszel_agent.interfaces import choose_interfaces, most_bytes_per_second
from beszel_agent.paths import HostFile, HostPaths
from beszel_protocol.sample import InterfaceMetrics, Metrics, NetworkMetrics

_CHOICE_SECONDS: Final = 60
"""How long a choice holds while the names stay the same: an interface may join a bond meanwhile."""


class Counters(NamedTuple):
    """Of one interface since it came up."""

    recv_bytes: int
    recv_packets: int
    recv_errors: int
    recv_drops: int
    sent_bytes: int
    sent_packets: int
    sent_errors: int
    sent_drops: int


class Rates(NamedTuple):
    """Whole bytes per second."""

    sent: int | None
    recv: int | None


class NetworkCollector:
    name: ClassVar[str] = "network"
    pace_seconds: ClassVar[float] = 0

    def __init__(self, paths: HostPaths, table: HostFile, rules: tuple[str, ...] | None) -> None:
        self._paths, self._table, self._rules = paths, table, rules
        self._previous: dict[str, Counters] = {}
        self._previous_now = 0.0
        self._names: frozenset[str] = frozenset()
        self._chosen: frozenset[str] = frozenset()
        self._chosen_at = 0.0
        self._most: dict[str, float] = {}

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        try:
            return cls(paths, paths.proc_file("net/dev"), config.nics)
        except OSError as error:
            raise Unavailable(f"no /proc/net/dev: {error.strerror}") from error

    def collect(self, now: float) -> Metrics:
        found = parse_net_dev(self._table.read())
        self._choose(frozenset(found), now)
        current = {name: counters for name, counters in found.items() if name in self._chosen}
        previous, elapsed = self._previous, now - self._previous_now
        self._previous, self._previous_now = current, now
        return Metrics(network=network_metrics(previous, current, elapsed, self._most))

    def _choose(self, names: frozenset[str], now: float) -> None:
        if names == self._names and now - self._chosen_at < _CHOICE_SECONDS:
            return
        self._names, self._chosen_at = names, now
        self._chosen = choose_interfaces(self._paths, names, self._rules)
        self._most = {name: most_bytes_per_second(self._paths, name) for name in self._chosen}


def parse_net_dev(text: bytes) -> dict[str, Counters]:
    """Counters by interface. A line that does not fit the format of proc(5) is skipped; none at all is a failure."""
    found: dict[str, Counters] = {}
    for line in text.splitlines():
        name, colon, rest = line.rpartition(b":")
        words = rest.split()
        if not colon or len(words) < 12:
            continue
        try:
            received, sent = [int(word) for word in words[:4]], [int(word) for word in words[8:12]]
        except ValueError:
            continue
        found[name.strip().decode("utf-8", "replace")] = Counters(*received, *sent)
    if not found:
        raise ReadingFailed("/proc/net/dev: no interface")
    return found


def network_metrics(
    previous: dict[str, Counters], current: dict[str, Counters], elapsed_seconds: float, most: dict[str, float]
) -> NetworkMetrics | None:
    """None if no interface ever carried anything. An interface without a byte yet is left out until it has one."""
    interfaces: dict[str, InterfaceMetrics] = {}
    comparable: list[Rates] = []
    for name, counters in current.items():
        if not counters.sent_bytes and not counters.recv_bytes:
            continue
        before = previous.get(name)
        rate = Rates(None, None)
        if before is not None:
            rate = _rates(before, counters, elapsed_seconds, most[name])
            comparable.append(rate)
        interfaces[name] = InterfaceMetrics(
            bytes_sent=counters.sent_bytes,
            bytes_recv=counters.recv_bytes,
            sent_bytes_per_second=rate.sent,
            recv_bytes_per_second=rate.recv,
            errors=counters.recv_errors + counters.sent_errors,
            drops=counters.recv_drops + counters.sent_drops,
        )
    if not interfaces:
        return None
    return NetworkMetrics(
        bytes_sent=sum(item.sent_bytes for item in current.values()),
        bytes_recv=sum(item.recv_bytes for item in current.values()),
        sent_bytes_per_second=_sum([rate.sent for rate in comparable]),
        recv_bytes_per_second=_sum([rate.recv for rate in comparable]),
        interfaces=interfaces,
    )


def _rates(before: Counters, now: Counters, elapsed_seconds: float, most_bytes_per_second: float) -> Rates:
    """A byte counter that fell has wrapped only if the packets went on; packets that fell are a reset."""
    largest = most_bytes_per_second * elapsed_seconds
    sent = recv = None
    if now.sent_packets >= before.sent_packets:
        sent = gained_wrapping(before.sent_bytes, now.sent_bytes, largest)
    if now.recv_packets >= before.recv_packets:
        recv = gained_wrapping(before.recv_bytes, now.recv_bytes, largest)
    return Rates(per_second(sent, elapsed_seconds), per_second(recv, elapsed_seconds))


def _sum(rates: list[int | None]) -> int | None:
    """None if one is missing: without it the sum would show a dip that never was."""
    known = [rate for rate in rates if rate is not None]
    return sum(known) if known and len(known) == len(rates) else None
