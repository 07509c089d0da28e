"""What only the agent can tell of services, disks and processes, asked for an actor.

The answers are checked like everything an agent sends.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from beszel_hub.actions import Action
from beszel_hub.components import queries
from beszel_hub.components.service import Components
from beszel_hub.errors import AgentFailed, BadRequest, NotFound
from beszel_hub.inventory.details import Asking
from beszel_hub.permissions import Actor, require
from beszel_hub.store.database import Database
from beszel_hub.systems.directory import Directory
from beszel_protocol.disks import DiskDetails
from beszel_protocol.hygiene import clean, clean_text
from beszel_protocol.processes import ProcessesQuery, ProcessList, clean_processes
from beszel_protocol.services import MAX_NAME_LENGTH, ServiceDetail, ServiceQuery, service_properties

ANSWER_SECONDS: Final = 10.0
READING_SECONDS: Final = 60.0
"""Disks that spin up take their time."""
MAX_DISKS: Final = 500

AnswerT = TypeVar("AnswerT", bound=msgspec.Struct)


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
        query = msgspec.to_builtins(ServiceQuery(name=name))
        told = await self._ask(ServiceDetail, system_id, "service_detail", query, ANSWER_SECONDS)
        return service_properties(clean(told))

    async def refresh_disks(self, actor: Actor, system_id: str) -> None:
        """Have the disks read now, and keep what they say."""
        self._require(actor, Action.SMART_REFRESH, system_id)
        told = await self._ask(DiskDetails, system_id, "disk_detail", {"refresh": True}, READING_SECONDS)
        disks = told.disks[:MAX_DISKS]
        readings = {clean_text(disk.key): disk.reading for disk in disks if disk.reading is not None}
        await self._components.save_readings(system_id, readings)

    async def processes(self, actor: Actor, system_id: str, query: ProcessesQuery) -> ProcessList:
        """What runs at this moment; `query` says which come first, and how many."""
        self._require(actor, Action.PROCESSES, system_id)
        told = await self._ask(ProcessList, system_id, "processes", msgspec.to_builtins(query), ANSWER_SECONDS)
        return clean_processes(told)

    def _require(self, actor: Actor, action: Action, system_id: str) -> None:
        require(actor, action, member=self._directory.is_visible(actor, system_id))

    async def _ask(
        self, kind: type[AnswerT], system_id: str, action: str, params: Mapping[str, Any], timeout_seconds: float
    ) -> AnswerT:
        with self._asking(system_id).open(action, params, timeout_seconds=timeout_seconds) as exchange:
            answer = await exchange.result()
        try:
            return msgspec.convert(answer, kind)
        except msgspec.ValidationError as error:
            raise AgentFailed("The agent of this system answered something else than was asked.") from error
