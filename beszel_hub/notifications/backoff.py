"""When a message that was not taken is tried again, and when no more. Pure: chance is an argument."""

from typing import Final

FIRST_DELAY_SECONDS: Final = 5.0
MAX_DELAY_SECONDS: Final = 1800.0
MAX_AGE_SECONDS: Final = 86400.0
MAX_LASTING_ATTEMPTS: Final = 3
"""Of what a target refuses for good: somebody may be mending the target just now."""


def next_delay_seconds(attempts: int, chance: float, *, retry_after_seconds: float | None = None) -> float:
    """After `attempts` failures; between half and all of a span that doubles, by `chance` in [0, 1).

    What the target asks for counts if it is longer, up to the longest span of our own.
    """
    span = min(FIRST_DELAY_SECONDS * 2.0 ** min(attempts - 1, 20), MAX_DELAY_SECONDS)
    delay = span * (0.5 + 0.5 * chance)
    return max(delay, min(retry_after_seconds or 0.0, MAX_DELAY_SECONDS))


def is_hopeless(attempts: int, age_seconds: float, *, is_lasting: bool) -> bool:
    return age_seconds >= MAX_AGE_SECONDS or (is_lasting and attempts >= MAX_LASTING_ATTEMPTS)
