"""How much a request may bring: header bytes (431) and body bytes (413), counted as they arrive."""

import asyncio
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from beszel_hub.door.answers import refusal
from beszel_hub.errors import HeadersTooLarge, HubError, RequestTimeout, TooLarge

MAX_HEADER_BYTES: Final = 16 << 10
MAX_HEADERS: Final = 100
MAX_TARGET_BYTES: Final = 16 << 10
"""Of path and query: a filter of 3,500 characters, percent-encoded, fits."""
MAX_BODY_BYTES: Final = 1 << 20
BODY_TIMEOUT_SECONDS: Final = 30.0
"""Between two pieces of a body."""
_MAX_LENGTH_DIGITS: Final = 15  # what is longer is too large by its first digits already


class LimitMiddleware:
    """Refuses before anything else looks at the request."""

    def __init__(self, app: ASGIApp, max_body_bytes: int = MAX_BODY_BYTES) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
        elif _has_too_large_head(scope):
            await _refuse(HeadersTooLarge(), scope, receive, send)
        elif scope["type"] == "websocket":
            await self._app(scope, receive, send)
        elif _content_length(scope) > self._max_body_bytes:
            await _refuse(TooLarge(), scope, receive, send)
        else:
            await self._app(scope, self._counting(receive), send)

    def _counting(self, receive: Receive) -> Receive:
        received = 0
        is_complete = False

        async def receive_counted() -> Message:
            nonlocal received, is_complete
            if is_complete:
                return await receive()  # only the client's leaving can come now, whenever it likes
            message = await _receive_in_time(receive)
            received += len(message.get("body", b""))
            is_complete = not message.get("more_body", False)
            if received > self._max_body_bytes:
                raise TooLarge
            return message

        return receive_counted


async def _receive_in_time(receive: Receive) -> Message:
    try:
        async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
            return await receive()
    except TimeoutError as error:
        raise RequestTimeout from error


def _has_too_large_head(scope: Scope) -> bool:
    headers = scope["headers"]
    target_bytes = len(scope.get("raw_path") or b"") + len(scope["query_string"])
    header_bytes = sum(len(name) + len(value) for name, value in headers)
    return len(headers) > MAX_HEADERS or header_bytes > MAX_HEADER_BYTES or target_bytes > MAX_TARGET_BYTES


def _content_length(scope: Scope) -> int:
    """As announced; the server has refused what is no number."""
    values = [value for name, value in scope["headers"] if name == b"content-length" and value.isdigit()]
    return max((int(value[:_MAX_LENGTH_DIGITS]) for value in values), default=0)


async def _refuse(error: HubError, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
    else:
        await refusal(error)(scope, receive, send)
