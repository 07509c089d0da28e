"""The kinds of metrics that the fields of a sample declare: what counts alike, rolls up alike and alarms alike."""

from typing import Final

from beszel_protocol.metrics import Metric, Rollup, Unit

_MOST_BUSY_PERCENT: Final = 1e8
"""Of a million requests at once."""

_MOST_WEAR_PERCENT: Final = 255
"""NVMe counts on past its rated life, up to what a byte holds."""


def percent(label: str) -> Metric:
    return Metric(label=label, unit=Unit.PERCENT, peak=True, alarm=True)


def share(label: str) -> Metric:
    return Metric(label=label, unit=Unit.PERCENT)


def level_bytes(label: str) -> Metric:
    return Metric(label=label, unit=Unit.BYTES, peak=True)


def total(label: str) -> Metric:
    return Metric(label=label, unit=Unit.BYTES, rollup=Rollup.LAST)


def rate(label: str) -> Metric:
    return Metric(label=label, unit=Unit.BYTES_PER_SECOND, peak=True, alarm=True)


def capacity(label: str) -> Metric:
    return Metric(label=label, unit=Unit.BYTES_PER_SECOND, rollup=Rollup.LAST)


def count(label: str) -> Metric:
    return Metric(label=label, unit=Unit.COUNT, rollup=Rollup.LAST)


def failures(label: str) -> Metric:
    return Metric(label=label, unit=Unit.COUNT, rollup=Rollup.MAX, alarm=True)


def severity(label: str) -> Metric:
    """0 sound, 1 of concern, 2 failed; absent where nobody can tell."""
    return Metric(label=label, unit=Unit.COUNT, rollup=Rollup.MAX, alarm=True)


def busy(label: str) -> Metric:
    return Metric(label=label, unit=Unit.PERCENT, peak=True, largest=_MOST_BUSY_PERCENT)


def wear(label: str) -> Metric:
    return Metric(label=label, unit=Unit.PERCENT, rollup=Rollup.MAX, alarm=True, largest=_MOST_WEAR_PERCENT)


def depth(label: str) -> Metric:
    return Metric(label=label, unit=Unit.LOAD, peak=True, alarm=True)


def flag(label: str) -> Metric:
    """1 if something is wrong, else 0; a longer interval in which it was wrong once says so."""
    return Metric(label=label, unit=Unit.COUNT, rollup=Rollup.MAX, alarm=True)


def events(label: str) -> Metric:
    return Metric(label=label, unit=Unit.PER_SECOND, peak=True, alarm=True)


def level(label: str) -> Metric:
    return Metric(label=label, unit=Unit.COUNT, peak=True, alarm=True)


def load(label: str) -> Metric:
    return Metric(label=label, unit=Unit.LOAD, peak=True, alarm=True)


def power(label: str) -> Metric:
    return Metric(label=label, unit=Unit.WATTS, peak=True)
