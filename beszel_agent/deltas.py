"""Rates from counters, as values: what a counter gained between two readings, or that nobody can tell."""

from typing import Final

_WRAP_32: Final = 1 << 32


def gained(previous: int, current: int) -> int | None:
    """What a counter gained; None if it went backwards, as after a reset, when only a new baseline can be taken."""
    return current - previous if current >= previous else None


def gained_wrapping(previous: int, current: int, largest: float) -> int | None:
    """What a counter gained that may be 32 bits wide.

    A step back is taken for a wrap only if the counter was near its end and what it would have gained is at most
    `largest`; anything else is a reset.
    """
    if current >= previous:
        return current - previous
    wrapped = current + _WRAP_32 - previous
    return wrapped if _WRAP_32 // 2 <= previous < _WRAP_32 and wrapped <= largest else None


def per_second(amount: int | None, elapsed_seconds: float) -> int | None:
    """A rate in whole units; None without an amount or without time."""
    if amount is None or elapsed_seconds <= 0:
        return None
    return round(amount / elapsed_seconds)


def share(part: float, whole: float) -> float | None:
    """A percentage, clamped to 0-100 and rounded to what a reader can see; None of nothing."""
    if whole <= 0:
        return None
    return round(min(100.0, max(0.0, 100 * part / whole)), 2)
