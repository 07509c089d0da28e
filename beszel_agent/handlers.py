"""What the agent does when the hub asks. Every request is answered, in time, by one response with `more: false`.

An action that streams sends responses with `more: true` before it.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any, Final

from beszel_agent.errors import RequestRefused
from beszel_protocol.hygiene import clean_text
from beszel_protocol.messages import Cancel, ErrorBody, Request, Response

MAX_REQUESTS: Final = 8
"""At work at once; what comes on top is answered `busy`."""
MAX_TIMEOUT_SECONDS: Final = 60.0
MAX_STREAM_SECONDS: Final = 3600.0
"""Of an action that streams; whoever still wants more asks again."""

Action = Callable[[Mapping[str, Any]], Awaitable[Any] | AsyncGenerator[Any, None]]
"""Takes the parameters of a request, returns what JSON can hold; an asynchronous generator returns it in parts. Nothing
it does changes the host. Raises `RequestRefused` where it cannot."""
Send = Callable[[Response], Awaitable[None]]

log = logging.getLogger(__name__)


class Handlers:
    """The requests of one connection."""

    def __init__(self, actions: Mapping[str, Action], tasks: asyncio.TaskGroup, send: Send, *, enabled: bool) -> None:
        self._actions = actions
        self._tasks, self._send, self._enabled = tasks, send, enabled
        self._running: dict[int, asyncio.Task[None]] = {}

    async def start(self, request: Request) -> None:
        """Set an action to work, or refuse it; waits only for room to send a refusal."""
        if request.id in self._running:
            return  # the first one will answer under this id
        refusal = self._refusal(request)
        if refusal is not None:
            await self._send(Response(id=request.id, error=refusal))
            return
        self._running[request.id] = self._tasks.create_task(self._answer(request))

    async def cancel(self, message: Cancel) -> None:
        """The hub no longer wants an answer; it still gets one, which says so, unless one is on its way."""
        task = self._running.pop(message.id, None)
        if task is not None:
            task.cancel()
            await self._send(_failure(message.id, "cancelled", "cancelled by the hub"))

    def stop(self) -> None:
        """The connection is gone, and with it whoever asked."""
        for task in list(self._running.values()):
            task.cancel()

    def _refusal(self, request: Request) -> ErrorBody | None:
        if not self._enabled:
            return ErrorBody(code="actions_off", message="the owner of this host switched actions off")
        if request.action not in self._actions:
            return ErrorBody(code="unknown_action", message=f"this agent knows no {clean_text(request.action, 64)}")
        if len(self._running) >= MAX_REQUESTS:
            return ErrorBody(code="busy", message=f"{MAX_REQUESTS} requests are at work")
        return None

    async def _answer(self, request: Request) -> None:
        response = await self._perform(request)
        # From here on it cannot be cancelled: a request has one answer.
        del self._running[request.id]
        await self._send(response)

    async def _perform(self, request: Request) -> Response:
        """The last response; those of a stream before it are sent."""
        work = self._actions[request.action](request.params)
        longest = MAX_TIMEOUT_SECONDS if isinstance(work, Awaitable) else MAX_STREAM_SECONDS
        timeout_seconds = min(longest, max(0.0, request.timeout_seconds))
        try:
            async with asyncio.timeout(timeout_seconds):
                if isinstance(work, Awaitable):
                    return Response(id=request.id, result=await work)
                return await self._stream(request, work)
        except TimeoutError:
            return _failure(request.id, "timeout", f"not done within {timeout_seconds:g} s")
        except RequestRefused as refused:
            return _failure(request.id, refused.code, clean_text(str(refused)))
        except Exception:  # whatever goes wrong in an action, the link goes on
            log.exception("the action %s failed", request.action)
            return _failure(request.id, "failed", "the action failed; the log of the agent says why")

    async def _stream(self, request: Request, parts: AsyncGenerator[Any, None]) -> Response:
        async with aclosing(parts):
            async for part in parts:
                await self._send(Response(id=request.id, result=part, more=True))
        return Response(id=request.id)


def _failure(request_id: int, code: str, message: str) -> Response:
    return Response(id=request_id, error=ErrorBody(code=code, message=message))
