"""How much a request may bring: header bytes (431) and body bytes (413), counted as they arrive."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from beszel_hub.door.answers import refusal
from beszel_hub.errors import HeadersTooLarge, HubError, TooLarge

MAX_HEADER_BYTES: Final = 16 << 10
MAX_HEADERS: Final = 100
MAX_TARGET_BYTES: Final = 16 << 10
"""Of path and query: a filter of 3,500 characters, percent-encoded, fits."""
MAX_BODY_BYTES: Final = 1 << 20


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

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_body_bytes:
                raise TooLarge
            return message

        return receive_counted


def _has_too_large_head(scope: Scope) -> bool:
    headers = scope["headers"]
    target_bytes = len(scope.get("raw_path") or b"") + len(scope["query_string"])
    header_bytes = sum(len(name) + len(value) for name, value in headers)
    return len(headers) > MAX_HEADERS or header_bytes > MAX_HEADER_BYTES or target_bytes > MAX_TARGET_BYTES


def _content_length(scope: Scope) -> int:
    """As announced; the server has refused what is no number."""
    values = [value for name, value in scope["headers"] if name == b"content-length"]
    return max((int(value) for value in values if value.isdigit() and len(value) < 16), default=0)


async def _refuse(error: HubError, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
    else:
        await refusal(error)(scope, receive, send)
