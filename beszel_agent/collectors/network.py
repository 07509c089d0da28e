"""Traffic of the interfaces that count, from `/proc/net/dev`."""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final

import msgspec

from beszel_agent.collector import Collector
from beszel_agent.config import Config
from beszel_agent.deltas import gained_wrapping, per_second
from beszel_agent.errors import Unavailable
from beszel_agent.interfaces import USUAL_LINK, Interfaces, SysInterfaces, choose_interfaces
from beszel_agent.net_dev import Counters, NetDev, Parsed, Table
from beszel_agent.paths import HostPaths
from beszel_protocol.sample import InterfaceMetrics, Metrics, NetworkMetrics

_CHOICE_SECONDS: Final = 60
"""How long a choice holds while the names stay the same: an interface may join a bond meanwhile."""


_NOTHING: Final = Counters(0, 0, 0, 0, 0, 0, 0, 0)


class Traffic(msgspec.Struct, frozen=True, gc=False):
    """Bytes; None where a counter was reset and nobody can tell."""

    sent: int | None = None
    recv: int | None = None


_UNKNOWN: Final = Traffic()


class Totals:
    """What all interfaces carried together. It goes on when one of them goes, comes or is reset."""

    def __init__(self) -> None:
        self.sent = self.recv = 0
        self._last: dict[str, Counters] = {}

    def skip(self, name: str, counters: Counters) -> None:
        """Count what this interface carries from now on: until now it was not one that counts."""
        self._last.setdefault(name, counters)

    def add(self, name: str, counters: Counters, gain: Traffic | None) -> None:
        """`gain` is what it carried since the reading before; None if it was not there then."""
        before = self._last.get(name, _NOTHING)
        if gain is None:
            # It came, perhaps back, and with its counters or without.
            gain = Traffic(
                _grown(before.sent_bytes, counters.sent_bytes), _grown(before.recv_bytes, counters.recv_bytes)
            )
        self.sent += counters.sent_bytes if gain.sent is None else gain.sent
        self.recv += counters.recv_bytes if gain.recv is None else gain.recv
        self._last[name] = counters


class NetworkCollector:
    name: ClassVar[str] = "network"
    fields: ClassVar[tuple[str, ...]] = ("network",)
    pace_seconds: ClassVar[float] = 0

    def __init__(
        self,
        read: Callable[[], Table],
        look: Callable[[], Interfaces],
        rules: tuple[str, ...] | None,
    ) -> None:
        """`read` is called for every sample, `look` now and then, when interfaces are chosen."""
        self._read, self._look, self._rules = read, look, rules
        self._previous: dict[str, Counters] = {}
        self._previous_now = 0.0
        self._names: frozenset[str] = frozenset()
        self._chosen: tuple[str, ...] = ()
        self._chosen_at = 0.0
        self._links: dict[str, int | None] = {}
        self._totals = Totals()

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Collector:
        if not paths.is_linux:
            from beszel_agent.collectors.network_psutil import look_at_interfaces, read_counters  # noqa: PLC0415

            return cls(lambda: Parsed(read_counters()), lambda: look_at_interfaces(paths.system), config.nics)
        try:
            table = NetDev(paths.proc_file("net/dev"))
        except OSError as error:
            raise Unavailable(f"no /proc/net/dev: {error.strerror}") from error
        return cls(table.read, lambda: SysInterfaces(paths), config.nics)

    def collect(self, now: float) -> Metrics:
        found = self._read()
        self._choose(found, now)
        current = {name: found.counters(name) for name in self._chosen}
        previous, elapsed = self._previous, now - self._previous_now
        self._previous, self._previous_now = current, now
        gains = {name: self._gain(previous.get(name), counters, name, elapsed) for name, counters in current.items()}
        for name, counters in current.items():
            self._totals.add(name, counters, gains[name])
        return Metrics(network=network_metrics(current, gains, self._links, self._totals, elapsed))

    def _gain(self, before: Counters | None, now: Counters, name: str, elapsed: float) -> Traffic | None:
        most = elapsed * (self._links[name] or USUAL_LINK)
        return None if before is None else traffic_between(before, now, most)

    def _choose(self, found: Table, now: float) -> None:
        names = found.names
        if names == self._names and now - self._chosen_at < _CHOICE_SECONDS:
            return
        interfaces = self._look()
        chosen = choose_interfaces(interfaces, names, self._rules)
        for name in chosen & self._names - set(self._chosen):
            self._totals.skip(name, found.counters(name))
        self._names, self._chosen, self._chosen_at = names, tuple(sorted(chosen)), now
        self._links = {name: interfaces.link_bytes_per_second(name) for name in chosen}


def network_metrics(
    current: Mapping[str, Counters],
    gains: Mapping[str, Traffic | None],
    links: Mapping[str, int | None],
    totals: Totals,
    elapsed_seconds: float,
) -> NetworkMetrics | None:
    """None if no interface ever carried anything. An interface without a byte yet is left out until it has one."""
    interfaces: dict[str, InterfaceMetrics] = {}
    comparable: list[Traffic] = []
    for name, counters in current.items():
        if not counters.sent_bytes and not counters.recv_bytes:
            continue
        gain = gains[name]
        rate = _UNKNOWN
        if gain is not None:
            rate = Traffic(per_second(gain.sent, elapsed_seconds), per_second(gain.recv, elapsed_seconds))
            comparable.append(rate)
        interfaces[name] = InterfaceMetrics(
            bytes_sent=counters.sent_bytes,
            bytes_recv=counters.recv_bytes,
            sent_bytes_per_second=rate.sent,
            recv_bytes_per_second=rate.recv,
            link_bytes_per_second=links[name],
            errors=counters.recv_errors + counters.sent_errors,
            drops=counters.recv_drops + counters.sent_drops,
        )
    if not interfaces:
        return None
    return NetworkMetrics(
        bytes_sent=totals.sent,
        bytes_recv=totals.recv,
        sent_bytes_per_second=_sum([rate.sent for rate in comparable]),
        recv_bytes_per_second=_sum([rate.recv for rate in comparable]),
        interfaces=interfaces,
    )


def traffic_between(before: Counters, now: Counters, most_bytes: float) -> Traffic:
    """A byte counter that fell has wrapped only if the packets went on; packets that fell are a reset."""
    sent = recv = None
    if now.sent_packets >= before.sent_packets:
        sent = gained_wrapping(before.sent_bytes, now.sent_bytes, most_bytes)
    if now.recv_packets >= before.recv_packets:
        recv = gained_wrapping(before.recv_bytes, now.recv_bytes, most_bytes)
    return Traffic(sent, recv)


def _grown(before: int, now: int) -> int:
    return now - before if now >= before else now


def _sum(rates: list[int | None]) -> int | None:
    """None if one is missing: without it the sum would show a dip that never was."""
    known = [rate for rate in rates if rate is not None]
    return sum(known) if known and len(known) == len(rates) else None
