"""Pages of the past on their way: a few are asked for at once, and those told together that come together.

The containers of a fleet are hundreds of pages, and most are of no use any more when their turn comes if the instant
moves on: they wait here, not in front of everything else that the client asks the hub.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from beszel_tui.errors import ClientError
from beszel_tui.state import pastcontainers
from beszel_tui.state.events import Event, PageLoaded
from beszel_tui.state.past import ADDRESSES, PAGE_POINTS, page_bounds, was_there
from beszel_tui.state.series import Columns

GATHER_SECONDS: Final = 0.1
ASKED_AT_ONCE: Final = 2
"""Half of what the client asks a hub at once: charts and answers to keys do not wait behind the past."""

AskColumns: TypeAlias = Callable[[str, Sequence[str], int, int, int], Awaitable[Columns]]
"""System, addresses, start, end, points; raises `ClientError` or `TimeoutError`."""
AskCreated: TypeAlias = Callable[[str], Awaitable[int | None]]
"""Since when the hub has a system; raises likewise."""


class PageKey(NamedTuple):
    system_id: str
    number: int
    of_containers: bool


class Pages:
    def __init__(
        self,
        hub_now_ms: Callable[[], int],
        apply: Callable[[list[Event]], None],
        load: Callable[[Coroutine[Any, Any, None]], object],
        ask: AskColumns,
        ask_created: AskCreated,
    ) -> None:
        self._hub_now_ms = hub_now_ms
        self._apply = apply
        self._load = load
        self._ask = ask
        self._ask_created = ask_created
        self._waiting: dict[PageKey, None] = {}
        self._under_way: set[PageKey] = set()
        self._askers = 0
        self._ready: list[PageLoaded] = []
        self._created_ms: dict[str, int | None] = {}
        """By system, as far as it was asked."""

    def want(self, keys: Iterable[PageKey]) -> None:
        """These first, in this order; those of other times are wanted no more."""
        wanted = dict.fromkeys(key for key in keys if key not in self._under_way)
        numbers = {key.number for key in wanted}
        others = {key: None for key in self._waiting if key not in wanted and key.number in numbers}
        self._waiting = wanted | others if wanted else self._waiting
        for _ in range(min(len(self._waiting), ASKED_AT_ONCE) - self._askers):
            if self._load(self._ask_waiting()) is not None:
                self._askers += 1

    def forget(self) -> None:
        """Nobody looks at the past any more."""
        self._waiting.clear()
        self._created_ms.clear()

    async def _ask_waiting(self) -> None:
        """Until none waits. What is not answered is wanted again by the screen, which says that it waits."""
        try:
            while self._waiting:
                key = next(iter(self._waiting))
                del self._waiting[key]
                self._under_way.add(key)
                try:
                    page = await self._load_page(key)
                except (ClientError, TimeoutError):
                    self._under_way.discard(key)
                else:
                    self._tell(page)
        finally:
            self._askers -= 1

    async def _load_page(self, key: PageKey) -> PageLoaded:
        start_ms, end_ms = page_bounds(key.number, self._hub_now_ms())
        addresses = pastcontainers.ADDRESSES if key.of_containers else ADDRESSES
        points = pastcontainers.PAGE_POINTS if key.of_containers else PAGE_POINTS
        columns = await self._ask(key.system_id, addresses, start_ms, end_ms, points)
        created_ms = None
        if not key.of_containers and not was_there(columns, key.number):
            created_ms = await self._created(key.system_id)
        return PageLoaded(
            system_id=key.system_id, number=key.number, end_ms=end_ms, columns=columns,
            of_containers=key.of_containers, created_ms=created_ms,
        )  # fmt: skip

    async def _created(self, system_id: str) -> int | None:
        if system_id not in self._created_ms:
            try:
                self._created_ms[system_id] = await self._ask_created(system_id)
            except (ClientError, TimeoutError):
                return None  # the readings are told all the same
        return self._created_ms[system_id]

    def _tell(self, page: PageLoaded) -> None:
        self._ready.append(page)
        if len(self._ready) == 1:
            self._load(self._tell_ready())

    async def _tell_ready(self) -> None:
        """Pages come by the dozen: one picture for those that come together."""
        await asyncio.sleep(GATHER_SECONDS)
        ready, self._ready = self._ready, []
        self._under_way.difference_update(PageKey(page.system_id, page.number, page.of_containers) for page in ready)
        self._apply([*ready])
