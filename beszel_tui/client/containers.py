"""Questions about one container: what it wrote, and how it is configured."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Final

import msgspec

from beszel_protocol.colours import keep_colours, strip_colours
from beszel_protocol.containers import MAX_LOG_LINE_LENGTH, LogBatch, LogLine, LogsQuery
from beszel_protocol.hygiene import clean_text
from beszel_tui.client.http import HubHttp
from beszel_tui.errors import HubRefused, HubUnreachable

_LOGS: Final = "/api/beszel/containers/logs"
_INFO: Final = "/api/beszel/containers/info"
_BROKEN_OFF: Final = 502
"""The status of a failure that came when the answer had begun."""


class _Failure(msgspec.Struct, frozen=True):
    message: str = ""


class _Line(msgspec.Struct, frozen=True):
    """A line of a stream: a batch, or why there are no more."""

    lines: list[LogLine] = []
    truncated: bool = False
    error: _Failure | None = None


class _Info(msgspec.Struct, frozen=True):
    info: str


async def read_logs(http: HubHttp, system_id: str, query: LogsQuery) -> AsyncIterator[LogBatch]:
    """Batches as they arrive; raise `ClientError`."""
    parameters = {"system": system_id, "container": query.id, "tail": str(query.tail), "format": "lines"}
    if query.since is not None:
        parameters["since"] = query.since
    if not query.follow:
        yield clean_batch(await http.read(LogBatch, _LOGS, parameters))
        return
    async with aclosing(http.lines(_LOGS, parameters | {"follow": "1"})) as lines:
        async for line in lines:
            if line.strip():
                yield _batch_of(line)


async def read_inspection(http: HubHttp, system_id: str, container_id: str) -> str:
    """JSON, indented; raise `ClientError`."""
    answer = await http.read(_Info, _INFO, {"system": system_id, "container": container_id})
    return answer.info


def clean_batch(batch: LogBatch) -> LogBatch:
    """A hub passes on what containers wrote; it is not believed to have taken out what a terminal obeys."""
    return LogBatch(lines=[_clean_line(line) for line in batch.lines], truncated=batch.truncated)


def _clean_line(line: LogLine) -> LogLine:
    timestamp = None if line.timestamp is None else clean_text(line.timestamp, 40)
    return LogLine(
        stream=clean_text(line.stream, 16),
        timestamp=timestamp,
        text=strip_colours(line.text, MAX_LOG_LINE_LENGTH),
        ansi=None if line.ansi is None else keep_colours(line.ansi, MAX_LOG_LINE_LENGTH),
    )


def _batch_of(line: bytes) -> LogBatch:
    try:
        told = msgspec.json.decode(line, type=_Line)
    except msgspec.DecodeError as error:
        raise HubUnreachable(f"this is not the answer of a hub: {error}") from error
    if told.error is not None:
        raise HubRefused(_BROKEN_OFF, clean_text(told.error.message) or "the hub broke off")
    return clean_batch(LogBatch(lines=told.lines, truncated=told.truncated))
