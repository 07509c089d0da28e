"""The action `container_logs`: a thread reads from the engine, as fast as the hub takes it."""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final, TypeVar

import msgspec

from beszel_agent.containers.client import NoSuchContainer, Stream
from beszel_agent.containers.frames import LogDecoder
from beszel_agent.containers.host import ContainerHost, Known
from beszel_agent.errors import EngineFailed, RequestRefused
from beszel_protocol.containers import (
    MAX_LOG_BATCH_BYTES,
    MAX_LOG_BATCH_LINES,
    MAX_LOG_BYTES,
    MAX_LOG_LINES,
    LogBatch,
    LogLine,
    LogsQuery,
    is_container_id,
)
from beszel_protocol.timestamps import parse_timestamp

_GATHER_SECONDS: Final = 0.1
"""Lines that come within this time go together."""
_LINE_BYTES: Final = 64
"""What a line takes beside its text, about."""

QueryT = TypeVar("QueryT")

NOT_ALLOWED: Final = RequestRefused("details_off", "the owner of this host switched details of containers off")


class LogBuffer:
    """Between the thread that reads and the loop that sends.

    When it is full the reader of one that follows waits; else the oldest lines make room, as the newest are those that
    were asked for.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, *, follow: bool) -> None:
        self._loop, self._follow = loop, follow
        self._lines: deque[LogLine] = deque()
        self._size_bytes = 0
        self._room = threading.Condition()
        self._news = asyncio.Event()
        self._closed = self._ended = False
        self._truncated = False
        self.failure: EngineFailed | None = None

    def put(self, line: LogLine) -> bool:
        """From the thread. False if nobody wants more."""
        size = _size(line)
        with self._room:
            if self._follow:
                self._room.wait_for(lambda: self._closed or not self._is_full(size))
            while self._lines and self._is_full(size):
                self._size_bytes -= _size(self._lines.popleft())
                self._truncated = True
            if self._closed:
                return False
            self._lines.append(line)
            self._size_bytes += size
            wakes = len(self._lines) == 1 and self._follow
        if wakes:
            self._call(self._news.set)
        return True

    def end(self, failure: EngineFailed | None, *, was_cut: bool) -> None:
        """From the thread: there is no more."""
        with self._room:
            self.failure, self._ended = failure, True
            self._truncated |= was_cut
        self._call(self._news.set)

    def close(self) -> None:
        """From the loop: no more is wanted."""
        with self._room:
            self._closed = True
            self._lines.clear()
            self._room.notify_all()

    async def take(self) -> LogBatch | None:
        """The next lines; None at the end."""
        await self._news.wait()
        with self._room:
            lines: list[LogLine] = []
            taken = 0
            while self._lines and len(lines) < MAX_LOG_BATCH_LINES:
                size = _size(self._lines[0])
                if lines and taken + size > MAX_LOG_BATCH_BYTES:
                    break
                lines.append(self._lines.popleft())
                taken += size
            self._size_bytes -= taken
            truncated, self._truncated = self._truncated, False
            if not self._lines and not self._ended:
                self._news.clear()
            self._room.notify_all()
            return LogBatch(lines=lines, truncated=truncated) if lines or truncated or not self._ended else None

    def _is_full(self, size: int) -> bool:
        most = 2 * MAX_LOG_BATCH_BYTES if self._follow else MAX_LOG_BYTES
        return bool(self._lines) and (len(self._lines) >= MAX_LOG_LINES or self._size_bytes + size > most)

    def _call(self, function: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(function)
        except RuntimeError:  # the loop has ended, and with it whoever asked
            self._closed = True


async def stream_logs(
    host: ContainerHost | None, params: Mapping[str, Any], *, enabled: bool
) -> AsyncGenerator[LogBatch, None]:
    """Raise `RequestRefused`."""
    if not enabled:
        raise NOT_ALLOWED
    query = read_query(params, LogsQuery)
    known = find_container(host, query.id)
    arguments = _arguments(query)
    buffer = LogBuffer(asyncio.get_running_loop(), follow=query.follow)
    stream = await _open(known, arguments, follow=query.follow)
    decoder = LogDecoder(has_terminal=known.container.has_terminal)
    threading.Thread(target=_read, args=(stream, decoder, buffer), name="container logs", daemon=True).start()
    try:
        while (batch := await buffer.take()) is not None:
            if batch.lines or batch.truncated:
                yield batch
            if query.follow:
                await asyncio.sleep(_GATHER_SECONDS)
        if buffer.failure is not None:
            raise RequestRefused("engine_failed", str(buffer.failure))
    finally:
        buffer.close()
        stream.close()


async def _open(known: Known, arguments: dict[str, str], *, follow: bool) -> Stream:
    container, client = known
    try:
        return await asyncio.to_thread(client.logs, container.full_id, arguments, endless=follow)
    except NoSuchContainer as error:
        raise RequestRefused("not_found", "no such container") from error
    except EngineFailed as error:
        raise RequestRefused("engine_failed", str(error)) from error


def _read(stream: Stream, decoder: LogDecoder, buffer: LogBuffer) -> None:
    failure = None
    try:
        for piece in stream:
            if not all(buffer.put(line) for line in decoder.feed(piece)):
                break
        for line in decoder.finish():
            buffer.put(line)
    except EngineFailed as error:
        failure = error
    buffer.end(failure, was_cut=decoder.was_cut)


def find_container(host: ContainerHost | None, container_id: str) -> Known:
    """Raise `RequestRefused` unless it is the id of a container whose engine can be asked."""
    if not is_container_id(container_id):
        raise RequestRefused("invalid_params", "`id` is 12 to 64 hexadecimal digits")
    known = None if host is None else host.find(container_id)
    if known is None:
        raise RequestRefused("not_found", "no such container, or none whose engine could be asked")
    return known


def read_query(params: Mapping[str, Any], kind: type[QueryT]) -> QueryT:
    """Raise `RequestRefused` if `params` do not fit."""
    try:
        return msgspec.convert(dict(params), kind)
    except msgspec.ValidationError as error:
        raise RequestRefused("invalid_params", str(error)) from error


def _arguments(query: LogsQuery) -> dict[str, str]:
    """Of the engine's API. Raise `RequestRefused`."""
    if not 0 <= query.tail <= MAX_LOG_LINES:
        raise RequestRefused("invalid_params", f"`tail` lies between 0 and {MAX_LOG_LINES}")
    arguments = {"stdout": "1", "stderr": "1", "timestamps": "1", "tail": str(query.tail)}
    if query.follow:
        arguments["follow"] = "1"
    if query.since is not None:
        try:
            since_ms = parse_timestamp(query.since)
        except ValueError as error:
            raise RequestRefused("invalid_params", f"`since`: {error}") from error
        arguments["since"] = f"{since_ms // 1000}.{since_ms % 1000:03d}000000"
    return arguments


def _size(line: LogLine) -> int:
    return len(line.text) + len(line.ansi or "") + _LINE_BYTES
