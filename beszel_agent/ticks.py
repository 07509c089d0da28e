"""When to wake: on whole multiples of an interval of CLOCK_MONOTONIC, without drift or catching up.

Everything that is done every few seconds waits for such a moment. Then samples and all else fall together, and the
processor is woken once: that costs more than most of what is done.
"""

import asyncio
import math
from collections.abc import Callable
from typing import Final

_EARLY_SECONDS: Final = 0.1
"""How much too early a timer may go off; far more than any does, far less than an interval."""


class Ticks:
    """Calls back at every tick, straight from the loop's timer: a task woken by a future would cost as much again."""

    def __init__(self, take: Callable[[], None], interval_seconds: float) -> None:
        self._take, self._interval_seconds = take, interval_seconds
        self._loop = asyncio.get_running_loop()
        self._last_tick = 0.0
        self.failure: asyncio.Future[None] = self._loop.create_future()
        """Ends with the error of a callback; otherwise never."""
        self._timer = self._schedule()

    def change(self, interval_seconds: float) -> None:
        """Effective at once."""
        self._interval_seconds = interval_seconds
        self._timer.cancel()
        self._timer = self._schedule()

    def stop(self) -> None:
        self._timer.cancel()

    def _schedule(self) -> asyncio.TimerHandle:
        at = next_tick(self._loop.time(), self._last_tick, self._interval_seconds)
        return self._loop.call_at(at, self._tick, at)

    def _tick(self, at: float) -> None:
        self._last_tick = at
        try:
            self._take()
        except Exception as error:  # noqa: BLE001 - raised where it is waited for
            self.failure.set_exception(error)
        else:
            self._timer = self._schedule()


async def sleep_to_tick(interval_seconds: float) -> None:
    """Until the next whole multiple of the interval, at least half of it away."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(next_tick(loop.time() + interval_seconds / 2, 0.0, interval_seconds) - loop.time())


def next_tick(now: float, last_tick: float, interval_seconds: float) -> float:
    """The next whole multiple of the interval that is not the last tick, also if its timer went off a little early."""
    return (math.floor(max(now, last_tick + _EARLY_SECONDS) / interval_seconds) + 1) * interval_seconds
