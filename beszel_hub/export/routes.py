"""`GET /api/beszel/export`, a file as it is made, and `GET /api/beszel/metrics` for Prometheus."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from beszel_hub.clock import Clock
from beszel_hub.errors import Unauthorized
from beszel_hub.export.exposition import choose_format, render
from beszel_hub.export.query import parse_export_query
from beszel_hub.export.recent import Recent
from beszel_hub.export.service import Exports, media_type_of
from beszel_hub.permissions import Action, Actor, Decision, decide
from beszel_protocol.timestamps import format_timestamp

SEND_TIMEOUT_SECONDS: Final = 60.0
"""How long a client may read nothing, while others wait for its place."""
ASK_AGAIN_SECONDS: Final = 5.0
"""How often a long export asks whether its token still holds."""


class ExportResponse(Response):
    """Blocks as they come. It ends without an end, so that the client knows, if the token no longer holds."""

    def __init__(
        self, blocks: AsyncGenerator[bytes, None], first: bytes, holds: Callable[[], Awaitable[bool]], *,
        media_type: str, file_name: str,
    ) -> None:  # fmt: skip
        super().__init__(media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{file_name}"'})
        del self.headers["content-length"]
        self._blocks = blocks
        self._first = first
        self._holds = holds
        self._has_left = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with aclosing(self._blocks), asyncio.TaskGroup() as group:
            leaving = group.create_task(self._await_leaving(receive))
            try:
                if await self._send_blocks(send):
                    await _send_in_time(send, b"", more=False)
            except TimeoutError:
                return
            finally:
                leaving.cancel()

    async def _send_blocks(self, send: Send) -> bool:
        """Whether all of them went out."""
        loop = asyncio.get_running_loop()
        asked = loop.time()
        await _send_in_time(send, self._first)
        async for block in self._blocks:
            if self._has_left:
                return False
            if loop.time() - asked > ASK_AGAIN_SECONDS:
                asked = loop.time()
                if not await self._holds():
                    return False
            await _send_in_time(send, block)
        return True

    async def _await_leaving(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._has_left = True


async def get_export(request: Request) -> Response:
    actor: Actor = request.state.actor
    exports: Exports = request.app.state.exports
    clock: Clock = request.app.state.clock
    if decide(actor, Action.EXPORT) is not Decision.ALLOW:
        raise Unauthorized
    query = parse_export_query(request.query_params, clock())
    blocks = exports.stream(actor, exports.plan(actor, query), query.format)
    first = await anext(blocks)  # a refusal comes here, while there is still a status to give
    stamp = format_timestamp(query.from_ms)[:19].replace(":", "")
    return ExportResponse(
        blocks, first, lambda: _holds(request, actor), media_type=media_type_of(query.format),
        file_name=f"beszel-{stamp}.{query.format}",
    )  # fmt: skip


async def get_metrics(request: Request) -> Response:
    actor: Actor = request.state.actor
    recent: Recent = request.app.state.recent
    if decide(actor, Action.EXPOSITION) is not Decision.ALLOW:
        raise Unauthorized
    chosen = choose_format(request.headers.get("accept", ""))
    text = await asyncio.to_thread(render, recent.of(actor), chosen)
    return Response(text, headers={"Content-Type": chosen.value})


async def _holds(request: Request, actor: Actor) -> bool:
    now: Actor = await request.state.identify()
    return now == actor


async def _send_in_time(send: Send, block: bytes, *, more: bool = True) -> None:
    async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
        await send({"type": "http.response.body", "body": block, "more_body": more})


ROUTES: Final[tuple[BaseRoute, ...]] = (
    Route("/api/beszel/export", get_export, methods=["GET"]),
    Route("/api/beszel/metrics", get_metrics, methods=["GET"]),
)
