"""Whether the clock is disciplined and how far it is off, as the kernel was told: adjtimex(2). Asks no network."""

import os
import struct
import sys
from collections.abc import Callable
from typing import ClassVar, Final, NamedTuple, Self

from beszel_agent.collector import NeverWaits
from beszel_agent.config import Config
from beszel_agent.errors import Unavailable
from beszel_agent.paths import HostPaths
from beszel_protocol.sample import ClockMetrics, Metrics

_TIMEX: Final = struct.Struct("@Illlli")
"""The head of `struct timex`: modes, offset, freq, maxerror, esterror, status."""
_TIMEX_BYTES: Final = 512
"""More than the whole of it has on any machine."""
_STA_UNSYNC: Final = 0x0040
_STA_NANO: Final = 0x2000
_TIME_ERROR: Final = 5


class Timex(NamedTuple):
    state: int
    """What the call returned."""
    offset: int
    """Microseconds, or nanoseconds if `status` says so."""
    max_error_us: int
    status: int


class ClockCollector(NeverWaits):
    name: ClassVar[str] = "clock"
    fields: ClassVar[tuple[str, ...]] = ("clock",)
    pace_seconds: ClassVar[float] = 30

    def __init__(self, ask: Callable[[], Timex]) -> None:
        self._ask = ask

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        if sys.platform != "linux":
            raise Unavailable("only Linux tells how it keeps its clock")
        ask = _find_adjtimex()
        try:
            ask()
        except OSError as error:
            raise Unavailable(f"adjtimex: {error.strerror}; ProtectClock= of systemd forbids it") from error
        return cls(ask)

    def collect(self, now: float) -> Metrics:
        return Metrics(clock=clock_metrics(self._ask()))


def clock_metrics(timex: Timex) -> ClockMetrics:
    per_ms = 1_000_000 if timex.status & _STA_NANO else 1000
    unsynchronized = timex.state == _TIME_ERROR or bool(timex.status & _STA_UNSYNC)
    return ClockMetrics(
        unsynchronized=int(unsynchronized),
        # Who disciplines it says both; a clock that runs free has an offset that nobody knows.
        offset_ms=None if unsynchronized else round(abs(timex.offset) / per_ms, 3),
        max_error_ms=None if unsynchronized else round(timex.max_error_us / 1000, 1),
    )


def _find_adjtimex() -> Callable[[], Timex]:
    import ctypes  # noqa: PLC0415 - 0.4 MB that only this needs

    try:
        call = ctypes.CDLL(None, use_errno=True).adjtimex
    except (AttributeError, OSError) as error:
        raise Unavailable("the C library has no adjtimex") from error

    def ask() -> Timex:
        buffer = ctypes.create_string_buffer(_TIMEX_BYTES)  # all zero: modes 0 only reads
        state = call(buffer)
        if state < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        _, offset, _, max_error, _, status = _TIMEX.unpack_from(buffer)
        return Timex(state, offset, max_error, status)

    return ask
