"""Quiet hours, snoozes and silences: whether a user is to be left in peace at an instant. Pure.

`one-time` lasts from `start` to `end`. `daily` and `weekly` take only the time of day from these, as it reads on a
clock in `timezone`, so that 22:00 stays 22:00 when daylight saving time begins or ends. They may cross midnight; a
night belongs to the day it begins on.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, Literal, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

SilenceType: TypeAlias = Literal["one-time", "daily", "weekly"]
TYPES: Final[tuple[SilenceType, ...]] = ("one-time", "daily", "weekly")
_DAY: Final = timedelta(days=1)


class About(NamedTuple):
    """What somebody would be told of."""

    user_id: str
    system_id: str
    tags: tuple[str, ...]
    rule_id: str


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """One row of quiet hours; what is None is not narrowed down."""

    id: str
    user_id: str
    type: SilenceType
    start_ms: int
    end_ms: int
    timezone: str = ""
    """An IANA name; empty for UTC."""
    days: tuple[int, ...] = ()
    """Of a weekly one: 0 is Monday."""
    system_id: str | None = None
    tag: str | None = None
    rule_id: str | None = None

    def covers(self, about: About) -> bool:
        return (
            self.user_id == about.user_id
            and self.system_id in {None, about.system_id}
            and self.rule_id in {None, about.rule_id}
            and (self.tag is None or self.tag in about.tags)
        )

    def is_active(self, now_ms: int) -> bool:
        if self.type == "one-time":
            return self.start_ms <= now_ms < self.end_ms
        zone = _zone_or_utc(self.timezone)
        today = _local(now_ms, zone).date()
        return any(self._holds(day, zone, now_ms) for day in (today - _DAY, today))

    def _holds(self, day: date, zone: ZoneInfo, now_ms: int) -> bool:
        """Whether the time that begins on `day` holds now."""
        if self.type == "weekly" and day.weekday() not in self.days:
            return False
        start = _local(self.start_ms, zone).time()
        end = _local(self.end_ms, zone).time()
        last_day = day if start < end else day + _DAY
        return _instant(day, start, zone) <= now_ms < _instant(last_day, end, zone)


@lru_cache(maxsize=512)
def find_zone(name: str) -> ZoneInfo:
    """UTC for an empty name; raise ValueError for one that the host's database of time zones does not know."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, OSError, ValueError) as error:
        raise ValueError(f"There is no time zone {name[:64]!r}.") from error


def _zone_or_utc(name: str) -> ZoneInfo:
    """A database that was moved may name a zone that this host does not know."""
    try:
        return find_zone(name)
    except ValueError:
        return find_zone("")


def is_silent(silences: list[Silence], about: About, now_ms: int) -> bool:
    return any(silence.covers(about) and silence.is_active(now_ms) for silence in silences)


def _local(instant_ms: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(instant_ms / 1000, UTC).astimezone(zone)


def _instant(day: date, at: time, zone: ZoneInfo) -> int:
    """A time that a clock shows twice is its first; one that it skips is as long after as if it had not skipped it."""
    moment = datetime.combine(day, at.replace(fold=0), zone)
    return round(moment.timestamp() * 1000)
