"""What a container uses, from two readings of its counters; pure."""

from beszel_agent.containers.model import Container, Counters
from beszel_agent.deltas import gained, per_second, share
from beszel_protocol.sample import ContainerMetrics

_NOTHING = Counters()


def container_metrics(
    container: Container, before: Counters | None, now: Counters, *, elapsed_seconds: float, processors: int
) -> ContainerMetrics:
    """`elapsed_seconds` lie between the readings. Without an earlier one there are no rates."""
    facts = container.facts
    before = before or _NOTHING
    return ContainerMetrics(
        id=facts.id,
        name=facts.name,
        cpu_percent=_cpu(before.cpu_ns, now.cpu_ns, elapsed_seconds, processors),
        memory_bytes=now.memory_bytes,
        memory_percent=_of_limit(now.memory_bytes, facts.memory_limit_bytes),
        pids=now.pids,
        throttled_percent=throttled_percent(before, now),
        oom_kills=now.oom_kills,
        restarts=facts.restarts,
        network_rx=now.network_rx,
        network_tx=now.network_tx,
        rx_bytes_per_second=_rate(before.network_rx, now.network_rx, elapsed_seconds),
        tx_bytes_per_second=_rate(before.network_tx, now.network_tx, elapsed_seconds),
        read_bytes_per_second=_rate(before.read_bytes, now.read_bytes, elapsed_seconds),
        write_bytes_per_second=_rate(before.write_bytes, now.write_bytes, elapsed_seconds),
        health=None if facts.health == "none" else facts.health,
        status=facts.status,
    )


def throttled_percent(before: Counters, now: Counters) -> float | None:
    """Of the periods since the earlier reading. One that has had no period has no limit, or has never run."""
    if not now.periods or now.throttled_periods is None or before.periods is None or before.throttled_periods is None:
        return None
    periods = gained(before.periods, now.periods)
    throttled = gained(before.throttled_periods, now.throttled_periods)
    if periods is None or throttled is None:
        return None
    return share(throttled, periods) if periods else 0.0


def _cpu(before_ns: int | None, now_ns: int | None, elapsed_seconds: float, processors: int) -> float | None:
    """A share of the whole host."""
    if before_ns is None or now_ns is None:
        return None
    spent = gained(before_ns, now_ns)
    return None if spent is None else share(spent, elapsed_seconds * processors * 1e9)


def _of_limit(used_bytes: int | None, limit_bytes: int | None) -> float | None:
    return None if used_bytes is None or limit_bytes is None else share(used_bytes, limit_bytes)


def _rate(before: int | None, now: int | None, elapsed_seconds: float) -> int | None:
    return None if before is None or now is None else per_second(gained(before, now), elapsed_seconds)
