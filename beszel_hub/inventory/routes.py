"""`/api/beszel/containers/logs` and `/api/beszel/containers/info`: what a container wrote, and how it is configured."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from beszel_hub.errors import BadRequest, FieldError, HubError, Unauthorized
from beszel_hub.inventory.details import ContainerDetails
from beszel_hub.permissions import Action, Actor
from beszel_hub.records.dates import format_date, parse_date
from beszel_hub.records.response import JsonResponse
from beszel_protocol.containers import MAX_LOG_LINES, LogBatch, LogsQuery

DEFAULT_TAIL: Final = 200
FIRST_WORD_SECONDS: Final = 1.0
"""How long a failure may take to be an answer of its own, and not the last line of a stream."""
HEARTBEAT_SECONDS: Final = 15.0
"""An empty line shows that both ends are there, and the token is looked at again."""
_encoder: Final = msgspec.json.Encoder()


async def get_logs(request: Request) -> Response:
    """`{"logs": text}`; with `follow=1` a stream of batches, a JSON object a line."""
    details: ContainerDetails = request.app.state.container_details
    actor: Actor = request.state.actor
    query = read_logs_query(request.query_params)
    system_id = request.query_params.get("system", "")
    batches = details.logs(actor, system_id, query)
    if query.follow:
        return await _follow(request, details, batches)
    async with aclosing(batches):
        found = [batch async for batch in batches]
    if request.query_params.get("format") == "lines":
        lines = [line for batch in found for line in batch.lines]
        return JsonResponse(LogBatch(lines=lines, truncated=any(batch.truncated for batch in found)), headers=_PRIVATE)
    text = "".join(f"{line.text}\n" for batch in found for line in batch.lines)
    return JsonResponse({"logs": text}, headers=_PRIVATE)


async def get_info(request: Request) -> Response:
    """`{"info": text}`, the text being JSON, as Beszel's clients expect."""
    details: ContainerDetails = request.app.state.container_details
    parameters = request.query_params
    document = await details.inspect(
        request.state.actor, parameters.get("system", ""), parameters.get("container", "").lower()
    )
    text = msgspec.json.format(_encoder.encode(document), indent=2).decode()
    return JsonResponse({"info": text}, headers=_PRIVATE)


def read_logs_query(parameters: Mapping[str, str]) -> LogsQuery:
    """Raise `BadRequest` with what is wrong by parameter."""
    errors: dict[str, FieldError] = {}
    tail = parameters.get("tail", "") or str(DEFAULT_TAIL)
    if not (tail.isascii() and tail.isdecimal() and len(tail) < 6 and int(tail) <= MAX_LOG_LINES):
        errors["tail"] = FieldError("validation_out_of_range", f"A whole number up to {MAX_LOG_LINES}.")
    since = parameters.get("since", "")
    if since:
        try:
            since = format_date(parse_date(since.replace(" ", "+") if "T" in since else since)).replace(" ", "T")
        except (ValueError, OverflowError):
            errors["since"] = FieldError("validation_invalid_date", "A date such as 2026-01-02T03:04:05Z.")
    if errors:
        raise BadRequest("The logs cannot be read.", data=errors)
    return LogsQuery(
        id=parameters.get("container", "").lower(),
        tail=int(tail),
        since=since or None,
        follow=parameters.get("follow", "").lower() in {"1", "true"},
    )


async def _follow(request: Request, details: ContainerDetails, batches: AsyncGenerator[LogBatch, None]) -> Response:
    actor: Actor = request.state.actor
    system_id = request.query_params.get("system", "")

    async def is_admitted() -> bool:
        now: Actor = await request.state.identify()
        return now.user_id == actor.user_id and details.sees(now, system_id, Action.CONTAINER_LOGS)

    lines = _Lines(batches, is_admitted)
    try:
        await lines.begin()
    except BaseException:
        await lines.close()
        raise
    return _FollowResponse(lines)


class _Lines:
    """Batches as lines of JSON, with a heartbeat where there are none; a failure is the last line."""

    def __init__(self, batches: AsyncGenerator[LogBatch, None], is_admitted: Callable[[], Awaitable[bool]]) -> None:
        self._batches = batches
        self._is_admitted = is_admitted
        self._next: asyncio.Future[LogBatch | None] | None = None
        self._checked = asyncio.get_running_loop().time()

    async def begin(self) -> None:
        """Wait a moment for the first batch; raise what keeps it from coming."""
        await asyncio.wait([self._ask()], timeout=FIRST_WORD_SECONDS)
        if self._ask().done():
            self._ask().result()

    async def encoded(self) -> AsyncIterator[bytes]:
        try:
            while True:
                pending = self._ask()
                await asyncio.wait([pending], timeout=HEARTBEAT_SECONDS)
                await self._check()
                if not pending.done():
                    yield b"\n"
                    continue
                self._next = None
                batch = pending.result()
                if batch is None:
                    return
                yield _encoder.encode(batch) + b"\n"
        except HubError as error:
            yield _encoder.encode({"error": {"code": error.code, "message": error.message}}) + b"\n"

    async def close(self) -> None:
        """Take the request back, whatever it waits for."""
        if self._next is not None:
            self._next.cancel()
            with suppress(asyncio.CancelledError, HubError):
                await self._next
        await self._batches.aclose()

    def _ask(self) -> "asyncio.Future[LogBatch | None]":
        if self._next is None:
            self._next = asyncio.ensure_future(self._read())
        return self._next

    async def _read(self) -> LogBatch | None:
        return await anext(self._batches, None)

    async def _check(self) -> None:
        """Whoever follows may lose the right to while they do."""
        now = asyncio.get_running_loop().time()
        if now - self._checked >= HEARTBEAT_SECONDS:
            self._checked = now
            if not await self._is_admitted():
                raise Unauthorized


class _FollowResponse(Response):
    """A stream that lets go of the agent as soon as the client is gone."""

    def __init__(self, lines: _Lines) -> None:
        super().__init__(headers=_PRIVATE, media_type="application/x-ndjson")
        self._lines = lines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        stream = StreamingResponse(self._lines.encoded(), headers=_PRIVATE, media_type=self.media_type)
        try:
            await stream(scope, receive, send)
        finally:
            await self._lines.close()


_PRIVATE: Final = {"Cache-Control": "no-store"}

ROUTES: Final[tuple[BaseRoute, ...]] = (
    Route("/api/beszel/containers/logs", get_logs, methods=["GET"]),
    Route("/api/beszel/containers/info", get_info, methods=["GET"]),
)
