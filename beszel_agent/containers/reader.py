"""Reads what one container has used. Files stay open: reading them again costs half of opening them."""

from collections.abc import Container
from functools import partial
from typing import Final

from beszel_agent.containers.cgroup_files import find_number
from beszel_agent.containers.model import CgroupPlace, Counters
from beszel_agent.containers.model import Container as Subject
from beszel_agent.containers.sources import (
    CPU_NS,
    FAILURES,
    MEMORY,
    OOM_KILLS,
    PIDS,
    Source,
    open_memory,
    open_sources,
    open_traffic,
    wanted_kills,
    wanted_often,
    wanted_pids,
)
from beszel_agent.paths import HostPaths

_FILES_EACH: Final = 8
"""Open for one container at most."""
_BUSY_SECONDS: Final = 4.5
"""How long the number of processes may stand while the container is busy."""
_STILL_SECONDS: Final = 30.0
"""How long it may stand, and which part of its memory is file cache, while it does nothing."""
_INEXACT_BYTES: Final = 256 << 10
"""Each processor charges memory to a cgroup in advance, by 64 pages."""
_SHORTEST_REST_SECONDS: Final = 5.5
_REST_STEPS: Final = 9
_REST_STEP_SECONDS: Final = 0.5
"""What rests is read after 6 to 10 samples of a second, each container at a pace of its own: not all in one sample."""

_NOTHING: Final = (None,) * len(Counters._fields)
_NEVER: Final = float("-inf")


class FileBudget:
    """How many containers may keep their files open; those on top open them for every reading."""

    def __init__(self, most_files: int) -> None:
        self._left = most_files // _FILES_EACH

    def take(self) -> bool:
        if self._left <= 0:
            return False
        self._left -= 1
        return True

    def give_back(self) -> None:
        self._left += 1


class ContainerReader:
    """The open files of one run of a container.

    One that stood still from one reading to the next *rests*: of it only the processor time is looked at, as without a
    moment of that it takes no memory, starts nothing, sends nothing and asks no disk for anything. What happens to it
    without its doing (somebody sends to it, the kernel writes its pages back, or takes file cache from it) is found by
    a reading now and then; and as long as that goes on, it does not rest.
    """

    def __init__(
        self, paths: HostPaths, subject: Subject, place: CgroupPlace, stacked: Container[bytes], budget: FileBudget
    ) -> None:
        """`stacked` are the numbers of the block devices that lie on others."""
        self._budget = budget
        self._keeps_open = budget.take()
        open_file = partial(paths.file, keep_open=self._keeps_open)
        self._fast = list(open_sources(open_file, wanted_often(place, subject, stacked)))
        self._kills = list(open_sources(open_file, wanted_kills(place)))
        self._pids = list(open_sources(open_file, wanted_pids(place)))
        self._memory = open_memory(open_file, place)
        self._traffic = open_traffic(open_file, paths, subject)
        self._processor = next((source for source in self._fast if source.first == CPU_NS), None)
        self._last: Counters | None = None
        self._used: int | None = None
        self._cache: int | None = None
        self._cache_at = 0
        """What was used when the cache was read."""
        self._has_moved = True
        """The last reading found that it had used processor time."""
        self._whole_at = _NEVER
        """When all there is to read was read."""
        self._rests_until = _NEVER
        self._rest_seconds = _SHORTEST_REST_SECONDS + (subject.pid or 0) % _REST_STEPS * _REST_STEP_SECONDS

    def rests(self, now: float) -> bool:
        """Whether what was read last still stands: it did nothing since. `now` is monotonic."""
        if now >= self._rests_until or self._processor is None:
            return False
        try:
            return self._processor.take() == self._processor.text
        except FAILURES:
            return False

    def read(self, now: float) -> Counters | None:
        """None if nothing is left to read: the container has ended."""
        values: list[int | None] = list(_NOTHING)
        is_there = _fill(self._fast, values)
        last = self._last
        is_still = last is not None and last.cpu_ns is not None and last.cpu_ns == values[CPU_NS]
        is_due = now - self._whole_at >= (_STILL_SECONDS if is_still else _BUSY_SECONDS)
        if last is None or is_due or (is_still and self._has_moved):
            # What a process had is given back a moment after its time has ended: that is looked at once more.
            self._whole_at = now
            is_there |= _fill(self._kills, values) | _fill(self._pids, values)
            is_there |= self._read_memory(values, is_due=True)
        else:
            values[OOM_KILLS], values[PIDS] = last.oom_kills, last.pids
            used = self._used
            is_there |= self._read_memory(values, is_due=False)
            if self._used != used:
                _fill(self._kills, values)
        self._has_moved = not is_still
        if not is_there:
            # Its cgroup is gone, and what is still open would keep its network alive.
            self.close()
            return None
        if self._traffic is not None:
            _fill([self._traffic], values)
        counters = self._last = Counters._make(values)
        self._rests_until = now + self._rest_seconds if is_still and counters == last else _NEVER
        return counters

    def close(self) -> None:
        for source in (*self._fast, *self._kills, *self._pids):
            source.close()
        if self._memory is not None:
            self._memory.used.close()
            self._memory.stat.close()
        if self._traffic is not None:
            self._traffic.close()
        self._fast, self._kills, self._pids = [], [], []
        self._memory = self._traffic = self._processor = None
        if self._keeps_open:
            self._keeps_open = False
            self._budget.give_back()

    def _read_memory(self, values: list[int | None], *, is_due: bool) -> bool:
        """Without the file cache.

        Its size stands in a long file that costs as much as all others together. As long as the sum stays within what
        the kernel itself does not count exactly, the cache is taken to be what it was.
        """
        if self._memory is None:
            return False
        try:
            used = self._memory.used.read()
            if used is not None and (is_due or self._cache is None or abs(used - self._cache_at) >= _INEXACT_BYTES):
                self._cache = find_number(self._memory.stat.read_record(), self._memory.cache_field)
                self._cache_at = used
        except FAILURES:
            self._used = self._cache = None
            return False
        self._used = used
        values[MEMORY] = None if used is None or self._cache is None else max(0, used - self._cache)
        return True


def _fill(sources: list[Source], values: list[int | None]) -> bool:
    """Whether anything could be read. A part that is gone, or not what it should be, costs itself only."""
    is_there = False
    for source in sources:
        try:
            found = source.read()
        except FAILURES:
            continue
        is_there = True
        if source.last - source.first == 1:
            values[source.first] = found
        elif found is not None:
            values[source.first : source.last] = found
    return is_there
