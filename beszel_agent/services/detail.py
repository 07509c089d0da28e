"""The action `service_detail`: what its manager knows of one service."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from beszel_agent.config import Config
from beszel_agent.errors import ReadingFailed, RequestRefused, Unavailable, describe
from beszel_agent.paths import HostPaths
from beszel_agent.services.choice import find_systemd
from beszel_agent.services.manager import by_shown_name
from beszel_protocol.hygiene import clean_text
from beszel_protocol.services import ServiceDetail, ServiceQuery
from beszel_protocol.timestamps import format_timestamp

_UNSET: Final = 2**64 - 1
"""What systemd says for: not known, no limit."""


async def detail_service(paths: HostPaths, config: Config, params: Mapping[str, Any]) -> ServiceDetail:
    """Raise `RequestRefused`. Asks in a thread, on a connection of its own."""
    try:
        wanted = msgspec.convert(params, ServiceQuery)
    except msgspec.ValidationError as error:
        raise RequestRefused("bad_params", str(error)) from error
    return await asyncio.to_thread(_ask, paths, config, wanted.name)


def _ask(paths: HostPaths, config: Config, name: str) -> ServiceDetail:
    try:
        systemd = find_systemd(paths, config)
        units = systemd.units()
        unit = by_shown_name(units).get(name) or next((unit for unit in units if unit.name == name), None)
        if unit is None:
            # Only what matches the patterns of the host's owner, whatever else runs.
            raise RequestRefused("unknown_service", f"no service {clean_text(name, 64)} is watched here")
        return parse_detail(name, unit.name, systemd.properties(unit))
    except Unavailable as error:
        raise RequestRefused("unavailable", str(error)) from error
    except (OSError, ReadingFailed) as error:
        raise RequestRefused("failed", describe(error)) from error


def parse_detail(name: str, unit: str, properties: Mapping[str, Any]) -> ServiceDetail:
    """Of the properties of a unit, whatever their types turn out to be."""

    def text(key: str) -> str | None:
        value = properties.get(key)
        return clean_text(value) or None if isinstance(value, str) else None

    def number(key: str) -> int | None:
        value = properties.get(key)
        is_number = isinstance(value, int) and not isinstance(value, bool)
        return value if is_number and value != _UNSET else None

    def instant(key: str) -> str | None:
        microseconds = number(key)
        return format_timestamp(microseconds // 1000) if microseconds else None

    cpu_ns = number("CPUUsageNSec")
    return ServiceDetail(
        name=clean_text(name),
        unit=clean_text(unit),
        description=text("Description"),
        load_state=text("LoadState"),
        state=text("ActiveState"),
        sub_state=text("SubState"),
        enabled=text("UnitFileState"),
        result=text("Result"),
        file=text("FragmentPath"),
        group=text("ControlGroup"),
        user=text("User"),
        active_since=instant("ActiveEnterTimestamp"),
        inactive_since=instant("InactiveEnterTimestamp"),
        started_at=instant("ExecMainStartTimestamp"),
        main_pid=number("MainPID") or None,
        exit_status=number("ExecMainStatus") if number("ExecMainExitTimestamp") else None,
        restarts=number("NRestarts"),
        tasks=number("TasksCurrent"),
        tasks_limit=number("TasksMax"),
        memory_bytes=number("MemoryCurrent"),
        memory_peak_bytes=number("MemoryPeak"),
        memory_limit_bytes=number("MemoryMax"),
        cpu_seconds=None if cpu_ns is None else round(cpu_ns / 1e9, 3),
    )
