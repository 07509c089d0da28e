"""The fleet as it was: pages of history around one instant, and the state of that instant made from them.

All instants are milliseconds by the hub's clock.
"""

from bisect import bisect_right
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from beszel_protocol.feed import FleetRow
from beszel_tui.state.series import BUCKET_MS, TRAIL_BUCKETS, Columns, Trail, bucket_means, trail_from

if TYPE_CHECKING:
    from beszel_tui.state.model import State

PAGE_MS: Final = 600_000
LEAD_MS: Final = BUCKET_MS * TRAIL_BUCKETS
"""Before a page, for the sparklines at its beginning."""
PAGE_POINTS: Final = 300
SPEEDS: Final = (1, 10, 60)
_LONGEST_SILENCE_MS: Final = 15_000
"""A reading stands for so long, or for three columns where they are longer."""
_NUMBERS: Final = {
    "cpu.usage_percent": "cpu_percent",
    "memory.usage_percent": "memory_percent",
    "disk[/].usage_percent": "disk_percent",
    "network.sent_bytes_per_second": "sent_bytes_per_second",
    "network.recv_bytes_per_second": "recv_bytes_per_second",
    "uptime_seconds": "uptime_seconds",
}
"""By address: the number of a row that is a series."""
_LOAD: Final = "cpu.load_average[0]"
ADDRESSES: Final = (*_NUMBERS, _LOAD)


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """History of one system."""

    number: int
    """Its first instant // `PAGE_MS`."""
    end_ms: int
    """What is later was not there yet."""
    columns: Columns
    created_ms: int | None = None
    """When the hub was told of the system; None where `was_there`, or nobody says."""


class ContainerPage(Page, frozen=True, kw_only=True):
    """History of the containers of one system."""

    series: Mapping[str, Mapping[str, str]]
    """By name and field: the address of each series in the columns."""


class Past(msgspec.Struct, frozen=True, kw_only=True):
    at_ms: int
    speed: int = 0
    """Seconds a second; 0 stands still."""
    behind_ms: int = 0
    """How long ago it was; only in what `moment` makes."""
    pages: Mapping[str, Page] = msgspec.field(default_factory=dict)
    """By system, the one around `at_ms` or its neighbour."""
    containers: Mapping[str, ContainerPage] = msgspec.field(default_factory=dict)
    """Likewise."""

    def page(self, system_id: str) -> Page | None:
        """The one that tells of `at_ms`."""
        page = self.pages.get(system_id)
        return page if page and self._is_told_by(page) else None

    def container_page(self, system_id: str) -> ContainerPage | None:
        page = self.containers.get(system_id)
        return page if page and self._is_told_by(page) else None

    def _is_told_by(self, page: Page) -> bool:
        return page.number == number_of(self.at_ms) and self.at_ms < page.end_ms


def number_of(at_ms: int) -> int:
    return at_ms // PAGE_MS


def page_bounds(number: int, hub_now_ms: int) -> tuple[int, int]:
    """What to ask for: start and end."""
    return number * PAGE_MS - LEAD_MS, min((number + 1) * PAGE_MS, hub_now_ms)


def was_there(columns: Columns, number: int) -> bool:
    """Whether the system is known to have been there when the page of this number begins: it was measured before."""
    before = bisect_right(columns.timestamps_ms, number * PAGE_MS)
    return any(value is not None for lane in columns.lanes.values() for value in lane.mean[:before])


def moment(state: "State") -> "State":
    """`state` with the systems, curves and clock of the instant that it looks at; itself if that is now."""
    past = state.past
    if past is None:
        return state
    trails: dict[str, Trail] = {}
    systems: dict[str, FleetRow] = {}
    for system_id, row in state.systems.items():
        page = past.page(system_id)
        row_then = _row_then(row, page, past.at_ms)
        if row_then.status == "down" and page and page.created_ms and past.at_ms < page.created_ms:
            continue  # neither down nor up: it was not there yet
        systems[system_id] = row_then
        if page is not None:
            trails[system_id] = trail_then(page.columns, "cpu.usage_percent", past.at_ms)
    return replace(  # which alerts fired then is not known
        state, systems=systems, trails=trails, alerts={}, hub_offset_ms=past.at_ms - state.now_ms,
        past=replace(past, behind_ms=max(0, state.hub_now_ms - past.at_ms)),
    )  # fmt: skip


def _row_then(row: FleetRow, page: Page | None, at_ms: int) -> FleetRow:
    """Name and tags are those of now: nobody keeps what they were."""
    bare = FleetRow(id=row.id, name=row.name, status="pending", host=row.host, cores=row.cores, tags=row.tags)
    if page is None:
        return bare
    numbers = {name: value_then(page.columns, address, at_ms) for address, name in _NUMBERS.items()}
    load = value_then(page.columns, _LOAD, at_ms)
    if all(number is None for number in numbers.values()):
        return replace(bare, status="down")
    load_average = None if load is None else [load]
    return replace(bare, status="up", updated_ms=at_ms, load_average=load_average, **numbers)


def value_then(columns: Columns, address: str, at_ms: int) -> float | None:
    """The last reading before or at an instant; None if that was long before."""
    lane = columns.lane(address)
    if lane is None:
        return None
    oldest_ms = at_ms - max(_LONGEST_SILENCE_MS, 3 * columns.resolution_ms)
    for index in range(bisect_right(columns.timestamps_ms, at_ms) - 1, -1, -1):
        if columns.timestamps_ms[index] < oldest_ms:
            return None
        if lane.mean[index] is not None:
            return lane.mean[index]
    return None


def trail_then(columns: Columns, address: str, at_ms: int) -> Trail:
    """The curve of a series up to an instant; a column that is longer than its buckets stands for several."""
    bucket = at_ms // BUCKET_MS
    lane = columns.lane(address)
    if lane is None:
        return trail_from(bucket, ())
    if columns.resolution_ms <= BUCKET_MS:
        return trail_from(bucket, bucket_means(columns.timestamps_ms, lane.mean, bucket))
    starts_ms = ((bucket - back) * BUCKET_MS for back in range(TRAIL_BUCKETS, 0, -1))
    return trail_from(bucket, [value_then(columns, address, start_ms) for start_ms in starts_ms])
