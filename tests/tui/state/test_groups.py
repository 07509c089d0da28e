from beszel_protocol.feed import FleetRow
from beszel_tui.state.groups import grouped
from beszel_tui.state.model import Connection, State
from beszel_tui.state.selectors import FleetLine, Thresholds, fleet_line
from tests.support.scriptedsource import NOW_MS, make_row

ROWS = [
    make_row("web-1", cpu=40.0, memory=60.0, disk=10.0, tags=["prod", "web"], recv_bytes_per_second=100.0),
    make_row("web-2", cpu=20.0, memory=40.0, disk=95.0, tags=["prod"], recv_bytes_per_second=50.0),
    make_row("web-3", cpu=None, memory=None, disk=None, status="down", tags=["prod"]),
    make_row("pi", cpu=None, memory=None, disk=None),
    make_row("lab", cpu=1.0, tags=["lab"]),
]


def lines(*rows: FleetRow) -> list[FleetLine]:
    state = State(now_ms=NOW_MS, connection=Connection(phase="live"), systems={row.id: row for row in rows})
    return [fleet_line(state, row, 0, Thresholds()) for row in rows]


def test_every_system_is_in_the_group_of_its_first_tag() -> None:
    shown = [line.row.name for line in grouped(lines(*ROWS), ())]
    assert shown == ["lab", "lab", "prod", "web-1", "web-2", "web-3", "without a tag", "pi"]


def test_a_group_tells_of_those_that_are_up() -> None:
    prod = next(line for line in grouped(lines(*ROWS), ()) if line.row.id == "tag:prod")
    assert prod.group is not None
    assert (prod.group.total, prod.group.up, prod.group.is_folded) == (3, 2, False)
    assert prod.row.cpu_percent == 30.0
    assert prod.row.memory_percent == 50.0
    assert prod.row.disk_percent == 95.0
    assert prod.row.recv_bytes_per_second == 150.0
    assert prod.row.sent_bytes_per_second is None
    assert prod.critical


def test_what_nobody_tells_is_a_gap() -> None:
    group = grouped(lines(ROWS[2]), ())[0]
    assert group.row.status == "down"
    assert group.row.cpu_percent is None
    assert group.row.recv_bytes_per_second is None


def test_a_folded_group_is_one_line() -> None:
    shown = [line.row.id for line in grouped(lines(*ROWS), {"tag:prod", "tag:"})]
    assert shown == ["tag:lab", ROWS[4].id, "tag:prod", "tag:"]


def test_keys_are_unique() -> None:
    shown = [line.row.id for line in grouped(lines(*ROWS), ())]
    assert len(set(shown)) == len(shown)
