"""When which image is asked about again, and how long a registry is left alone. Pure."""

from typing import Final

import msgspec

LOOK_MS: Final = 6 * 3_600_000
"""Between two looks at one tag, at least."""
SPREAD_MS: Final = 1_800_000
"""At most this much later, so that what was asked at once is not asked at once for ever."""
STALE_MS: Final = 48 * 3_600_000
"""What a registry said longer ago is not known any more."""
AFTER_FAILURE_MS: Final = 1_800_000
"""At least, for the image itself: it may be the only one that its registry stumbles over."""
FIRST_PAUSE_MS: Final = 60_000
LONGEST_PAUSE_MS: Final = LOOK_MS
_MOST_DOUBLINGS: Final = 10


class Look(msgspec.Struct, frozen=True):
    """What is known of one tag."""

    digest: str | None = None
    told_ms: int = 0
    """When its registry last told the digest."""
    due_ms: int = 0

    def known_at(self, now_ms: int) -> str | None:
        return self.digest if now_ms - self.told_ms < STALE_MS else None


def told(digest: str | None, now_ms: int, jitter: float) -> Look:
    """The registry answered; None if it does not tell of this tag. `jitter` lies between 0 and 1."""
    return Look(digest, 0 if digest is None else now_ms, now_ms + LOOK_MS + round(jitter * SPREAD_MS))


def postponed(look: Look, now_ms: int, pause_ms: int, jitter: float) -> Look:
    """The registry did not answer: what it said last stands until it is stale."""
    due_ms = now_ms + max(pause_ms, AFTER_FAILURE_MS) + round(jitter * SPREAD_MS)
    return msgspec.structs.replace(look, due_ms=due_ms)


class Pause(msgspec.Struct, frozen=True):
    """How long one registry is left alone."""

    until_ms: int = 0
    length_ms: int = 0
    failures: int = 0
    """In a row."""


def longer(pause: Pause, now_ms: int, wish_seconds: int | None) -> Pause:
    """After one more failure; the registry may wish for a pause that is longer, but not for one without end."""
    own_ms = FIRST_PAUSE_MS << min(pause.failures, _MOST_DOUBLINGS)
    length_ms = min(LONGEST_PAUSE_MS, max(own_ms, 1000 * (wish_seconds or 0)))
    return Pause(now_ms + length_ms, length_ms, pause.failures + 1)
