"""One alert's life as a pure machine: (policy, state, verdict, instant) → (state, what happened).

    calm ──breached──► pending ──for long enough──► firing ──clear for long enough──► calm
      ▲                   │                           │ ▲
      └───not breached────┘                           └─┘ repeated, escalated

Instants are milliseconds of a monotonic clock. A verdict of None says nothing and changes nothing.
"""

import enum
from typing import Final, Literal, NamedTuple, TypeAlias

import msgspec

Phase: TypeAlias = Literal["calm", "pending", "firing"]
Happened: TypeAlias = Literal["fired", "recovered", "escalated", "repeated", "closed"]

FLAPPING_FIRES: Final = 3
"""Within `FLAPPING_MS`; from then on each recovery must last twice as long as the one before."""
FLAPPING_MS: Final = 3_600_000
MIN_DAMPING_MS: Final = 60_000
MAX_DAMPING_MS: Final = 1_800_000


class Verdict(enum.Enum):
    BREACHED = enum.auto()
    HELD = enum.auto()
    """Neither bad enough to fire nor well enough to recover."""
    CLEAR = enum.auto()


class Reading(NamedTuple):
    """What is judged: the verdict, and the value it is about."""

    verdict: Verdict
    value: float | None = None
    is_worse: bool = False
    """Whether the value is the worst one so far."""
    is_critical: bool = False


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How long things must last."""

    for_ms: int = 0
    recover_ms: int = 0
    repeat_ms: int = 0
    escalate_ms: int = 0


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Where an alert stands."""

    phase: Phase = "calm"
    since_ms: int = 0
    """When this phase began; of a firing one, when the alert fired."""
    alert_id: str = ""
    """While it fires."""
    value: float | None = None
    peak: float | None = None
    clear_since_ms: int | None = None
    """While it fires: since when it has been well."""
    reminded_ms: int = 0
    repeats: int = 0
    is_escalated: bool = False
    is_acknowledged: bool = False
    fires_ms: tuple[int, ...] = ()
    """When it fired lately, oldest first."""


CALM: Final = State()


class Advance(NamedTuple):
    state: State
    happened: Happened | None = None


def advance(policy: Policy, state: State, reading: Reading, now_ms: int, alert_id: str) -> Advance:
    """One step; `alert_id` is taken if the alert fires."""
    if state.phase == "firing":
        return _while_firing(policy, state, reading, now_ms)
    if reading.verdict is not Verdict.BREACHED:
        return Advance(_calm(state) if state.phase == "pending" else state)
    since_ms = state.since_ms if state.phase == "pending" else now_ms
    if now_ms - since_ms >= policy.for_ms:
        return Advance(_fire(state, reading, now_ms, alert_id), "fired")
    if state.phase == "pending":
        return Advance(state)
    return Advance(msgspec.structs.replace(state, phase="pending", since_ms=now_ms))


def close(state: State) -> Advance:
    """End an alert that did not recover; one that did not fire ends without a word."""
    return Advance(CALM, "closed" if state.phase == "firing" else None)


def damping_ms(state: State, now_ms: int) -> int:
    """How long an alert that keeps coming back must be well before that is believed."""
    lately = sum(now_ms - fired_ms < FLAPPING_MS for fired_ms in state.fires_ms)
    if lately < FLAPPING_FIRES:
        return 0
    return min(MAX_DAMPING_MS, MIN_DAMPING_MS << (lately - FLAPPING_FIRES))


def _while_firing(policy: Policy, state: State, reading: Reading, now_ms: int) -> Advance:
    if reading.verdict is not Verdict.CLEAR:
        return _while_bad(policy, state, reading, now_ms)
    clear_since_ms = now_ms if state.clear_since_ms is None else state.clear_since_ms
    if now_ms - clear_since_ms >= max(policy.recover_ms, damping_ms(state, now_ms)):
        return Advance(_calm(msgspec.structs.replace(state, value=reading.value)), "recovered")
    if state.clear_since_ms is None:
        return Advance(msgspec.structs.replace(state, clear_since_ms=now_ms))
    return Advance(state)


def _while_bad(policy: Policy, state: State, reading: Reading, now_ms: int) -> Advance:
    if state.clear_since_ms is not None or reading.is_worse:
        peak = reading.value if reading.is_worse else state.peak
        state = msgspec.structs.replace(state, clear_since_ms=None, peak=peak)
    if not state.is_escalated and _is_due_to_escalate(policy, state, reading, now_ms):
        return Advance(
            msgspec.structs.replace(state, is_escalated=True, value=reading.value, reminded_ms=now_ms), "escalated"
        )
    if policy.repeat_ms and not state.is_acknowledged and now_ms - state.reminded_ms >= policy.repeat_ms:
        repeated = msgspec.structs.replace(state, value=reading.value, reminded_ms=now_ms, repeats=state.repeats + 1)
        return Advance(repeated, "repeated")
    return Advance(state)


def _is_due_to_escalate(policy: Policy, state: State, reading: Reading, now_ms: int) -> bool:
    if reading.is_critical:
        return True
    is_late = bool(policy.escalate_ms) and now_ms - state.since_ms >= policy.escalate_ms
    return is_late and not state.is_acknowledged


def _fire(state: State, reading: Reading, now_ms: int, alert_id: str) -> State:
    lately = tuple(fired_ms for fired_ms in state.fires_ms if now_ms - fired_ms < FLAPPING_MS)
    return State(
        phase="firing", since_ms=now_ms, alert_id=alert_id, value=reading.value, peak=reading.value,
        reminded_ms=now_ms, is_escalated=reading.is_critical, fires_ms=(*lately[-15:], now_ms),
    )  # fmt: skip


def _calm(state: State) -> State:
    """Of what was, only how often it fired matters."""
    return State(fires_ms=state.fires_ms)
