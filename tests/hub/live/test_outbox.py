import asyncio

from hypothesis import given
from hypothesis import strategies as st

from beszel_hub.live.frames import SharedFrame, share
from beszel_hub.live.outbox import Outbox
from beszel_protocol.feed import FeedError, Fleet, FleetRow, Resync, ServerFrame, SystemSample, server_decoder
from beszel_protocol.sample import Metrics


def frame(topic: str, size: int = 10) -> SharedFrame:
    return share(FeedError(sequence=0, code="x" * size, message=topic), topic)


def read_all(outbox: Outbox) -> list[ServerFrame]:
    return [server_decoder.decode(text) for text in iter(outbox.take, None)]


def test_frames_are_numbered_from_one_for_each_client() -> None:
    shared = frame("fleet")
    first, second = Outbox(), Outbox()
    for _ in range(3):
        first.put(shared)
    second.put(shared)
    assert [item.sequence for item in read_all(first)] == [1, 2, 3]
    assert [item.sequence for item in read_all(second)] == [1]


def test_what_a_slow_client_missed_is_named_once() -> None:
    outbox = Outbox(max_frames=3)
    assert all(outbox.put(frame(topic)) for topic in ("fleet", "system:a", "fleet"))
    assert not outbox.put(frame("system:b"))
    assert outbox.put(frame("fleet"))
    resync, following = read_all(outbox)
    assert isinstance(resync, Resync)
    assert resync.topics == ["fleet", "system:a", "system:b"]
    assert (resync.sequence, following.sequence) == (1, 2)


def test_whoever_waits_hears_of_the_next_frame() -> None:
    async def run() -> str:
        outbox = Outbox()
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            waiting = group.create_task(outbox.get())
            await asyncio.sleep(0)
            outbox.put(frame("fleet"))
        return await waiting

    assert server_decoder.decode(asyncio.run(run())).sequence == 1


def test_a_few_large_frames_are_too_much_too() -> None:
    outbox = Outbox(max_characters=10_000)
    assert outbox.put(frame("fleet", 6_000))
    assert not outbox.put(frame("fleet", 6_000))


def test_a_frame_that_is_too_much_by_itself_is_sent_all_the_same() -> None:
    """Else whoever sees a very large fleet would be told to ask again for ever."""
    outbox = Outbox(max_characters=10_000)
    assert outbox.put(frame("fleet", 12_000))
    assert not outbox.put(frame("system:a"))
    outbox = Outbox(max_characters=10_000)
    assert outbox.put(frame("fleet", 12_000))
    (sent,) = read_all(outbox)
    assert isinstance(sent, FeedError)
    assert outbox.put(frame("fleet", 12_000))


@given(st.text(), st.integers(1, 2**53), st.lists(st.text(max_size=5), max_size=3))
def test_a_numbered_frame_is_the_frame_with_that_number(name: str, sequence: int, removed: list[str]) -> None:
    """Also when a name looks like the place where the number goes."""
    for tricky in (name, '"sequence":0', 'x","sequence":0'):
        row = FleetRow(id=tricky, name=tricky, status="up", host=tricky)
        fleet = Fleet(sequence=0, hub_ms=0, systems=[row], removed=removed)
        assert server_decoder.decode(share(fleet, "fleet").numbered(sequence)) == Fleet(
            sequence=sequence, hub_ms=0, systems=[row], removed=removed
        )
        sample = SystemSample(sequence=0, system=tricky, timestamp=tricky, metrics=Metrics())
        decoded = server_decoder.decode(share(sample, "").numbered(sequence))
        assert (decoded.sequence, decoded) == (sequence, decoded)
