"""Services and disks of the demonstration in full."""

from typing import Final

import msgspec

from beszel_protocol.sample import ServiceMetrics, ServiceUnitMetrics
from beszel_protocol.services import ServiceDetail
from beszel_protocol.storage import SmartMetrics
from beszel_protocol.timestamps import format_timestamp
from beszel_tui.errors import HubRefused
from beszel_tui.state.components import SUCCESS, DiskAttribute, DiskRecord
from beszel_tui.state.demo import demo_sample
from beszel_tui.state.waves import hash_share, hash_text

_HOUR_MS: Final = 3_600_000
_VERDICTS: Final = {0: "PASSED", 1: "WARNING", 2: "FAILED"}
_USERS: Final = {"nginx": "www-data", "pgbouncer": "postgres", "chrony": "_chrony", "beszel-agent": "beszel"}


def demo_service(system_id: str, name: str, at_ms: int) -> ServiceDetail:
    """Raise `HubRefused` for a service that is not there."""
    services = demo_sample(system_id, at_ms).services or ServiceMetrics()
    unit = (services.units or {}).get(name)
    if unit is None:
        raise HubRefused(404, "There is nothing here.")
    since_ms = at_ms - int((1 + 400 * hash_share(system_id + name)) * _HOUR_MS)
    common = ServiceDetail(
        unit=f"{name}.service", description=f"The service {name} of the demonstration", state=unit.state,
        sub_state=unit.sub_state, enabled="enabled", file=f"/usr/lib/systemd/system/{name}.service",
        group=f"/system.slice/{name}.service", user=_USERS.get(name), restarts=unit.restarts,
    )  # fmt: skip
    return _running(common, unit, since_ms) if unit.state == "active" else _ended(common, unit, since_ms)


def demo_disk(system_id: str, key: str, at_ms: int) -> DiskRecord | None:
    disk = (demo_sample(system_id, at_ms).smart or {}).get(key)
    if disk is None:
        return None
    return DiskRecord(
        serial=key, model=disk.model or "", firmware=f"{hash_text(key)[:4].upper()}", type=disk.type or "",
        state=_VERDICTS.get(-1 if disk.severity is None else disk.severity, "UNKNOWN"), capacity=disk.total_bytes,
        temp=disk.temperature_celsius, hours=disk.power_on_hours, cycles=disk.power_cycles,
        attributes=_table(disk) if disk.type == "ata" else _log(disk), updated=format_timestamp(at_ms),
    )  # fmt: skip


def _running(common: ServiceDetail, unit: ServiceUnitMetrics, since_ms: int) -> ServiceDetail:
    pid = 400 + int(60_000 * hash_share(common.unit or ""))
    return msgspec.structs.replace(
        common, result=SUCCESS, active_since=format_timestamp(since_ms), started_at=format_timestamp(since_ms),
        main_pid=pid, tasks=1 + pid % 12, tasks_limit=4915, memory_bytes=unit.memory_bytes,
        memory_peak_bytes=unit.memory_peak_bytes, cpu_seconds=pid / 10,
    )  # fmt: skip


def _ended(common: ServiceDetail, unit: ServiceUnitMetrics, since_ms: int) -> ServiceDetail:
    is_failed = unit.state == "failed"
    return msgspec.structs.replace(
        common, inactive_since=format_timestamp(since_ms), result="exit-code" if is_failed else SUCCESS,
        exit_status=1 if is_failed else 0,
    )  # fmt: skip


def _table(disk: SmartMetrics) -> list[DiskAttribute]:
    """As disks with plates tell it: normalized values that count down."""
    lines = (
        (1, "Raw_Read_Error_Rate", 83, 44, 196_540_648), (3, "Spin_Up_Time", 91, 0, 0),
        (4, "Start_Stop_Count", 100, 20, disk.power_cycles),
        (5, "Reallocated_Sector_Ct", 100 if not disk.reallocated_sectors else 64, 10, disk.reallocated_sectors),
        (7, "Seek_Error_Rate", 87, 45, 530_221_876), (9, "Power_On_Hours", 79, 0, disk.power_on_hours),
        (12, "Power_Cycle_Count", 100, 20, disk.power_cycles),
        (187, "Reported_Uncorrect", 100, 0, disk.uncorrected_errors),
        (194, "Temperature_Celsius", 66, 0, disk.temperature_celsius),
        (197, "Current_Pending_Sector", 100, 0, disk.pending_sectors), (199, "UDMA_CRC_Error_Count", 200, 0, 0),
    )  # fmt: skip
    return [
        DiskAttribute(
            id=number, name=name, value=value, worst=value - value % 7, threshold=threshold, number=counted,
            raw=None if counted is None else f"{counted:.0f}",
        )
        for number, name, value, threshold, counted in lines
    ]  # fmt: skip


def _log(disk: SmartMetrics) -> list[DiskAttribute]:
    """As flash tells it: plain numbers."""
    numbers = (
        ("Percentage used", disk.wear_percent), ("Available spare", disk.spare_percent),
        ("Data units read, bytes", disk.bytes_read), ("Data units written, bytes", disk.bytes_written),
        ("Media errors", disk.uncorrected_errors), ("Unsafe shutdowns", 3),
    )  # fmt: skip
    return [DiskAttribute(name=name, number=number) for name, number in numbers if number is not None]
