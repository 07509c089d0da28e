"""What only the agent can tell of a container, asked for an actor: its logs, and how it is configured.

The answers are checked like everything an agent sends: lengths are bounded, of a terminal's language only colours are
left.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol

import msgspec

from beszel_hub.actions import Action
from beszel_hub.errors import AgentFailed, AgentTimeout, BadRequest, NotFound
from beszel_hub.inventory.containers import Inventory
from beszel_hub.permissions import Actor, Decision, decide, require
from beszel_hub.systems.directory import Directory
from beszel_protocol.colours import keep_colours, strip_colours
from beszel_protocol.containers import (
    MAX_LOG_BYTES,
    MAX_LOG_LINE_LENGTH,
    STREAMS,
    InspectQuery,
    LogBatch,
    LogLine,
    LogsQuery,
    is_container_id,
)
from beszel_protocol.hygiene import clean_text

ANSWER_SECONDS: Final = 10.0
FOLLOW_SECONDS: Final = 600.0
"""One follow lasts so long; who wants more asks again from its last line on."""
MAX_DEPTH: Final = 24
MAX_NODES: Final = 20_000
MAX_TEXT_LENGTH: Final = 4096


class Exchange(Protocol):
    """A request under way."""

    def parts(self) -> AsyncIterator[Any]: ...

    async def result(self) -> Any: ...


class Asking(Protocol):
    """By which the agent of one system is asked; leaving the block takes the request back."""

    def open(
        self, action: str, params: Mapping[str, Any], *, timeout_seconds: float, is_long: bool = False
    ) -> AbstractContextManager[Exchange]: ...


class ContainerDetails:
    """`asking` raises `AgentAbsent` for a system whose agent is not connected."""

    def __init__(
        self, inventory: Inventory, directory: Directory, asking: Callable[[str], Asking], *, is_enabled: bool
    ) -> None:
        self._inventory = inventory
        self._directory = directory
        self._asking = asking
        self._is_enabled = is_enabled

    def sees(self, actor: Actor, system_id: str, action: Action) -> bool:
        """Whether the actor may go on being told."""
        is_member = self._directory.is_visible(actor, system_id)
        return decide(actor, action, member=is_member) is Decision.ALLOW

    async def logs(self, actor: Actor, system_id: str, query: LogsQuery) -> AsyncGenerator[LogBatch, None]:
        """Batches as they arrive, in all at most what one answer may hold unless it follows."""
        container_id = self._find(actor, Action.CONTAINER_LOGS, system_id, query.id)
        params = msgspec.to_builtins(msgspec.structs.replace(query, id=container_id))
        seconds = FOLLOW_SECONDS if query.follow else ANSWER_SECONDS
        requests = self._asking(system_id)
        left = MAX_LOG_BYTES
        with requests.open("container_logs", params, timeout_seconds=seconds, is_long=query.follow) as exchange:
            try:
                async for part in exchange.parts():
                    batch = clean_batch(_convert(part, LogBatch))
                    left -= 0 if query.follow else _size(batch)
                    if left < 0:
                        yield LogBatch(lines=[], truncated=True)
                        return
                    yield batch
            except AgentTimeout:
                if not query.follow:
                    raise

    async def inspect(self, actor: Actor, system_id: str, container_id: str) -> dict[str, Any]:
        """How a container is configured, as far as its agent tells."""
        container_id = self._find(actor, Action.CONTAINER_INSPECT, system_id, container_id)
        params = msgspec.to_builtins(InspectQuery(id=container_id))
        with self._asking(system_id).open("container_inspect", params, timeout_seconds=ANSWER_SECONDS) as exchange:
            answer = _convert(await exchange.result(), _Inspected)
        cleaned = clean_document(answer.container)
        if not isinstance(cleaned, dict):
            raise AgentFailed
        return cleaned

    def _find(self, actor: Actor, action: Action, system_id: str, container_id: str) -> str:
        """The id that the agent knows the container by."""
        require(actor, action)
        if not system_id or not is_container_id(container_id):
            raise BadRequest("This needs a `system` and a `container`, whose id has 12 to 64 hexadecimal digits.")
        if not self._is_enabled:
            raise NotFound("The details of containers are switched off at this hub.")
        seen = self._inventory.get(system_id) if self.sees(actor, system_id, action) else None
        facts = None if seen is None else seen.find(container_id)
        if facts is None:
            raise NotFound
        return facts.id


class _Inspected(msgspec.Struct, frozen=True):
    container: dict[str, Any]


def clean_batch(batch: LogBatch) -> LogBatch:
    return LogBatch(lines=[_clean_line(line) for line in batch.lines], truncated=batch.truncated)


def _clean_line(line: LogLine) -> LogLine:
    return LogLine(
        stream=line.stream if line.stream in STREAMS else "stdout",
        timestamp=None if line.timestamp is None else clean_text(line.timestamp, 40),
        text=strip_colours(line.text, MAX_LOG_LINE_LENGTH),
        ansi=None if line.ansi is None else keep_colours(line.ansi, MAX_LOG_LINE_LENGTH),
    )


def _size(batch: LogBatch) -> int:
    return sum(len(line.text.encode()) + len((line.ansi or "").encode()) for line in batch.lines)


def clean_document(document: Any) -> Any:
    """JSON with every text cleaned and cut, at most `MAX_DEPTH` deep and of `MAX_NODES` values."""
    return _Cleaner().clean(document, MAX_DEPTH)


class _Cleaner:
    def __init__(self) -> None:
        self._left = MAX_NODES

    def clean(self, value: Any, depth: int) -> Any:
        self._left -= 1
        if depth == 0 or self._left < 0:
            return None
        if isinstance(value, str):
            return clean_text(value, MAX_TEXT_LENGTH)
        if isinstance(value, list):
            return [self.clean(item, depth - 1) for item in value[: self._room]]
        if isinstance(value, dict):
            items = list(value.items())[: self._room]
            return {clean_text(str(key)): self.clean(item, depth - 1) for key, item in items}
        return value

    @property
    def _room(self) -> int:
        return max(0, self._left)


def _convert(value: Any, wanted: type[Any]) -> Any:
    try:
        return msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        raise AgentFailed("The agent of this system answered something else than was asked.") from error
