"""The action `service_detail`: what its manager knows of one service, on request; and how systemd calls that."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

MAX_NAME_LENGTH: Final = 256

_PROPERTIES: Final = {
    "unit": "Id", "description": "Description", "load_state": "LoadState", "state": "ActiveState",
    "sub_state": "SubState", "enabled": "UnitFileState", "result": "Result", "file": "FragmentPath", "group": "Group",
    "user": "User", "active_since": "ActiveEnterTimestamp", "inactive_since": "InactiveEnterTimestamp",
    "started_at": "ExecMainStartTimestamp", "main_pid": "MainPID", "exit_status": "ExecMainStatus",
    "restarts": "NRestarts", "tasks": "TasksCurrent", "tasks_limit": "TasksMax", "memory_bytes": "MemoryCurrent",
    "memory_peak_bytes": "MemoryPeak", "memory_limit_bytes": "MemoryLimit",
}  # fmt: skip
_CPU_NS: Final = "CPUUsageNSec"
_MOST_CPU_SECONDS: Final = 9e9
"""So that nanoseconds fit into 64 bits."""


class ServiceQuery(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    """As a sample has it, `nginx`, or in full, `nginx.service`."""


class ServiceDetail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What does not apply to the unit is absent. Its environment is never told: people put passwords there."""

    name: str | None = None
    """As it was asked for."""
    unit: str | None = None
    description: str | None = None
    load_state: str | None = None
    state: str | None = None
    sub_state: str | None = None
    enabled: str | None = None
    """`enabled`, `disabled`, `static` …"""
    result: str | None = None
    """Why it failed: `exit-code`, `oom-kill`, `timeout` …; `success` if it did not."""
    file: str | None = None
    group: str | None = None
    user: str | None = None
    active_since: str | None = None
    """RFC 3339."""
    inactive_since: str | None = None
    started_at: str | None = None
    main_pid: int | None = None
    exit_status: int | None = None
    """Of the main process that ended last."""
    restarts: int | None = None
    tasks: int | None = None
    tasks_limit: int | None = None
    memory_bytes: int | None = None
    memory_peak_bytes: int | None = None
    memory_limit_bytes: int | None = None
    cpu_seconds: float | None = None


def service_properties(told: ServiceDetail) -> dict[str, Any]:
    """By systemd's names, as hubs tell it to clients, Beszel's among them; without what is not known."""
    facts = msgspec.to_builtins(told)
    properties = {name: facts[fact] for fact, name in _PROPERTIES.items() if fact in facts}
    seconds = told.cpu_seconds
    if seconds is not None and 0 <= seconds < _MOST_CPU_SECONDS:
        properties[_CPU_NS] = round(seconds * 1e9)
    return properties


def service_of_properties(properties: Mapping[str, Any]) -> ServiceDetail:
    """The same the other way round; raise `msgspec.ValidationError`."""
    facts = {fact: properties[name] for fact, name in _PROPERTIES.items() if name in properties}
    cpu_ns = msgspec.convert(properties.get(_CPU_NS), int | None)
    return msgspec.convert(facts | {"cpu_seconds": None if cpu_ns is None else cpu_ns / 1e9}, ServiceDetail)
