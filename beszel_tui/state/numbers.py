"""The numbers of a fleet row by the short names that filter line, sorting and columns share."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from beszel_protocol.feed import FleetRow
from beszel_protocol.metrics import Unit


class Number(NamedTuple):
    """Of the rows of some table."""

    unit: Unit
    read: Callable[[Any], float | None]

    @property
    def is_duration(self) -> bool:
        return self.unit is Unit.SECONDS


def network_bytes_per_second(row: FleetRow) -> float | None:
    """Both directions together; None if neither is known."""
    known = [rate for rate in (row.recv_bytes_per_second, row.sent_bytes_per_second) if rate is not None]
    return sum(known) if known else None


def load_one_minute(row: FleetRow) -> float | None:
    return row.load_average[0] if row.load_average else None


NUMBERS: Final[Mapping[str, Number]] = {
    "cpu": Number(Unit.PERCENT, lambda row: row.cpu_percent),
    "mem": Number(Unit.PERCENT, lambda row: row.memory_percent),
    "memory": Number(Unit.PERCENT, lambda row: row.memory_percent),
    "disk": Number(Unit.PERCENT, lambda row: row.disk_percent),
    "net": Number(Unit.BYTES_PER_SECOND, network_bytes_per_second),
    "rx": Number(Unit.BYTES_PER_SECOND, lambda row: row.recv_bytes_per_second),
    "tx": Number(Unit.BYTES_PER_SECOND, lambda row: row.sent_bytes_per_second),
    "load": Number(Unit.LOAD, load_one_minute),
    "temp": Number(Unit.CELSIUS, lambda row: row.temperature_celsius),
    "svc": Number(Unit.COUNT, lambda row: row.services_total),
    "failed": Number(Unit.COUNT, lambda row: row.services_failed),
    "cores": Number(Unit.COUNT, lambda row: row.cores),
    "uptime": Number(Unit.SECONDS, lambda row: row.uptime_seconds),
}
