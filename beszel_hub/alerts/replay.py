"""What a rule would have said about the past: the same engine, its clock driven by stored samples. Pure."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias

import msgspec

from beszel_hub.alerts.engine import Engine, Watched
from beszel_hub.alerts.moment import Moment
from beszel_hub.alerts.rule import Rule
from beszel_hub.alerts.steps import Step
from beszel_hub.alerts.surroundings import Surroundings
from beszel_protocol.feed import SystemStatus
from beszel_protocol.sample import Metrics

DOWN_AFTER_MS: Final = 15_000
"""A gap between samples that is longer, and three times what was usual, counts as having been down."""
Surround: TypeAlias = Callable[[Surroundings, int, Metrics], None]
"""Brings what is known beside samples to the instant of one."""
_BEFORE_MS: Final = 3_600_000
_TICK_MS: Final = 30_000


def _leave(_: Surroundings, __: int, ___: Metrics) -> None:
    pass


def replay(
    rule: Rule, system_id: str, samples: Iterable[tuple[int, Metrics]], surround: Surround = _leave
) -> Iterator[Step]:
    """Steps in order; `samples` are those of one system with their instants, oldest first."""
    numbers = itertools.count(1)
    watched = Watched(id=system_id, status="up", tags=() if rule.tag is None else (rule.tag,))
    rule = msgspec.structs.replace(rule, user_id=None, system_id=None, is_enabled=True)
    engine: Engine | None = None
    before_ms = usual_ms = ticked_ms = 0
    for instant_ms, metrics in samples:
        moment = Moment(instant_ms, instant_ms)
        if engine is None:
            engine = _start(rule, watched, instant_ms, lambda: f"replay{next(numbers)}")
            before_ms = ticked_ms = instant_ms
        gap_ms = instant_ms - before_ms
        if gap_ms > max(DOWN_AFTER_MS, 3 * usual_ms):
            yield from _pass_gap(engine, watched, before_ms + DOWN_AFTER_MS, instant_ms)
        elif gap_ms:
            usual_ms = gap_ms
        surround(engine.around(system_id), instant_ms, metrics)
        yield from engine.take(system_id, instant_ms, metrics, moment)
        if instant_ms - ticked_ms >= _TICK_MS:
            yield from engine.tick(moment)
            ticked_ms = instant_ms
        before_ms = instant_ms


def _start(rule: Rule, watched: Watched, first_ms: int, make_id: Callable[[], str]) -> Engine:
    earlier = Moment(first_ms - _BEFORE_MS, first_ms - _BEFORE_MS)
    engine = Engine(make_id, earlier)
    engine.set_system(msgspec.structs.replace(watched, status_since_ms=earlier.wall_ms), earlier)
    engine.set_rules([rule], earlier)
    return engine


def _pass_gap(engine: Engine, watched: Watched, from_ms: int, to_ms: int) -> Iterator[Step]:
    """Down from one instant to the other, looked at often enough for any delay to show."""
    yield from _set_status(engine, watched, "down", from_ms)
    step_ms = max(1000, (to_ms - from_ms) // 1000)
    for instant_ms in range(from_ms, to_ms, step_ms):
        yield from engine.tick(Moment(instant_ms, instant_ms))
    yield from _set_status(engine, watched, "up", to_ms)
    yield from engine.tick(Moment(to_ms, to_ms))


def _set_status(engine: Engine, watched: Watched, status: SystemStatus, at_ms: int) -> list[Step]:
    changed = msgspec.structs.replace(watched, status=status, status_since_ms=at_ms)
    return engine.set_system(changed, Moment(at_ms, at_ms))
