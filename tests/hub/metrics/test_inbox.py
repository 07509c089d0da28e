import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_hub.metrics.inbox import CAPACITY, Arrival, Inbox, Ledger, bounded, split_ranges
from beszel_protocol.ranges import SequenceRanges


def make_inbox() -> Inbox:
    ledger = Ledger("system", "spool", SequenceRanges())
    return Inbox(ledger, on_waiting=lambda: None, on_stored=lambda _: None, on_lost=lambda: None)


def test_a_full_inbox_holds_up_its_sender_until_there_is_room() -> None:
    async def run() -> None:
        inbox = make_inbox()
        for sequence in range(CAPACITY):
            await inbox.put(Arrival(sequence))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await inbox.put(Arrival(CAPACITY))
        assert [arrival.sequence for arrival in inbox.take(2)] == [0, 1]
        async with asyncio.timeout(1):
            await inbox.put(Arrival(CAPACITY))
        assert len(inbox) == CAPACITY - 1

    asyncio.run(run())


ranges = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 5)), max_size=60).map(
    lambda pairs: SequenceRanges((first, first + length) for first, length in pairs)
)


@given(ranges, st.integers(1, 10))
def test_bounded_ranges_keep_everything_and_close_only_the_oldest_holes(
    given_ranges: SequenceRanges, limit: int
) -> None:
    result = bounded(given_ranges, limit)
    assert len(result) <= limit
    assert all(first in result and last in result for first, last in given_ranges)
    runs = list(given_ranges)
    if len(runs) > limit:
        assert list(result)[1:] == runs[len(runs) - limit + 1 :]
    else:
        assert result == given_ranges


@given(ranges, st.integers(1, 7))
def test_split_ranges_lose_nothing(given_ranges: SequenceRanges, size: int) -> None:
    portions = list(split_ranges(given_ranges, size))
    assert all(0 < len(portion) <= size for portion in portions)
    assert [run for portion in portions for run in portion] == list(given_ranges)
