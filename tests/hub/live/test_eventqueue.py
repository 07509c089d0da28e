"""Events that wait for one client: bounded, in order, and ended when it falls behind."""

import asyncio

from beszel_hub.live.eventqueue import EventQueue


def drain(queue: EventQueue) -> list[bytes | None]:
    async def run() -> list[bytes | None]:
        found: list[bytes | None] = []
        while not found or found[-1] is not None:
            found.append(await queue.get())
        return found

    queue.end()
    return asyncio.run(run())


def test_events_come_in_order_and_those_of_a_key_once() -> None:
    queue = EventQueue()
    for event, key in ((b"a", None), (b"cpu 1", "cpu"), (b"b", None), (b"a", None), (b"cpu 2", "cpu")):
        queue.put(event, key)
    assert drain(queue) == [b"a", b"cpu 2", b"b", b"a", None]


def test_a_client_that_falls_behind_is_let_go() -> None:
    queue = EventQueue(max_events=3)
    for number in range(4):
        assert not queue.is_ended
        queue.put(bytes([number]))
    assert queue.is_ended
    queue.put(b"more")
    assert drain(queue) == [None]


def test_bytes_are_bounded_too_and_replaced_ones_do_not_count() -> None:
    queue = EventQueue(max_bytes=100)
    for _ in range(50):
        queue.put(b"x" * 60, "key")
    assert not queue.is_ended
    queue.put(b"x" * 41)
    assert (queue.is_ended, len(queue)) == (True, 0)


def test_waiting_ends_with_an_event() -> None:
    async def run() -> bytes | None:
        queue = EventQueue()
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            waiting = group.create_task(queue.get())
            await asyncio.sleep(0)
            queue.put(b"x")
        return waiting.result()

    assert asyncio.run(run()) == b"x"
