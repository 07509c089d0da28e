"""`/api/realtime`: the event stream, and what its clients want to hear."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from beszel_hub.actions import Action
from beszel_hub.errors import NotFound, invalid_field
from beszel_hub.live.realtime import Realtime
from beszel_hub.live.sse import KEEP_ALIVE
from beszel_hub.live.streams import Stream
from beszel_hub.permissions import Decision, decide
from beszel_hub.records.response import read_object

PATH: Final = "/api/realtime"
MEDIA_TYPE: Final = "text/event-stream"
IDLE_SECONDS: Final = 300.0
"""Without an event; then the client connects again."""
KEEP_ALIVE_SECONDS: Final = 25.0
_HEADERS: Final = {"X-Accel-Buffering": "no"}
"""A proxy must not wait until there is more."""


async def open_stream(request: Request) -> Response:
    """Raise `TooManyRequests` if there are too many."""
    if decide(request.state.actor, Action.REALTIME) is not Decision.ALLOW:
        raise NotFound
    if request.method == "HEAD":
        return Response(media_type=MEDIA_TYPE)
    realtime: Realtime = request.app.state.realtime
    address = request.client.host if request.client is not None else ""
    stream = realtime.streams.open(request.state.actor, request.state.identify, address)
    return _EventStream(realtime, stream)


async def set_subscriptions(request: Request) -> Response:
    body = await read_object(request)
    client_id, texts = body.get("clientId"), body.get("subscriptions")
    if not isinstance(client_id, str) or not client_id:
        raise invalid_field("clientId", "validation_required", "Cannot be blank.")
    realtime: Realtime = request.app.state.realtime
    realtime.subscribe(client_id, request.state.actor, request.state.identify, _texts(texts))
    return Response(status_code=204)


def _texts(value: Any) -> list[str]:
    texts = [] if value is None else value
    if isinstance(texts, str):
        texts = [texts]
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise invalid_field("subscriptions", "validation_invalid_value", "This must be a list of texts.")
    return texts


class _EventStream(StreamingResponse):
    """Closes the stream however the connection ends."""

    def __init__(self, realtime: Realtime, stream: Stream) -> None:
        super().__init__(_events(stream), media_type=MEDIA_TYPE, headers=_HEADERS)
        self._realtime = realtime
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._realtime.close(self._stream)


async def _events(stream: Stream) -> AsyncIterator[bytes]:
    """What the stream's queue gives, until that ends or nothing has happened for long."""
    idle_seconds = 0.0
    while idle_seconds < IDLE_SECONDS:
        try:
            async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                event = await stream.queue.get()
        except TimeoutError:
            idle_seconds += KEEP_ALIVE_SECONDS
            yield KEEP_ALIVE
            continue
        if event is None:
            return
        idle_seconds = 0.0
        yield event
