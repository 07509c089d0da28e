"""Questions to one agent while it is connected. Each ends: by its answer, a failure, its time, or the link's end.

What an agent answers is handed on as it came; whoever asked checks that it is what they asked for.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from beszel_hub.errors import AgentAbsent, AgentBusy, AgentFailed, AgentTimeout, Forbidden, HubError, NotFound
from beszel_protocol.hygiene import clean_text
from beszel_protocol.messages import Cancel, Request, Response

MAX_IN_FLIGHT: Final = 8
"""Of one agent, which works at no more at once."""
MAX_LONG_IN_FLIGHT: Final = 5
"""Of these, what somebody follows: a short question always finds a place."""
MAX_WAITING_BYTES: Final = 4 << 20
"""Of one answer, not yet taken by who asked; beyond that the answer ends, since the link reads on for the samples."""
GRACE_SECONDS: Final = 2.0
"""Longer than the agent's own time, so that its words arrive and not ours."""

Frame = Request | Cancel


class Exchange:
    """One request under way. Made by `Requests.open`."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._waiting: deque[tuple[Any, int]] = deque()
        self._waiting_bytes = 0
        self._failure: HubError | None = None
        self._has_news = asyncio.Event()
        self.has_ended = False
        """Nothing more will come; what has come may still wait."""

    async def parts(self) -> AsyncIterator[Any]:
        """Every part of the answer as it arrives; raise the `HubError` that ended it.

        The response that ends a stream has no part of its own.
        """
        while True:
            while self._waiting:
                part, size = self._waiting.popleft()
                self._waiting_bytes -= size
                yield part
            if self.has_ended:
                if self._failure is not None:
                    raise self._failure
                return
            self._has_news.clear()
            try:
                async with asyncio.timeout_at(self._deadline):
                    await self._has_news.wait()
            except TimeoutError as error:
                raise AgentTimeout from error

    async def result(self) -> Any:
        """The last part of the answer, for those that have one."""
        last: Any = None
        async for part in self.parts():
            last = part
        return last

    def take(self, response: Response, size: int) -> None:
        """A part has arrived in a frame of `size` bytes."""
        if self.has_ended:
            return
        if response.error is not None:
            self.end(_failure_of(response.error.code, response.error.message))
            return
        if response.result is not None:
            self._waiting.append((response.result, size))
            self._waiting_bytes += size
        if self._waiting_bytes > MAX_WAITING_BYTES:
            self.end(AgentFailed("The answer comes faster than it is taken."))
        elif not response.more:
            self.end(None)
        self._has_news.set()

    def end(self, failure: HubError | None) -> None:
        if not self.has_ended:
            self.has_ended = True
            self._failure = failure
            self._has_news.set()


class Requests:
    """`send` queues a frame for the agent and must not wait; it may refuse a request with `AgentBusy`."""

    def __init__(self, send: Callable[[Frame], None]) -> None:
        self._send = send
        self._last_id = 0
        self._exchanges: dict[int, Exchange] = {}
        self._long: set[int] = set()
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._exchanges)

    @contextmanager
    def open(
        self, action: str, params: Mapping[str, Any], *, timeout_seconds: float, is_long: bool = False
    ) -> Iterator[Exchange]:
        """Ask; leaving the block before the answer has ended cancels the request at the agent.

        Raise `AgentAbsent` on a link that has ended and `AgentBusy` if too much is under way.
        """
        if self._is_closed:
            raise AgentAbsent
        if len(self._exchanges) >= MAX_IN_FLIGHT or (is_long and len(self._long) >= MAX_LONG_IN_FLIGHT):
            raise AgentBusy
        self._last_id += 1
        request = Request(id=self._last_id, action=action, params=dict(params), timeout_seconds=timeout_seconds)
        self._send(request)
        exchange = Exchange(asyncio.get_running_loop().time() + timeout_seconds + GRACE_SECONDS)
        self._exchanges[request.id] = exchange
        if is_long:
            self._long.add(request.id)
        try:
            yield exchange
        finally:
            self._long.discard(request.id)
            if self._exchanges.pop(request.id, None) is not None:
                self._send(Cancel(id=request.id))

    def take(self, response: Response, size: int) -> bool:
        """Hand a response to who waits for it, if somebody still does; False if nobody ever asked."""
        exchange = self._exchanges.get(response.id)
        if exchange is None:
            return 0 < response.id <= self._last_id
        exchange.take(response, size)
        if response.error is not None or not response.more:
            del self._exchanges[response.id]
            self._long.discard(response.id)
        return True

    def close(self) -> None:
        """The link has ended, and with it everything that was under way."""
        self._is_closed = True
        for exchange in self._exchanges.values():
            exchange.end(AgentAbsent("The agent went away before it had answered."))
        self._exchanges.clear()
        self._long.clear()


def _failure_of(code: str, message: str) -> HubError:
    if code == "timeout":
        return AgentTimeout()
    text = clean_text(message)
    kind = _REFUSALS.get(code, AgentFailed)
    return kind(f"The agent says: {text}" if text else "")


_REFUSALS: Final[dict[str, type[HubError]]] = {
    "busy": AgentBusy,
    "not_found": NotFound,
    "actions_off": Forbidden,
    "details_off": Forbidden,
    "unknown_action": Forbidden,
}
"""What asking again would change, and what it would not; any other code is a failure."""
