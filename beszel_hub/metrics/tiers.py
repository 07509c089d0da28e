"""The tiers of history: single samples, and buckets of a minute, ten minutes and eight hours. Pure.

Their lengths are the same for everybody, since each is made from the one before; how long each is kept is not.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from beszel_hub.systems.retention import TIER_NAMES

RAW: Final = 0
"""The tier of single samples."""

HOUR_SECONDS: Final = 3600
DAY_SECONDS: Final = 86_400
HOUR_MS: Final = HOUR_SECONDS * 1000
DAY_MS: Final = DAY_SECONDS * 1000


class Tier(NamedTuple):
    name: str
    seconds: int
    """The length of a bucket."""
    span_ms: int
    """A chunk lies within one such span; spans begin at multiples of it."""

    @property
    def bucket_ms(self) -> int:
        return self.seconds * 1000


MINUTE: Final = Tier(TIER_NAMES[1], 60, DAY_MS)
TEN_MINUTES: Final = Tier(TIER_NAMES[2], 600, 8 * DAY_MS)
EIGHT_HOURS: Final = Tier(TIER_NAMES[3], 28_800, 32 * DAY_MS)
TIERS: Final = (MINUTE, TEN_MINUTES, EIGHT_HOURS)
"""Finest first."""


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """How many seconds each tier is kept; None for ever. What is not rolled up yet is kept in any case.

    A coarser tier is kept at least as long as the finer ones, from which it would otherwise have to be made again.
    """

    raw: int | None = 3 * DAY_SECONDS
    minute: int | None = 90 * DAY_SECONDS
    ten_minutes: int | None = 730 * DAY_SECONDS
    eight_hours: int | None = None

    def seconds(self, tier: int) -> int | None:
        """Of a tier by the length of its buckets, 0 for single samples."""
        kept = {
            RAW: self.raw,
            MINUTE.seconds: self.minute,
            TEN_MINUTES.seconds: self.ten_minutes,
            EIGHT_HOURS.seconds: self.eight_hours,
        }
        until = [seconds for finer, seconds in kept.items() if finer <= tier]
        return None if None in until else max(seconds for seconds in until if seconds is not None)

    def overridden(self, own: Mapping[str, Any]) -> "Retention":
        """With what a system says of itself: seconds, or None, by the name of the tier."""
        fields = {_FIELDS[name]: seconds for name, seconds in own.items() if name in _FIELDS and _is_duration(seconds)}
        return msgspec.structs.replace(self, **fields)


_FIELDS: Final = dict(zip(TIER_NAMES, Retention.__struct_fields__, strict=True))


def _is_duration(seconds: object) -> bool:
    return seconds is None or (isinstance(seconds, int) and not isinstance(seconds, bool) and seconds > 0)


def tier_of(seconds: int) -> Tier | None:
    """The tier whose buckets can be gathered into ones of that many seconds; None if only single samples can."""
    fitting = [tier for tier in TIERS if tier.seconds <= seconds and seconds % tier.seconds == 0]
    return fitting[-1] if fitting else None
