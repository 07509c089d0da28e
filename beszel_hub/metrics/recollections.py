"""What alerts ask of history, answered."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from beszel_hub.alerts.past import Recollection, Stretch, Wanted, extreme_of
from beszel_hub.alerts.rule import STATUS, Rule
from beszel_hub.alerts.surroundings import Carried
from beszel_hub.alerts.targets import needs_of
from beszel_hub.clock import Clock
from beszel_hub.metrics.events import read_events
from beszel_hub.metrics.lookback import Look, look_back
from beszel_hub.metrics.past import kept_of, read_past
from beszel_hub.metrics.reader import Range, part_of
from beszel_hub.metrics.series import read_entries
from beszel_hub.metrics.tiers import MINUTE
from beszel_hub.metrics.traffic import TrafficQuery, read_traffic
from beszel_hub.metrics.traffic_course import read_traffic_course
from beszel_protocol.messages import Event
from beszel_protocol.sample import Metrics


class Recollections:
    """Every method runs inside `Database.read`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def stretches(self, wanted: Sequence[Wanted]) -> Sequence[Recollection]:
        now_ms = self._clock()
        return look_back([_look(one, now_ms) for one in wanted])

    def events(self, system_ids: Sequence[str], from_ms: int) -> Sequence[tuple[str, int, Event]]:
        return list(read_events(system_ids, from_ms, self._clock() + 1))[::-1]

    def traffic(self, system_id: str, days: Iterable[int]) -> Mapping[int, Carried]:
        found: dict[int, Carried] = {}
        for day in days:
            query = TrafficQuery(system_id=system_id, now_ms=self._clock(), months=1, reset_day=day)
            for month in read_traffic(query).months[-1:]:
                found[day] = Carried(month.sent_bytes, month.recv_bytes)
        return found

    def traffic_course(
        self, system_id: str, days: Iterable[int], from_ms: int, to_ms: int
    ) -> Sequence[tuple[int, Mapping[int, Carried]]]:
        found: dict[int, dict[int, Carried]] = {}
        for day in days:
            for one in read_traffic_course(system_id, day, from_ms, to_ms):
                found.setdefault(one.at_ms, {})[day] = Carried(one.sent, one.received)
        return sorted(found.items())

    def known(self, system_id: str, from_ms: int, to_ms: int, coarsest_raw_ms: int | None = None) -> list[Stretch]:
        is_long = coarsest_raw_ms is not None and to_ms - from_ms > coarsest_raw_ms
        return [
            Stretch(kept.span.from_ms, kept.span.to_ms, max(kept.seconds, MINUTE.seconds if is_long else 1))
            for kept in kept_of(system_id, from_ms, to_ms)
        ]

    def samples(self, system_id: str, rule: Rule, stretch: Stretch) -> Sequence[tuple[int, Metrics]]:
        """A bucket is known at its end."""
        needs = needs_of(condition.target for condition in rule.conditions)
        if stretch.seconds == 1:
            return _single(system_id, _parts(needs), stretch)
        sides = {need: extreme_of(each) for each in rule.conditions for need in needs_of((each.target,))}
        if rule.conditions[0].target == STATUS or not sides:
            sides = {"cpu.usage_percent": "mean"}  # whether there was anything is all that counts
        past = read_past(system_id, sides, Range(stretch.from_ms, stretch.to_ms), stretch.seconds)
        return [(one.to_ms, one.metrics) for one in past]


def _look(wanted: Wanted, now_ms: int) -> Look:
    span = Range(now_ms - 1000 * (wanted.window_seconds + wanted.step_seconds), now_ms)
    return Look(wanted.system_id, wanted.sides, span, wanted.step_seconds, wanted.form)


def _parts(needs: Iterable[str]) -> frozenset[str] | None:
    return frozenset(map(part_of, needs)) or None


def _single(system_id: str, parts: frozenset[str] | None, stretch: Stretch) -> list[tuple[int, Metrics]]:
    entries = list(read_entries(system_id, stretch.from_ms, stretch.to_ms, parts))
    entries.sort(key=lambda entry: entry.instant_ms)
    return [(entry.instant_ms, msgspec.convert(entry.document, Metrics)) for entry in entries]
