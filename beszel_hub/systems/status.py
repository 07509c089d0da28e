"""Whether a system is up: a state machine over facts, with every instant handed in.

    pending ──first sample──► up ◄──sample── down
       │                      │               ▲
       └──silent (once seen)──┴──silent───────┘         paused: by hand only, and left only by hand

Instants are milliseconds of a monotonic clock, so that setting the hub's wall clock takes no system down.
"""

from typing import Final

import msgspec

from beszel_protocol.feed import SystemStatus

DISCONNECT_GRACE_MS: Final = 5_000
"""How long an agent may be gone before its system is down."""
MIN_SILENCE_MS: Final = 10_000
"""How long a connected agent may send nothing, however short its interval."""
SILENT_INTERVALS: Final = 3
START_GRACE_MS: Final = 15_000
"""How long agents have to come back after the hub started, or a system was resumed."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about one system at an instant."""

    interval_seconds: float
    connected: bool
    last_sample_ms: int | None = None
    """When the newest sample arrived, since this hub started."""
    last_change_ms: int = 0
    """When the agent last connected or disconnected."""
    watched_since_ms: int = 0
    """When the hub began to expect data: its start, or the end of a pause."""
    ever_seen: bool = False
    """Whether an agent has ever enrolled; before that there is nobody to be silent."""


def next_status(current: SystemStatus, facts: Facts, now_ms: int) -> SystemStatus:
    """The status at `now_ms`; the same one if nothing changed."""
    if current == "paused":
        return "paused"
    if facts.last_sample_ms is not None and facts.last_sample_ms >= facts.watched_since_ms:
        return "down" if is_silent(facts, now_ms) else "up"
    if current == "pending" and not facts.ever_seen:
        return "pending"
    if now_ms - facts.watched_since_ms < START_GRACE_MS:
        return current
    return "down" if is_silent(facts, now_ms) else current


def is_silent(facts: Facts, now_ms: int) -> bool:
    """Whether too long has passed without a sign of the agent."""
    if not facts.connected and now_ms - facts.last_change_ms >= DISCONNECT_GRACE_MS:
        return True
    newest_ms = max(facts.last_sample_ms or 0, facts.watched_since_ms)
    if facts.connected:
        newest_ms = max(newest_ms, facts.last_change_ms)
    return now_ms - newest_ms >= silence_limit_ms(facts.interval_seconds)


def silence_limit_ms(interval_seconds: float) -> int:
    return max(round(SILENT_INTERVALS * interval_seconds * 1000), MIN_SILENCE_MS)
