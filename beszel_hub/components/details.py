"""What only the agent can tell of services, disks and processes, asked for an actor.

The answers are checked like everything an agent sends.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from beszel_hub.components import queries
from beszel_hub.components.rows import DiskReading
from beszel_hub.components.service import Components
from beszel_hub.errors import AgentFailed, BadRequest, Forbidden, NotFound, Unauthorized
from beszel_hub.inventory.details import Asking, clean_document
from beszel_hub.permissions import Action, Actor, Decision, decide
from beszel_hub.store.database import Database
from beszel_hub.systems.directory import Directory
from beszel_protocol.hygiene import clean_text
from beszel_protocol.processes import ProcessesQuery, ProcessList, clean_processes

ANSWER_SECONDS: Final = 10.0
READING_SECONDS: Final = 60.0
"""Disks that spin up take their time."""
MAX_NAME_LENGTH: Final = 256
MAX_DISKS: Final = 500

_PROPERTIES: Final = {
    "unit": "Id", "description": "Description", "load_state": "LoadState", "state": "ActiveState",
    "sub_state": "SubState", "enabled": "UnitFileState", "result": "Result", "file": "FragmentPath", "group": "Group",
    "user": "User", "active_since": "ActiveEnterTimestamp", "inactive_since": "InactiveEnterTimestamp",
    "started_at": "ExecMainStartTimestamp", "main_pid": "MainPID", "exit_status": "ExecMainStatus",
    "restarts": "NRestarts", "tasks": "TasksCurrent", "tasks_limit": "TasksMax", "memory_bytes": "MemoryCurrent",
    "memory_peak_bytes": "MemoryPeak", "memory_limit_bytes": "MemoryLimit",
}  # fmt: skip
"""How systemd, and so Beszel's clients, call what an agent tells of a service."""


class _Disk(msgspec.Struct, frozen=True):
    key: str
    reading: DiskReading | None = None


class _Disks(msgspec.Struct, frozen=True):
    disks: list[_Disk]


class ComponentDetails:
    """`asking` raises `AgentAbsent` for a system whose agent is not connected."""

    def __init__(
        self, database: Database, directory: Directory, asking: Callable[[str], Asking], components: Components
    ) -> None:
        self._database = database
        self._directory = directory
        self._asking = asking
        self._components = components

    async def service(self, actor: Actor, system_id: str, name: str) -> dict[str, Any]:
        """By systemd's names; `NotFound` for a service that the system has not told of."""
        self._require(actor, Action.SERVICE_DETAIL, system_id)
        if not name or len(name) > MAX_NAME_LENGTH:
            raise BadRequest("This needs a `system` and a `service`.")
        if not await self._database.read(lambda: queries.has_service(system_id, name)):
            raise NotFound
        answer = await self._ask(system_id, "service_detail", {"name": name}, ANSWER_SECONDS)
        facts = clean_document(answer)
        if not isinstance(facts, dict):
            raise AgentFailed
        details = {_PROPERTIES[fact]: value for fact, value in facts.items() if fact in _PROPERTIES}
        seconds = facts.get("cpu_seconds")
        if isinstance(seconds, int | float) and 0 <= seconds < 1e9:
            details["CPUUsageNSec"] = round(seconds * 1e9)
        return details

    async def refresh_disks(self, actor: Actor, system_id: str) -> None:
        """Have the disks read now, and keep what they say."""
        self._require(actor, Action.SMART_REFRESH, system_id)
        answer = await self._ask(system_id, "disk_detail", {"refresh": True}, READING_SECONDS)
        try:
            disks = msgspec.convert(answer, _Disks).disks[:MAX_DISKS]
        except msgspec.ValidationError as error:
            raise AgentFailed("The agent of this system answered something else than was asked.") from error
        readings = {clean_text(disk.key, MAX_NAME_LENGTH): disk.reading for disk in disks if disk.reading is not None}
        await self._components.save_readings(system_id, readings)

    async def processes(self, actor: Actor, system_id: str, query: ProcessesQuery) -> ProcessList:
        """What runs at this moment; `query` says which come first, and how many."""
        self._require(actor, Action.PROCESSES, system_id)
        answer = await self._ask(system_id, "processes", msgspec.to_builtins(query), ANSWER_SECONDS)
        try:
            told = msgspec.convert(answer, ProcessList)
        except msgspec.ValidationError as error:
            raise AgentFailed("The agent of this system answered something else than was asked.") from error
        return clean_processes(told)

    def _require(self, actor: Actor, action: Action, system_id: str) -> None:
        decision = decide(actor, action, member=self._directory.is_visible(actor, system_id))
        if decision is Decision.UNAUTHENTICATED:
            raise Unauthorized
        if decision is Decision.NOT_FOUND:
            raise NotFound
        if decision is not Decision.ALLOW:
            raise Forbidden

    async def _ask(self, system_id: str, action: str, params: Mapping[str, Any], timeout_seconds: float) -> Any:
        with self._asking(system_id).open(action, params, timeout_seconds=timeout_seconds) as exchange:
            return await exchange.result()
