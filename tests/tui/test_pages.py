"""How pages of the past are asked for: a few at once, and only those that are still of use."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from beszel_tui.errors import HubUnreachable
from beszel_tui.pages import ASKED_AT_ONCE, PageKey, Pages
from beszel_tui.state.events import Event, PageLoaded
from beszel_tui.state.past import PAGE_MS
from beszel_tui.state.series import Columns

NUMBER = 100
NOW_MS = NUMBER * PAGE_MS + 200_000


class Hub:
    """Answers when it is let."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self.asked: list[str] = []
        self.most_at_once = 0
        self.is_out = False
        self.told: list[list[str]] = []
        self._at_once = 0
        self._answers = asyncio.Semaphore(0)
        self.pages = Pages(lambda: NOW_MS, self._hear, self._start(group), self._columns, self._created)

    def answer(self, count: int) -> None:
        for _ in range(count):
            self._answers.release()

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 (whatever becomes true does not tell)
                await asyncio.sleep(0)

    def _start(self, group: asyncio.TaskGroup) -> Callable[[Coroutine[Any, Any, None]], object]:
        return group.create_task

    def _hear(self, events: list[Event]) -> None:
        self.told.append([event.system_id for event in events if isinstance(event, PageLoaded)])

    async def _columns(
        self, system_id: str, _addresses: Sequence[str], _start: int, _end: int, _points: int
    ) -> Columns:
        self.asked.append(system_id)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        await self._answers.acquire()
        self._at_once -= 1
        if self.is_out:
            raise HubUnreachable("gone")
        return Columns(resolution_ms=5000)

    async def _created(self, system_id: str) -> int | None:
        raise HubUnreachable(f"it does not tell of {system_id}")


def keys(names: str, number: int = NUMBER) -> list[PageKey]:
    return [PageKey(name, number, of_containers=False) for name in names]


def test_a_few_are_asked_for_at_once_and_told_together() -> None:
    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            hub = Hub(group)
            hub.pages.want(keys("abcdef"))
            hub.pages.want(keys("abcdef"))
            await hub.until(lambda: len(hub.asked) == ASKED_AT_ONCE)
            hub.answer(6)
            await hub.until(lambda: hub.told)
            assert hub.told == [list("abcdef")]
            assert (hub.asked, hub.most_at_once) == (list("abcdef"), ASKED_AT_ONCE)

    asyncio.run(main())


def test_those_of_an_instant_that_was_left_are_not_asked_for() -> None:
    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            hub = Hub(group)
            hub.pages.want(keys("abcdef"))
            await hub.until(lambda: len(hub.asked) == ASKED_AT_ONCE)
            hub.pages.want(keys("xy", NUMBER - 1))
            hub.answer(4)
            await hub.until(lambda: hub.told)
            assert hub.asked == ["a", "b", "x", "y"]
            hub.pages.want(keys("mnop"))
            await hub.until(lambda: len(hub.asked) == 6)
            hub.pages.forget()
            hub.answer(2)
            await hub.until(lambda: len(hub.told) == 2)
            assert hub.asked[4:] == ["m", "n"]

    asyncio.run(main())


def test_what_is_seen_now_comes_before_what_was_wanted_before() -> None:
    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            hub = Hub(group)
            hub.pages.want(keys("abcd"))
            hub.pages.want(keys("xd"))
            hub.answer(5)
            await hub.until(lambda: hub.told)
            assert hub.asked == ["x", "d", "a", "b", "c"]

    asyncio.run(main())


def test_what_was_not_answered_can_be_wanted_again() -> None:
    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            hub = Hub(group)
            hub.is_out = True
            hub.pages.want(keys("a"))
            hub.answer(1)
            await hub.until(lambda: hub.asked)
            await asyncio.sleep(0)
            hub.is_out = False

            def wanted_again() -> bool:
                hub.pages.want(keys("a"))
                return len(hub.asked) == 2

            await hub.until(wanted_again)
            hub.answer(1)
            await hub.until(lambda: hub.told == [["a"]])

    asyncio.run(main())
