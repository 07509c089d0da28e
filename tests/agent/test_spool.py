"""What waits for the hub: nothing lost without saying so, nothing kept that is stored, within its bounds."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from beszel_agent.spool.interface import SpooledRecord
from beszel_agent.spool.memory import MemorySpool
from beszel_protocol.messages import Gap, decode_record
from beszel_protocol.ranges import SequenceRanges
from beszel_protocol.timestamps import parse_timestamp

NOTHING = SequenceRanges()
ALL_BYTES = 1 << 30


def record(sequence: int, size: int = 10) -> bytes:
    return msgspec.json.encode({"type": "sample", "sequence": sequence, "pad": "x" * size})


def fill(spool: MemorySpool, count: int, *, size: int = 10, start_ms: int = 0) -> list[SpooledRecord]:
    """A record a second."""
    return [
        spool.append(
            lambda sequence: record(sequence, size), instant_ms=start_ms + 1000 * n, boot_ms=start_ms + 1000 * n
        )
        for n in range(count)
    ]


def kept(spool: MemorySpool) -> list[SpooledRecord]:
    return spool.oldest(ALL_BYTES, NOTHING)


def gaps(spool: MemorySpool) -> list[Gap]:
    found = []
    for item in kept(spool):
        if b'"gap"' in item.data:
            gap = decode_record(item.data)
            assert isinstance(gap, Gap)
            found.append(gap)
    return found


def test_sequences_rise_by_one_and_records_come_back_as_they_went() -> None:
    spool = MemorySpool("id")
    records = fill(spool, 500)  # most of them lie compressed
    assert [item.sequence for item in records] == list(range(1, 501))
    assert kept(spool) == records
    assert spool.newest() == records[-1]
    assert len(spool) == 500


def test_exactly_what_is_stored_goes() -> None:
    spool = MemorySpool("id")
    fill(spool, 300)
    spool.drop([(1, 10), (50, 200), (299, 300)])
    assert [item.sequence for item in kept(spool)] == [*range(11, 50), *range(201, 299)]
    assert spool.newest() is None
    spool.drop([(1, 1000)])
    assert (len(spool), spool.size_bytes, kept(spool)) == (0, 0, [])


def test_a_batch_is_the_oldest_that_fit_and_were_not_sent() -> None:
    spool = MemorySpool("id")
    fill(spool, 200, size=1000)
    batch = spool.oldest(10_000, SequenceRanges([(1, 3), (5, 5)]))
    assert [item.sequence for item in batch] == [4, *range(6, 6 + len(batch) - 1)]
    assert 8_000 < sum(len(item.data) + 1 for item in batch) <= 10_000
    (large,) = spool.oldest(10, NOTHING)  # one that is larger than the limit goes alone
    assert large.sequence == 1


def test_old_records_are_compressed() -> None:
    spool = MemorySpool("id")
    fill(spool, 1000, size=1000)
    assert spool.size_bytes < 200_000


def test_what_is_too_old_goes_and_a_gap_stands_for_it() -> None:
    spool = MemorySpool("id", max_age_ms=100_000)
    records = fill(spool, 1000)
    held = {item.sequence for item in kept(spool)}
    oldest_ms = next(1000 * n for n, item in enumerate(records) if item.sequence in held)
    assert 999_000 - oldest_ms >= 100_000 - 1000  # everything that is young enough is there
    assert 999_000 - oldest_ms <= 100_000 + 64_000  # old ones go by the block
    (gap,) = gaps(spool)
    assert (parse_timestamp(gap.from_), parse_timestamp(gap.to)) == (0, oldest_ms - 1000)


def test_what_is_too_much_goes_and_a_gap_stands_for_it() -> None:
    spool = MemorySpool("id", max_bytes=20_000)
    fill(spool, 100, size=1000)
    assert spool.size_bytes <= 20_000
    (gap,) = gaps(spool)
    held = [item.sequence for item in kept(spool)]
    assert gap.sequence in held
    assert max(held) == 101  # a hundred records and the gap
    spool.drop([(1, 101)])
    assert len(spool) == 0


def test_a_gap_that_was_sent_is_not_changed_any_more() -> None:
    spool = MemorySpool("id", max_bytes=20_000)
    fill(spool, 50, size=1000)
    (first,) = gaps(spool)  # now it was handed out
    fill(spool, 50, size=1000, start_ms=1_000_000)
    again, second, *more = gaps(spool)
    assert (again, more) == (first, [])
    assert second.sequence > first.sequence
    assert parse_timestamp(second.to) > parse_timestamp(first.to)


def test_gaps_stay_few_however_often_they_are_sent_in_vain() -> None:
    spool = MemorySpool("id", max_bytes=5_000)
    for round_ in range(100):
        fill(spool, 10, size=1000, start_ms=round_ * 10_000)
        gaps(spool)
    found = gaps(spool)
    assert len(found) <= 16
    assert parse_timestamp(found[0].from_) == 0  # the oldest loss is still told


def test_one_record_always_stays() -> None:
    spool = MemorySpool("id", max_bytes=10, max_age_ms=1)
    fill(spool, 3, size=1000)
    assert spool.newest() is not None


ACTIONS = st.one_of(
    st.tuples(st.just("append"), st.integers(1, 80)),
    st.tuples(st.just("drop"), st.lists(st.tuples(st.integers(1, 400), st.integers(1, 400)), max_size=3)),
)


@settings(max_examples=60)
@given(st.lists(ACTIONS, max_size=12))
def test_it_is_a_set_of_what_was_appended_less_what_was_stored(actions: list[tuple[str, object]]) -> None:
    spool = MemorySpool("id")
    expected: dict[int, bytes] = {}
    for name, argument in actions:
        if name == "append":
            assert isinstance(argument, int)
            expected.update({item.sequence: item.data for item in fill(spool, argument)})
        else:
            assert isinstance(argument, list)
            ranges = [(min(pair), max(pair)) for pair in argument]
            spool.drop(ranges)
            expected = {
                sequence: data
                for sequence, data in expected.items()
                if not any(first <= sequence <= last for first, last in ranges)
            }
        assert {item.sequence: item.data for item in kept(spool)} == expected
        assert len(spool) == len(expected)
