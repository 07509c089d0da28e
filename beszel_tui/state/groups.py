"""Systems by their first tag: a line that tells of all of a group, then those that are in it."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final

from beszel_protocol.feed import FleetRow
from beszel_tui.state.selectors import FleetLine, Group, natural_key

PREFIX: Final = "tag:"
"""Of the keys of groups: no system's id has a colon."""
_UNTAGGED: Final = "\uffff"


def grouped(lines: Iterable[FleetLine], folded: Collection[str]) -> list[FleetLine]:
    """In the order of tags, untagged ones last; within a group as they were. Folded groups show their own line only."""
    members: dict[str, list[FleetLine]] = {}
    for line in lines:
        members.setdefault(line.row.tags[0] if line.row.tags else _UNTAGGED, []).append(line)
    shown: list[FleetLine] = []
    for tag in sorted(members, key=natural_key):
        key = PREFIX + ("" if tag == _UNTAGGED else tag)
        shown.append(_heading(key, members[tag], is_folded=key in folded))
        if key not in folded:
            shown += members[tag]
    return shown


def _heading(key: str, lines: Sequence[FleetLine], *, is_folded: bool) -> FleetLine:
    """Processor and memory are means, the disk is the fullest one, traffic and load are sums: of those that are up."""
    rows = [line.row for line in lines if line.row.status == "up"]
    loads = _told(rows, lambda row: row.load_average[0] if row.load_average else None)
    row = FleetRow(
        id=key,
        name=key.removeprefix(PREFIX) or "without a tag",
        status="up" if rows else "down",
        cpu_percent=_mean(_told(rows, lambda row: row.cpu_percent)),
        memory_percent=_mean(_told(rows, lambda row: row.memory_percent)),
        disk_percent=max(_told(rows, lambda row: row.disk_percent), default=None),
        recv_bytes_per_second=_sum(_told(rows, lambda row: row.recv_bytes_per_second)),
        sent_bytes_per_second=_sum(_told(rows, lambda row: row.sent_bytes_per_second)),
        load_average=[sum(loads)] if loads else None,
        cores=int(sum(_told(rows, lambda row: row.cores))) or None,
        temperature_celsius=max(_told(rows, lambda row: row.temperature_celsius), default=None),
        services_total=_count(_told(rows, lambda row: row.services_total)),
        services_failed=_count(_told(rows, lambda row: row.services_failed)),
    )
    group = Group(len(lines), len(rows), is_folded)
    is_aged = bool(rows) and all(line.aged for line in lines if line.row.status == "up")
    return FleetLine(
        row, (), is_aged, "", any(line.critical for line in lines), sum(line.alerts for line in lines), group
    )


def _told(rows: Iterable[FleetRow], read: Callable[[FleetRow], float | None]) -> list[float]:
    return [value for row in rows if (value := read(row)) is not None]


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _sum(values: Sequence[float]) -> float | None:
    return sum(values) if values else None


def _count(values: Sequence[float]) -> int | None:
    return int(sum(values)) if values else None
